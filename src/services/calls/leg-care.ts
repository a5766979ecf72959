import type { Clock } from '../../kernel/clock.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { ok } from '../../kernel/result.ts';
import type { LegId, LegRole, LegSnapshot, SwitchEvent, SwitchReply, TelephoneSwitch } from '../../switch/port.ts';
import type { LegRecord } from '../ports.ts';

/** A command takes its deadline to fail. */
const attempts = 4;
/** The dialplan treats a caller whom nobody has taken for 4 s. */
const lateArrivalMs = 3_000;
/** An end is told when the recording's file is whole, 2 s after it at the latest. */
const doubtMs = 3_000;

export interface LegCareOptions {
  readonly telephone: TelephoneSwitch;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whose a leg is; undefined for one that is not ours, and when its end has been told. */
  readonly roleOf: (leg: LegId) => LegRole | undefined;
  /** The switch says that a known leg is not there any more. */
  readonly onGone: (leg: LegId) => void;
}

/**
 * Commands about legs that no call waits for. They do no harm when they are carried out twice, so they are repeated
 * when the switch gave no answer: a claim that is lost would send a citizen to the dialplan's answer, a hang-up that
 * is lost would leave somebody in silence. Claims are repeated by the switch's port, which knows whether the leg still
 * waits. Once the link is down the next snapshot decides.
 */
export class LegCare {
  readonly #options: LegCareOptions;
  readonly #telephone: TelephoneSwitch;
  readonly #log: Logger;
  /** Legs that will be asked for in a moment. */
  readonly #doubted = new Set<LegId>();
  /** Legs whose disarming is being ordered. */
  readonly #disarming = new Set<LegId>();

  constructor(options: LegCareOptions) {
    this.#options = options;
    this.#telephone = options.telephone;
    this.#log = options.log;
  }

  /** Asks in a moment whether a leg is still there, unless its end is told meanwhile: that news may have been lost. */
  makeSure(leg: LegId): void {
    if (this.#doubted.has(leg)) return;
    this.#doubted.add(leg);
    this.#options.clock.setTimer(doubtMs, () => {
      this.#doubted.delete(leg);
      if (this.#options.roleOf(leg) === undefined) return;
      this.#ask(leg).catch((error: unknown) =>
        this.#log.error({ leg, error: errorChain(error) }, 'the switch could not be asked for a leg'),
      );
    });
  }

  /**
   * The switch's list lags behind its events, so a leg that it lacks may be a new one. Without an answer nothing is
   * concluded: it is asked again, or the link broke and the next snapshot decides.
   */
  async isStillThere(leg: LegId): Promise<boolean> {
    const reply = await this.#telephone.exists(leg);
    if (!reply.ok) this.makeSure(leg);
    return !reply.ok || reply.value;
  }

  /** One of these is not there any more; those of which nothing has been seen yet may still be made. */
  doubt(legs: readonly LegRecord[]): void {
    for (const { leg, direction, ringingAtMs, answeredAtMs } of legs) {
      if (direction === 'inbound' || ringingAtMs !== null || answeredAtMs !== null) this.makeSure(leg);
    }
  }

  async #ask(leg: LegId): Promise<void> {
    const reply = await this.#telephone.exists(leg);
    if (reply.ok) {
      if (!reply.value && this.#options.roleOf(leg) !== undefined) this.#options.onGone(leg);
    } else if (reply.error.kind === 'deadline') this.makeSure(leg);
  }

  /** The dialplan arms its own way out whenever it parks a leg; while control is there, control puts it off. */
  claim(leg: LegId, role: LegRole): void {
    this.#disarming.delete(leg);
    this.#once('claim', leg, () => this.#telephone.claim(leg, role));
  }

  /** Who is parked waits, and so does the phone that sent him away; the dialplan has armed a way out for both by now. */
  claimParked({ leg, referred }: Extract<SwitchEvent, { type: 'legParked' }>): void {
    for (const waiting of referred === undefined ? [leg] : [leg, referred.by]) {
      const role = this.#options.roleOf(waiting);
      if (role !== undefined) this.claim(waiting, role);
    }
  }

  /** After a link was away: one who talks must not be taken out by a claim of an earlier process. No role: not ours. */
  claimAsShown({ leg, parked }: LegSnapshot, role: LegRole | undefined): void {
    if (role === undefined) return;
    if (parked) this.claim(leg, role);
    else this.#disarm(leg);
  }

  /** It is not ordered again for one who was parked and claimed meanwhile. */
  #disarm(leg: LegId): void {
    this.#disarming.add(leg);
    this.#run('disarming', leg, attempts, () =>
      this.#disarming.has(leg) ? this.#telephone.disarm(leg) : Promise.resolve(ok(undefined)),
    )
      .catch((error: unknown) => this.#log.error({ leg, error: errorChain(error) }, 'disarming failed'))
      .finally(() => this.#disarming.delete(leg));
  }

  /**
   * A new caller is the dialplan's after 4 s: when the claim may have come later than that, he is taken back. What
   * counts is when its answer came, for a slow link keeps a claim that was sent in time.
   */
  claimNew(leg: LegId, sinceMs: number): void {
    this.#once('claim', leg, async () => {
      const reply = await this.#telephone.claim(leg, 'citizen');
      const late = reply.ok ? this.#options.clock.now() - sinceMs > lateArrivalMs : reply.error.kind === 'deadline';
      if (late) this.bringBack(leg);
      return reply;
    });
  }

  /** Ends a leg that nobody owns; one that has gone meanwhile is no news. */
  letGo(leg: LegId): void {
    this.#repeat('hang-up of a stray leg', leg, () => this.#telephone.hangup(leg, 'NORMAL_CLEARING'));
  }

  /** A caller for whom there is no room at all hears the busy tone (486). */
  refuse(leg: LegId): void {
    this.#repeat('refusal', leg, () => this.#telephone.hangup(leg, 'USER_BUSY'));
  }

  /** A phone that may not call hears so (403). */
  bar(leg: LegId): void {
    this.#repeat('refusal', leg, () => this.#telephone.hangup(leg, 'OUTGOING_CALL_BARRED'));
  }

  /** Parks a leg that is nowhere that control knows of: with the dialplan's own treatment, or lost between two bridges. */
  bringBack(leg: LegId): void {
    this.#repeat('park', leg, () => this.#telephone.park(leg, false));
  }

  #once(what: string, leg: LegId, command: () => SwitchReply): void {
    this.#try(what, leg, 1, command);
  }

  #repeat(what: string, leg: LegId, command: () => SwitchReply): void {
    this.#try(what, leg, attempts, command);
  }

  #try(what: string, leg: LegId, most: number, command: () => SwitchReply): void {
    this.#run(what, leg, most, command).catch((error: unknown) =>
      this.#log.error({ leg, error: errorChain(error) }, `${what} failed`),
    );
  }

  async #run(what: string, leg: LegId, most: number, command: () => SwitchReply): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await command();
      if (reply.ok || reply.error.kind === 'gone') return;
      this.#log.warn({ leg, attempt, error: reply.error.message }, `${what} failed`);
      if (reply.error.kind !== 'deadline' || attempt >= most) return;
    }
  }
}
