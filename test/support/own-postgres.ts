/** A PostgreSQL of one test's own, which the test may kill; it keeps its data and port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { until } from './until.ts';

const program = fileURLToPath(new URL('embedded-postgres-process.ts', import.meta.url));
const startedSchema = z.object({ url: z.string(), pid: z.number() });
/**
 * Nothing here must survive a power cut, so the disk is not waited for. What was committed must survive `kill -9`, so
 * commits still go to the system before they are answered (`synchronous_commit` stays on).
 */
const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '100' };

export class OwnPostgres {
  readonly #folder: string;
  #owner: ChildProcess | undefined;
  #pid: number | undefined;
  #url = '';

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param folder one that everybody may pass: as root, PostgreSQL runs as another user. */
  static async start(folder: string): Promise<OwnPostgres> {
    const postgres = new OwnPostgres(folder);
    await postgres.startAgain();
    return postgres;
  }

  get url(): string {
    return this.#url;
  }

  /** Kills its owner, which would start it again, and then all of it: no connection ends in order. */
  async kill(): Promise<void> {
    const owner = this.#owner;
    if (owner === undefined || this.#pid === undefined) throw new Error('PostgreSQL does not run');
    this.#owner = undefined;
    const gone = once(owner, 'exit');
    owner.kill('SIGKILL');
    await gone;
    const postmaster = this.#pid;
    this.#pid = undefined;
    const backends = await childrenOf(postmaster);
    process.kill(postmaster, 'SIGKILL');
    // They end when they notice, some only after the statement that they have begun: it would still be committed.
    for (const backend of backends) killIfThere(backend);
    await until('the end of PostgreSQL', () => [postmaster, ...backends].every((pid) => !isThere(pid)));
  }

  /** Starts it on the same data and port. */
  async startAgain(): Promise<void> {
    const port = this.#url === '' ? undefined : Number(new URL(this.#url).port);
    const options = { folder: join(this.#folder, 'postgres'), systemFolder: this.#folder, port, settings };
    const owner = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    this.#owner = owner;
    const gone = once(owner, 'exit').then(([code]) => {
      throw new Error(`PostgreSQL did not start: its owner ended with ${String(code)}`);
    });
    const line = once(createInterface(owner.stdout), 'line').then(([text]) => String(text));
    const { url, pid } = startedSchema.parse(JSON.parse(await Promise.race([line, gone])));
    // What comes of it later is asked for where it is killed.
    gone.catch(() => undefined);
    this.#url = url;
    this.#pid = pid;
  }

  async stop(): Promise<void> {
    if (this.#owner !== undefined) await this.kill();
  }
}

/** Those that a process has started and that are there now (Linux: /proc). */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Its postmaster's death was quicker.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
