import type { Clock, Timer } from '../kernel/clock.ts';

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

const isBefore = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/**
 * Virtual time. Nothing happens but in timers; between two of them everything that waits for promises alone gets its
 * turn, so that a run depends on nothing but its seed. Inside it counts fractions of a millisecond, so that events of
 * one millisecond still come in a chosen order.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  /** A binary heap, the next timer first; cancelled ones stay until they come up. */
  readonly #heap: Due[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  now(): number {
    return Math.floor(this.#nowMs);
  }

  /** With its fraction. */
  get exactMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    return this.at(this.#nowMs + Math.max(0, delayMs), run);
  }

  /** Calls `run` at this time, or as soon as possible when it has passed. */
  at(atMs: number, run: () => void): Timer {
    this.#order += 1;
    const due: Due = { atMs: Math.max(atMs, this.#nowMs), order: this.#order, run, cancelled: false };
    this.#push(due);
    return {
      cancel: () => {
        due.cancelled = true;
      },
    };
  }

  /** Runs the next timer and all that follows from it by promises. False when none is due by `untilMs`. */
  async step(untilMs: number): Promise<boolean> {
    const due = this.#next(untilMs);
    if (due === undefined) {
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#nowMs = due.atMs;
    due.run();
    await settle();
    return true;
  }

  #next(untilMs: number): Due | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || (!first.cancelled && first.atMs > untilMs)) return undefined;
      this.#pop();
      if (!first.cancelled) return first;
    }
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let index = heap.push(due) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, due)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      if (left === undefined) break;
      const goRight = right !== undefined && isBefore(right, left);
      const child = goRight ? right : left;
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = 2 * index + (goRight ? 2 : 1);
    }
    heap[index] = last;
  }
}

/**
 * The clock of one control process: when it dies its timers die with it, and it can set no more. While it is frozen
 * (SIGSTOP, a stalled machine) nothing in it runs; what came meanwhile comes when it wakes, in order.
 */
export class ProcessClock implements Clock {
  readonly #clock: VirtualClock;
  readonly #timers = new Set<Timer>();
  readonly #asleep: (() => void)[] = [];
  #frozen = false;
  #ended = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Timers that have not fired. */
  get waiting(): number {
    return this.#timers.size;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    if (this.#ended) return { cancel: () => undefined };
    let cancelled = false;
    const timer = this.#clock.setTimer(delayMs, () => {
      this.whenAwake(() => {
        if (cancelled) return;
        this.#timers.delete(handle);
        run();
      });
    });
    const handle: Timer = {
      cancel: () => {
        cancelled = true;
        this.#timers.delete(handle);
        timer.cancel();
      },
    };
    this.#timers.add(handle);
    return handle;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Something reaches the process from outside: at once, or when it wakes; never when it has died. */
  whenAwake(run: () => void): void {
    if (this.#frozen) this.#asleep.push(run);
    else if (!this.#ended) run();
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    // One after the other, so that promises get their turn between two of them, as in Node's event loop.
    this.#asleep.splice(0).forEach((run, index) => {
      this.#clock.setTimer(index * 0.001, () => this.whenAwake(run));
    });
  }

  end(): void {
    this.#ended = true;
    this.#frozen = false;
    this.#asleep.length = 0;
    for (const timer of [...this.#timers]) timer.cancel();
  }
}

/** Lets everything run that waits for promises alone: `setImmediate` comes after all of Node's microtasks. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
