import type { Clock, Timer } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { maxBannedAddresses, type PasswordShown, type SwitchReply, type TelephoneSwitch } from '../switch/port.ts';

/** So many wrong passwords within the window are a program's, or of a phone that was set up wrongly. */
const failuresLimit = 5;
const windowMs = 60_000;
/** Sources that are counted at once; the oldest make room. */
const countedLimit = 10_000;
/** Each change makes FreeSWITCH read its configuration anew, so changes are gathered. */
const gatherMs = 250;
/** A switch that said no, or nothing, is told again after this. */
const againMs = 5_000;

export interface PhoneBan {
  readonly user: string;
  readonly address: string;
  readonly banMs: number;
}

export interface PhoneGuardOptions {
  readonly telephone: Pick<TelephoneSwitch, 'banPhones'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly banMs: number;
  /** Whether there is such a phone: a name that nobody has can't be guessed, and must not fill our lists. */
  readonly isKnown: (user: string) => boolean;
  /** Told once at the beginning of each ban. */
  readonly onBan: (ban: PhoneBan) => void;
}

interface Window {
  failures: number;
  readonly untilMs: number;
}

/**
 * Counts wrong passwords of phones by user and source address, and bans those who go on guessing, for a time.
 *
 * Control owns the bans; the switch holds a copy, which is made to agree at each change and each link. So a switch that
 * was restarted gets them again, and what an earlier control left is taken away. While a ban stands its failures are not
 * counted: it ends, even if the phone never stops.
 */
export class PhoneGuard {
  readonly #options: PhoneGuardOptions;
  readonly #windows = new Map<string, Window>();
  /** By user, then by address: when the ban ends. The oldest addresses make room. */
  readonly #bans = new Map<string, Map<string, number>>();
  #total = 0;
  #expiry: Timer | undefined;
  /** `idle`; `telling` until the switch has answered and a pause is over; `changed` meanwhile: told once more then. */
  #state: 'idle' | 'telling' | 'changed' | 'closed' = 'idle';
  #pause: Timer | undefined;

  constructor(options: PhoneGuardOptions) {
    this.#options = options;
  }

  /** How many bans have begun. */
  get total(): number {
    return this.#total;
  }

  /** A phone has shown a password. */
  note({ user, address, right }: PasswordShown): void {
    if (this.#state === 'closed' || !this.#options.isKnown(user)) return;
    const key = `${address} ${user}`;
    if (right) this.#windows.delete(key);
    else if (this.#bans.get(user)?.has(address) !== true && this.#count(key) >= failuresLimit) {
      this.#windows.delete(key);
      this.#ban(user, address);
    }
  }

  /** This phone has a new password, or there is none any more: what was tried before counts no longer. */
  forgive(user: string): void {
    for (const key of this.#windows.keys()) if (key.endsWith(` ${user}`)) this.#windows.delete(key);
    if (!this.#bans.delete(user)) return;
    this.#options.log.info({ user }, 'the ban of a phone is lifted: it has another password');
    this.#tell();
    this.#expireNext();
  }

  /** The switch is there, perhaps without our bans, or with those of an earlier control. */
  linkUp(): void {
    this.#tell();
  }

  close(): void {
    this.#state = 'closed';
    this.#expiry?.cancel();
    this.#pause?.cancel();
  }

  /** One more failure; how many there are in this window. */
  #count(key: string): number {
    const nowMs = this.#options.clock.now();
    const before = this.#windows.get(key);
    const window = before !== undefined && before.untilMs > nowMs ? before : { failures: 0, untilMs: nowMs + windowMs };
    window.failures += 1;
    this.#windows.delete(key);
    this.#windows.set(key, window);
    const oldest = this.#windows.keys().next().value;
    if (this.#windows.size > countedLimit && oldest !== undefined) this.#windows.delete(oldest);
    return window.failures;
  }

  #ban(user: string, address: string): void {
    const { clock, log, banMs, onBan } = this.#options;
    const addresses = this.#bans.get(user) ?? new Map<string, number>();
    this.#bans.set(user, addresses);
    addresses.set(address, clock.now() + banMs);
    const oldest = addresses.keys().next().value;
    if (addresses.size > maxBannedAddresses && oldest !== undefined) addresses.delete(oldest);
    this.#total += 1;
    log.warn({ user, address, banMs }, 'too many wrong passwords of a phone: banned for a while');
    onBan({ user, address, banMs });
    this.#tell();
    this.#expireNext();
  }

  #expireNext(): void {
    const { clock } = this.#options;
    this.#expiry?.cancel();
    const ends = [...this.#bans.values()].flatMap((addresses) => [...addresses.values()]);
    if (ends.length === 0) return;
    this.#expiry = clock.setTimer(Math.max(0, Math.min(...ends) - clock.now()), () => {
      const nowMs = clock.now();
      for (const [user, addresses] of this.#bans) {
        for (const [address, untilMs] of addresses) if (untilMs <= nowMs) addresses.delete(address);
        if (addresses.size === 0) this.#bans.delete(user);
      }
      this.#tell();
      this.#expireNext();
    });
  }

  #tell(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'idle') {
      this.#state = 'changed';
      return;
    }
    this.#state = 'telling';
    const bans = new Map([...this.#bans].map(([user, addresses]) => [user, [...addresses.keys()]]));
    void this.#options.telephone.banPhones(bans).then((reply) => this.#told(reply));
  }

  #told(reply: Awaited<SwitchReply>): void {
    if (this.#state === 'closed') return;
    // Without a link nothing is tried again: `linkUp` will.
    const tryAgain = !reply.ok && reply.error.kind !== 'link-down';
    if (tryAgain) {
      this.#options.log.error(
        { kind: reply.error.kind, error: reply.error.message },
        'the switch did not take the bans',
      );
      this.#state = 'changed';
    }
    this.#pause = this.#options.clock.setTimer(tryAgain ? againMs : gatherMs, () => {
      const changed = this.#state === 'changed';
      this.#state = 'idle';
      if (changed) this.#tell();
    });
  }
}
