/**
 * How long the disk takes to say that something is written for good: the floor of every commit. Measured beside the
 * load, because what else the machine writes slows it as well.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Percentiles, percentilesOf } from './figures.ts';

/** Rare enough not to slow the database's own writing. */
const everyMs = 100;
const block = Buffer.alloc(8192, 1);
const blocks = 64;

export class DiskProbe {
  readonly #took: number[] = [];
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;

  /** Begins to write and flush one block ten times a second in this folder. */
  constructor(folder: string) {
    this.#done = this.#run(join(folder, 'disk-probe'));
  }

  /** Ends the probe. @returns milliseconds of write and fdatasync. */
  async stop(): Promise<Percentiles> {
    this.#stopping.abort();
    await this.#done;
    return percentilesOf(this.#took);
  }

  async #run(path: string): Promise<void> {
    const { signal } = this.#stopping;
    const file = await open(path, 'w');
    try {
      // The blocks are there before the first measurement, as they are in PostgreSQL's log.
      for (let index = 0; index < blocks; index += 1) await file.write(block, 0, block.length, index * block.length);
      await file.sync();
      for (let index = 0; !signal.aborted; index += 1) {
        const startedAt = performance.now();
        await file.write(block, 0, block.length, (index % blocks) * block.length);
        await file.datasync();
        this.#took.push(performance.now() - startedAt);
        // The pause is cut short at the end; that is no error.
        await pause(everyMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      await file.close();
    }
  }
}
