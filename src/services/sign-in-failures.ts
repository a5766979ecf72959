import type { Clock } from '../kernel/clock.ts';

const windowMs = 60_000;
/** Only failures count: a whole shift may sign in from behind one address within a minute. */
const perLoginAndAddress = 5;
const perAddress = 50;
/** More keys than this are not remembered; the oldest go. */
const keysLimit = 10_000;

interface Window {
  count: number;
  readonly untilMs: number;
}

/** Counts failed sign-ins, by name and address and by address alone, so that passwords can't be tried in bulk. */
export class SignInFailures {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the next try is refused without a look at the password. */
  blocked(login: string, address: string): boolean {
    return this.#count(`${address} ${login}`) >= perLoginAndAddress || this.#count(address) >= perAddress;
  }

  failed(login: string, address: string): void {
    this.#add(`${address} ${login}`);
    this.#add(address);
  }

  #count(key: string): number {
    const window = this.#windows.get(key);
    return window === undefined || window.untilMs <= this.#clock.now() ? 0 : window.count;
  }

  #add(key: string): void {
    const nowMs = this.#clock.now();
    const window = this.#windows.get(key);
    if (window !== undefined && window.untilMs > nowMs) {
      window.count += 1;
      return;
    }
    this.#windows.delete(key);
    this.#windows.set(key, { count: 1, untilMs: nowMs + windowMs });
    const oldest = this.#windows.keys().next().value;
    if (this.#windows.size > keysLimit && oldest !== undefined) this.#windows.delete(oldest);
  }
}
