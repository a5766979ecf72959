/** Ends whatever a benchmark has started, in the opposite order: at its end, at a failure, at Ctrl-C, at its time limit. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const stopMs = 12_000;
const sameSignalMs = 1000;

export class Closers {
  readonly #closers: { readonly what: string; readonly close: () => Promise<void> }[] = [];
  #endingSince: number | undefined;

  /** Adds something to be closed; the returned function closes it now. */
  add(what: string, close: () => Promise<void>): () => Promise<void> {
    const entry = { what, close };
    this.#closers.push(entry);
    return async () => {
      const at = this.#closers.indexOf(entry);
      if (at < 0) return;
      this.#closers.splice(at, 1);
      await close();
    };
  }

  async closeAll(): Promise<void> {
    for (const { what, close } of this.#closers.splice(0).reverse()) {
      // What fails to close must not keep the others open.
      await close().catch((error: unknown) => console.error(`${what} did not close: ${String(error)}`));
    }
  }

  /** Runs the benchmark's work, and ends everything however it ends. A second Ctrl-C ends at once. */
  async run(limitMs: number, work: () => Promise<void>): Promise<void> {
    const end = (why: string, code: number): void => {
      if (this.#endingSince !== undefined) {
        // The terminal and the program that started this one may both hand the same Ctrl-C on.
        if (performance.now() - this.#endingSince > sameSignalMs) process.exit(code);
        return;
      }
      this.#endingSince = performance.now();
      console.error(why);
      void this.closeAll().then(() => process.exit(code));
    };
    process.on('SIGINT', () => end('stopped by SIGINT', 130));
    process.on('SIGTERM', () => end('stopped by SIGTERM', 143));
    process.on('uncaughtException', (error) => end(`failed: ${error.stack ?? error.message}`, 1));
    const limit = setTimeout(() => end(`not done within ${limitMs / 1000} s`, 1), limitMs);
    try {
      await work();
    } catch (error) {
      if (this.#endingSince === undefined) {
        console.error(error);
        process.exitCode = 1;
      }
    } finally {
      clearTimeout(limit);
      if (this.#endingSince === undefined) await this.closeAll();
    }
  }
}

/** Ends a child in order, and by force when it takes too long. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await gone;
  clearTimeout(late);
}
