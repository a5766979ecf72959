import { Fifo } from './fifo.ts';

/** What the inbox needs of its owner. */
export interface InboxHooks<T> {
  /** Takes one item. A promise means: not ready for the next one until it settles. */
  consume(item: T): void | Promise<void>;
  /** Stop reading from the peer: `highWater` items wait. */
  pause(): void;
  /** Read on: fewer than `lowWater` wait. */
  resume(): void;
  /** The consumer threw or rejected; the next item is given to it all the same. */
  failed(error: unknown): void;
}

/**
 * Hands items to a consumer one at a time and in order. When the consumer is slower than the peer, reading pauses at
 * `highWater`, and what the peer has to say waits in the peer (FreeSWITCH holds 100,000 events for a slow client).
 */
export class Inbox<T> {
  readonly #hooks: InboxHooks<T>;
  readonly #highWater: number;
  readonly #lowWater: number;
  readonly #items = new Fifo<{ readonly item: T }>();
  #busy = false;
  #paused = false;

  constructor(hooks: InboxHooks<T>, highWater: number) {
    this.#hooks = hooks;
    this.#highWater = highWater;
    this.#lowWater = Math.floor(highWater / 4);
  }

  /** Items that wait. */
  get size(): number {
    return this.#items.size;
  }

  get paused(): boolean {
    return this.#paused;
  }

  push(item: T): void {
    this.#items.push({ item });
    if (!this.#busy) this.#drain();
    if (!this.#paused && this.size >= this.#highWater) {
      this.#paused = true;
      this.#hooks.pause();
    }
  }

  #drain(): void {
    for (let next = this.#items.take(); next !== undefined; next = this.#items.take()) {
      const pending = this.#give(next.item);
      if (pending !== undefined) {
        this.#busy = true;
        pending.then(
          () => this.#next(),
          (error: unknown) => {
            this.#hooks.failed(error);
            this.#next();
          },
        );
        break;
      }
    }
    if (this.#paused && this.size <= this.#lowWater) {
      this.#paused = false;
      this.#hooks.resume();
    }
  }

  #next(): void {
    this.#busy = false;
    this.#drain();
  }

  #give(item: T): Promise<void> | undefined {
    // Busy while the consumer runs, so that a push from inside it can't overtake or nest.
    this.#busy = true;
    try {
      return this.#hooks.consume(item) ?? undefined;
    } catch (error) {
      this.#hooks.failed(error);
      return undefined;
    } finally {
      this.#busy = false;
    }
  }
}
