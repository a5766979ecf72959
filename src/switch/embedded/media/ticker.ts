import { FRAME_MS } from './frames.ts';

/** Something that needs the 20 ms clock. */
export interface Ticking {
  /**
   * @param index counts frames since the ticker was made; it jumps when frames had to be left out.
   * @param nowMs `performance.now()` of this round.
   */
  tick(index: number, nowMs: number): void;
}

/** After a stall of the event loop this many frames are made up for in one go; older ones are left out. */
const MAX_CATCH_UP_FRAMES = 5;

/**
 * The one 20 ms clock of the process. Every round aims at an absolute grid, so errors of single timers never add up;
 * it runs only while somebody is subscribed.
 */
export class Ticker {
  readonly #members = new Set<Ticking>();
  readonly #onError: (error: unknown) => void;
  readonly #epochMs = performance.now();
  #nextIndex = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param onError is told when a member throws; the others go on. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** True while the timer runs. */
  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Subscribes; twice is the same as once. */
  add(member: Ticking): void {
    this.#members.add(member);
    if (this.#timer !== undefined) return;
    this.#nextIndex = Math.max(this.#nextIndex, Math.ceil((performance.now() - this.#epochMs) / FRAME_MS));
    this.#arm(performance.now());
  }

  /** Unsubscribes; the clock stops with the last one. */
  remove(member: Ticking): void {
    this.#members.delete(member);
    if (this.#members.size > 0 || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #dueMs(index: number): number {
    return this.#epochMs + index * FRAME_MS;
  }

  #arm(nowMs: number): void {
    this.#timer = setTimeout(() => this.#round(), Math.max(0, Math.round(this.#dueMs(this.#nextIndex) - nowMs)));
  }

  #round(): void {
    const nowMs = performance.now();
    // Node's timers may fire up to a millisecond early; that frame is taken now, not after another wait.
    const newest = Math.floor((nowMs + 1 - this.#epochMs) / FRAME_MS);
    this.#nextIndex = Math.max(this.#nextIndex, newest - MAX_CATCH_UP_FRAMES + 1);
    while (this.#nextIndex <= newest) {
      const index = this.#nextIndex;
      this.#nextIndex += 1;
      for (const member of this.#members) this.#tickOne(member, index, nowMs);
    }
    if (this.#members.size > 0) this.#arm(performance.now());
    else this.#timer = undefined;
  }

  #tickOne(member: Ticking, index: number, nowMs: number): void {
    try {
      member.tick(index, nowMs);
    } catch (error) {
      // One leg's fault must not silence all the others.
      this.#onError(error);
    }
  }
}
