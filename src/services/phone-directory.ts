import type { Clock, Timer } from '../kernel/clock.ts';
import { errorChain } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { SwitchReply, TelephoneSwitch } from '../switch/port.ts';
import type { SwitchPhone } from './ports.ts';

/** What failed is tried again after this. */
const againMs = 5_000;

export interface PhoneDirectoryOptions {
  /** The phones as the database has them. */
  readonly list: () => Promise<readonly SwitchPhone[]>;
  /** Writes them where the switch reads them; undefined where somebody else does (`switch-config`, by hand). */
  readonly write: ((phones: readonly SwitchPhone[]) => Promise<void>) | undefined;
  readonly telephone: Pick<TelephoneSwitch, 'readPhones'>;
  /** Who has a seat may have changed with them. */
  readonly learnSeats: () => Promise<void>;
  /** Has a new password, or is not there any more. */
  readonly onChanged: (user: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Makes the switch and this control agree with the people of the database, whoever has changed them.
 *
 * PostgreSQL owns the phones and their passwords; it tells of each change (migration 0006). What the switch reads is a
 * copy, written and read anew at a change and at each link: a change that came while control, the link or the database
 * was gone is made up for by whichever of them returns last.
 */
export class PhoneDirectory {
  readonly #options: PhoneDirectoryOptions;
  /** By user: what his password is checked against. */
  #known: ReadonlyMap<string, string> | undefined;
  /** `idle`; `working` on what is known to have changed; `changed` again meanwhile: once more then. */
  #state: 'idle' | 'working' | 'changed' | 'closed' = 'idle';
  #again: Timer | undefined;
  #failing = false;

  constructor(options: PhoneDirectoryOptions) {
    this.#options = options;
  }

  /** Whether there is such a phone. */
  has(user: string): boolean {
    return this.#known?.has(user) ?? false;
  }

  /** People have changed, or may have; or the switch is there and may have an older copy. */
  changed(): void {
    if (this.#state === 'closed') return;
    this.#again?.cancel();
    if (this.#state !== 'idle') {
      this.#state = 'changed';
      return;
    }
    this.#state = 'working';
    void this.#agree().then((tryAgain) => this.#agreed(tryAgain));
  }

  close(): void {
    this.#state = 'closed';
    this.#again?.cancel();
  }

  /** @returns whether it must be tried again. */
  async #agree(): Promise<boolean> {
    const { list, write, learnSeats, log } = this.#options;
    try {
      const phones = await list();
      const changed = this.#take(phones);
      await learnSeats();
      if (write === undefined) {
        if (changed.length > 0)
          log.warn({ phones: changed }, 'phones have changed: run switch-config and reloadxml, or set FREESWITCH_CONF');
        return false;
      }
      await write(phones);
      const reply = await this.#options.telephone.readPhones();
      if (reply.ok) {
        if (changed.length > 0) log.info({ phones: changed }, 'the switch knows the phones that have changed');
        this.#failing = false;
        return false;
      }
      return this.#refused(reply.error);
    } catch (error) {
      // The database, or the files: neither tells when it is well again.
      if (!this.#failing)
        log.error({ error: errorChain(error) }, 'the switch does not know the phones as they are now');
      this.#failing = true;
      return true;
    }
  }

  #refused({ kind, message }: Extract<Awaited<SwitchReply>, { ok: false }>['error']): boolean {
    // Without a link nothing is tried again: the next link will.
    if (kind === 'link-down') return false;
    if (!this.#failing)
      this.#options.log.error({ kind, error: message }, 'the switch did not read its phones; it is asked again');
    this.#failing = true;
    return true;
  }

  #agreed(tryAgain: boolean): void {
    if (this.#state === 'closed') return;
    const once = this.#state === 'changed';
    this.#state = 'idle';
    if (once) this.changed();
    else if (tryAgain) this.#again = this.#options.clock.setTimer(againMs, () => this.changed());
  }

  /** @returns who has come, gone, or has another password; nobody the first time. */
  #take(phones: readonly SwitchPhone[]): string[] {
    const before = this.#known;
    const now = new Map(phones.map((phone) => [phone.extension, phone.ha1Md5.reveal()]));
    this.#known = now;
    if (before === undefined) return [];
    const changed = [...new Set([...before.keys(), ...now.keys()])].filter(
      (user) => before.get(user) !== now.get(user),
    );
    for (const user of changed) this.#options.onChanged(user);
    return changed;
  }
}
