/** Counts wrong passwords by source address and name, and bans those who go on guessing. */
import type { Clock } from '../../../kernel/clock.ts';

/** So many failures in a row are a program's, not a person's. */
const MAX_FAILURES = 5;
const BAN_MS = 60_000;
/** Failures older than this are forgotten. */
const WINDOW_MS = 60_000;
/** The table's size; beyond it the oldest entries make room. */
const MAX_ENTRIES = 10_000;

interface Entry {
  failures: number;
  /** End of the window or of the ban. */
  untilMs: number;
  banned: boolean;
}

export class FailureLimit {
  readonly #clock: Clock;
  readonly #onBan: (who: { readonly address: string; readonly name: string }) => void;
  readonly #entries = new Map<string, Entry>();
  #bans = 0;

  /** `onBan` is called once at the beginning of each ban. */
  constructor(clock: Clock, onBan: (who: { readonly address: string; readonly name: string }) => void) {
    this.#clock = clock;
    this.#onBan = onBan;
  }

  /** How many bans there were since the start. */
  get bans(): number {
    return this.#bans;
  }

  #current(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.untilMs > this.#clock.now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  isBanned(address: string, name: string): boolean {
    return this.#current(`${address} ${name}`)?.banned === true;
  }

  note(address: string, name: string): void {
    const key = `${address} ${name}`;
    const now = this.#clock.now();
    const entry = this.#current(key) ?? { failures: 0, untilMs: now + WINDOW_MS, banned: false };
    entry.failures += 1;
    if (!entry.banned && entry.failures >= MAX_FAILURES) {
      entry.banned = true;
      entry.untilMs = now + BAN_MS;
      this.#bans += 1;
      this.#onBan({ address, name });
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= MAX_ENTRIES) return;
    const oldest = this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  /** The right password came: nothing is held against them any more. */
  forget(address: string, name: string): void {
    this.#entries.delete(`${address} ${name}`);
  }
}
