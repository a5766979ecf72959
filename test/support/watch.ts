/** How many of the last things seen an error message tells. */
const toldInErrors = 40;
const kept = 500;

interface Waiter {
  recheck(): void;
}

/**
 * Something that a test waits on: what happens is noted, waits look again after every note, and a wait that runs out
 * says what was seen instead.
 */
export class Watch {
  readonly #who: string;
  readonly #seen: string[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #startedAt = performance.now();

  constructor(who: string) {
    this.#who = who;
  }

  /** Notes what happened and lets every wait look again. */
  note(what: string): void {
    const atMs = Math.round(performance.now() - this.#startedAt);
    this.#seen.push(`+${atMs} ms ${what}`);
    if (this.#seen.length > kept) this.#seen.shift();
    this.changed();
  }

  /** Lets every wait look again without a note of its own. */
  changed(): void {
    for (const waiter of [...this.#waiters]) waiter.recheck();
  }

  /** The last things noted, oldest first. */
  seen(): readonly string[] {
    return this.#seen.slice(-toldInErrors);
  }

  /**
   * Resolves with the first value of `check` that is not undefined.
   * @throws Error after `withinMs`, with `instead()` and everything seen.
   */
  until<T>(what: string, withinMs: number, check: () => T | undefined, instead?: () => string): Promise<T> {
    const first = check();
    if (first !== undefined) return Promise.resolve(first);
    const asked = new Error(`${this.#who}: waited ${withinMs} ms in vain for ${what}`);
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter = {
        recheck: () => {
          const value = check();
          if (value === undefined) return;
          settle();
          resolve(value);
        },
      };
      const timer = setTimeout(() => {
        settle();
        const state = instead === undefined ? '' : `; now: ${instead()}`;
        asked.message += `${state}; seen:\n  ${this.seen().join('\n  ') || '(nothing)'}`;
        reject(asked);
      }, withinMs);
      const settle = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      this.#waiters.add(waiter);
    });
  }
}
