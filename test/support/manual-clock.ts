import type { Clock, Timer } from '../../src/kernel/clock.ts';

interface Due {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands still until the test moves it; timers run in the order in which they are due. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #due = new Set<Due>();

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Timers that have not run. */
  get waiting(): number {
    return this.#due.size;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const due: Due = { atMs: this.#nowMs + delayMs, run };
    this.#due.add(due);
    return { cancel: () => this.#due.delete(due) };
  }

  /** Moves time on; between two timers everything that waits for a promise gets its turn. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = [...this.#due].filter((due) => due.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#due.delete(next);
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets everything run that waits for promises alone. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
