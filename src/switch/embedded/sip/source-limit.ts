/** Knows the sources that are refused again and again, so that their messages are dropped before they cost anything. */
import type { Clock } from '../../../kernel/clock.ts';

/** A house full of phones behind one address that all come back at once is challenged this often without harm. */
const BURST = 500;
/** What a source may be refused for good: phones with a right password need far less. */
const PER_SECOND = 2;
/** The table's size; beyond it the oldest entries make room. */
const MAX_SOURCES = 10_000;

interface Source {
  /** Refusals that have not leaked away yet. */
  level: number;
  atMs: number;
}

/** A leaky bucket for each source address. Only refusals fill it: who is served is never held up. */
export class SourceLimit {
  readonly #clock: Clock;
  readonly #sources = new Map<string, Source>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #levelOf(source: Source): number {
    return Math.max(0, source.level - ((this.#clock.now() - source.atMs) * PER_SECOND) / 1000);
  }

  /** Whether messages from there are not even read. */
  isOverrun(address: string): boolean {
    const source = this.#sources.get(address);
    return source !== undefined && this.#levelOf(source) >= BURST;
  }

  /** A message from there was refused; `weight` is how bad that was, below 0 for a phone that proved its password. */
  note(address: string, weight = 1): void {
    const source = this.#sources.get(address);
    const level = (source === undefined ? 0 : this.#levelOf(source)) + weight;
    this.#sources.delete(address);
    if (level <= 0) return;
    this.#sources.set(address, { level, atMs: this.#clock.now() });
    if (this.#sources.size <= MAX_SOURCES) return;
    const oldest = this.#sources.keys().next().value;
    if (oldest !== undefined) this.#sources.delete(oldest);
  }
}
