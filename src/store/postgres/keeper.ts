import { setTimeout as pause } from 'node:timers/promises';
import { errorChain } from '../../kernel/errors.ts';
import type { Ownership } from './owner.ts';
import { adoptOrLaunch, type LaunchRequest, type RunningPostmaster, stopPostmaster } from './postmaster.ts';

/** How long PostgreSQL may take to end in order. */
export const stopDeadlineMs = 10_000;
/** One that dies is started again; one that keeps dying is not started for ever. */
const restartsPerMinute = 5;
const againMs = 1_000;

/** Makes this process the owner of the PostgreSQL on a port, and tells once when the owner's connection breaks. */
type Own = (port: number, onLost: () => void) => Promise<Ownership>;

/**
 * Keeps the embedded PostgreSQL alive. Its death shows as the end of the owner's connection, which is held all the
 * time: that tells of a child and of one that was taken over alike, and asks nobody.
 */
export class Keeper {
  readonly #request: Omit<LaunchRequest, 'port'>;
  readonly #own: Own;
  /** The next one must be where all connections look for it. */
  readonly #port: number;
  #postmaster: RunningPostmaster;
  #owner: Ownership | undefined;
  #stopping = false;
  #reviving: Promise<void> = Promise.resolve();
  #restarts: number[] = [];

  constructor(request: Omit<LaunchRequest, 'port'>, postmaster: RunningPostmaster, own: Own) {
    this.#request = request;
    this.#postmaster = postmaster;
    this.#port = postmaster.port;
    this.#own = own;
  }

  get pid(): number {
    return this.#postmaster.pid;
  }

  /** @returns the address of the service's database. */
  async own(): Promise<string> {
    this.#owner = await this.#own(this.#port, () => {
      this.#owner = undefined;
      if (!this.#stopping) this.#reviving = this.#revive();
    });
    return this.#owner.url;
  }

  /** Ends PostgreSQL in order, also one that is just being started again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#reviving;
    await this.#owner?.release();
    await stopPostmaster(this.#request.place, this.#postmaster, stopDeadlineMs, this.#request.log);
  }

  async #revive(): Promise<void> {
    const { log } = this.#request;
    log.error({ pid: this.pid }, 'the embedded PostgreSQL is gone; it is started again');
    while (!this.#stopping) {
      const now = performance.now();
      this.#restarts = [...this.#restarts.filter((at) => now - at < 60_000), now];
      if (this.#restarts.length > restartsPerMinute) {
        log.error(
          { restarts: this.#restarts.length },
          'the embedded PostgreSQL keeps dying and is not started any more; restart the service',
        );
        return;
      }
      try {
        this.#postmaster = await adoptOrLaunch({ ...this.#request, port: this.#port });
        await this.own();
        log.warn({ pid: this.pid, port: this.#port }, 'the embedded PostgreSQL runs again');
        return;
      } catch (error) {
        log.error({ error: errorChain(error) }, 'the embedded PostgreSQL could not be started again');
        await pause(againMs);
      }
    }
  }
}
