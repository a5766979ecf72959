import type { Clock, Timer } from '../kernel/clock.ts';
import { ok } from '../kernel/result.ts';
import type { LegId, LegRole, SwitchReply } from './port.ts';

/** What the ways out need of the switch; each leaves at most one armed. */
export interface WayOutCommands {
  /** In place of what was armed: after the delay the dialplan treats the leg by its role. */
  arm(leg: LegId, role: LegRole): SwitchReply;
  /** Nothing is armed any more. */
  disarm(leg: LegId): SwitchReply;
}

interface Armed {
  readonly role: LegRole;
  renewal: Timer | undefined;
}

/** A command takes its deadline to fail, and the dialplan's own time is 20 s. */
const attempts = 4;
/** A renewal may be lost, and the next one late. */
const renewalsPerDelay = 3;
/**
 * The first renewal comes soon: an order into a conversation that was given before (over a link that broke, or by a
 * process that died) may be carried out behind the claim, disarm the leg and then fail, of which nothing tells.
 */
const firstRenewalMs = 5_000;
/** What the switch does of its own accord takes it a moment, and a lost command its deadline. */
const togetherWithinMs = 5_000;

/**
 * The ways out of those who wait for control. Whoever is parked has one armed on the switch, and control puts it off
 * while it lives; when control is gone, the switch itself takes him to the dialplan's answer. Whoever is taken into a
 * conversation has none, so that nobody is ever torn out of one.
 *
 * Owned here: which legs are to be put off, as this process has ordered it. The task itself is the switch's.
 */
export class WaysOut {
  readonly #commands: WayOutCommands;
  readonly #clock: Clock;
  readonly #renewEveryMs: number;
  readonly #firstRenewalMs: number;
  readonly #legs = new Map<LegId, Armed>();
  /** When the switch parked each leg last, by its own clock. */
  readonly #parkedAtMs = new Map<LegId, number>();
  /** Legs that were sent into a conversation and not parked since. */
  readonly #sentAway = new Set<LegId>();
  /** Legs that the switch may put together; what is done if it doesn't. */
  readonly #perhaps = new Map<LegId, Timer>();

  /** @param delayS after so many seconds without control the dialplan treats a leg */
  constructor(commands: WayOutCommands, clock: Clock, delayS: number) {
    this.#commands = commands;
    this.#clock = clock;
    this.#renewEveryMs = (delayS * 1000) / renewalsPerDelay;
    this.#firstRenewalMs = Math.min(firstRenewalMs, this.#renewEveryMs);
  }

  /** Legs that are put off. */
  get size(): number {
    return this.#legs.size;
  }

  /** The switch has parked a leg. The same park may be told twice: by its event, and by a snapshot before it. */
  parked(leg: LegId, atMs: number): void {
    if (atMs <= (this.#parkedAtMs.get(leg) ?? 0)) return;
    this.#parkedAtMs.set(leg, atMs);
    this.#sentAway.delete(leg);
  }

  /** A snapshot is about to be told: what it shows counts, not what was ordered before it. */
  looksAnew(): void {
    this.#sentAway.clear();
  }

  /**
   * A leg is in a conversation. One that was claimed all the same was sent there by an earlier process, behind its
   * snapshot; unless this is late news, told with the other leg's events, and it was parked since.
   */
  joined(leg: LegId, atMs: number): void {
    this.#isDecided(leg);
    if (this.#legs.has(leg) && !this.#parkedSince(leg, atMs)) void this.#disarmJoined(leg, atMs);
  }

  /** Without an answer it is ordered again, unless the leg waits once more: who talks must not be taken out of it. */
  async #disarmJoined(leg: LegId, atMs: number): Promise<void> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const reply = await this.disarm(leg);
      const unanswered = !reply.ok && reply.error.kind === 'deadline';
      if (!unanswered || this.#legs.has(leg) || this.#parkedSince(leg, atMs)) return;
    }
  }

  #parkedSince(leg: LegId, atMs: number): boolean {
    return (this.#parkedAtMs.get(leg) ?? 0) > atMs;
  }

  /**
   * Arms the leg's way out, and puts it off from now on. Without an answer it is ordered again. A claim that follows from
   * a park before the leg was sent into a conversation comes too late: it would arm one who talks.
   */
  claim(leg: LegId, role: LegRole): SwitchReply {
    if (this.#sentAway.has(leg)) return Promise.resolve(ok(undefined));
    this.forget(leg);
    const armed: Armed = { role, renewal: undefined };
    this.#legs.set(leg, armed);
    return this.#arm(leg, armed, this.#firstRenewalMs);
  }

  /** Disarms it, e.g. of a leg that is found in a conversation. */
  disarm(leg: LegId): SwitchReply {
    this.#isDecided(leg);
    this.forget(leg);
    return this.#commands.disarm(leg);
  }

  /**
   * Sends legs into a conversation.
   * @param command disarms and moves them, in one go: between the two nothing may get lost
   * @returns its reply; legs that the switch has not moved wait on, and get their way out back
   */
  async moving(legs: readonly LegId[], command: () => SwitchReply): SwitchReply {
    const waited = legs.map((leg) => ({ leg, role: this.#legs.get(leg)?.role }));
    for (const leg of legs) {
      this.#isDecided(leg);
      this.forget(leg);
      this.#sentAway.add(leg);
    }
    const reply = await command();
    if (reply.ok || (reply.error.kind !== 'refused' && reply.error.kind !== 'gone')) return reply;
    for (const leg of legs) this.#sentAway.delete(leg);
    for (const { leg, role } of waited) if (role !== undefined && !this.#legs.has(leg)) void this.claim(leg, role);
    return reply;
  }

  /**
   * Asks the switch to put legs together of its own accord, which it may not do, and then says nothing: whoever is not
   * in a conversation soon waits on, and gets his way out back.
   * @param command as for `moving`
   */
  movingPerhaps(legs: readonly LegId[], command: () => SwitchReply): SwitchReply {
    const waited = legs.map((leg) => ({ leg, role: this.#legs.get(leg)?.role }));
    const moved = this.moving(legs, command);
    for (const { leg, role } of waited) if (role !== undefined) this.#perhaps.set(leg, this.#unlessJoined(leg, role));
    return moved;
  }

  #unlessJoined(leg: LegId, role: LegRole): Timer {
    return this.#clock.setTimer(togetherWithinMs, () => {
      this.#perhaps.delete(leg);
      this.#sentAway.delete(leg);
      if (!this.#legs.has(leg)) void this.claim(leg, role);
    });
  }

  #isDecided(leg: LegId): void {
    this.#perhaps.get(leg)?.cancel();
    this.#perhaps.delete(leg);
  }

  ended(leg: LegId): void {
    this.#isDecided(leg);
    this.forget(leg);
    this.#parkedAtMs.delete(leg);
    this.#sentAway.delete(leg);
  }

  /** The leg is the dialplan's already. */
  forget(leg: LegId): void {
    this.#legs.get(leg)?.renewal?.cancel();
    this.#legs.delete(leg);
  }

  /** The link is down: nothing can be put off. What the snapshot of the next link shows is claimed anew. */
  forgetAll(): void {
    for (const leg of [...this.#legs.keys()]) this.forget(leg);
    for (const leg of [...this.#perhaps.keys()]) this.#isDecided(leg);
    this.#parkedAtMs.clear();
    this.#sentAway.clear();
  }

  async #arm(leg: LegId, armed: Armed, againInMs: number): SwitchReply {
    armed.renewal?.cancel();
    armed.renewal = this.#clock.setTimer(againInMs, () => void this.#arm(leg, armed, this.#renewEveryMs));
    for (let attempt = 1; ; attempt += 1) {
      const reply = await this.#commands.arm(leg, armed.role);
      if (this.#legs.get(leg) !== armed) return reply;
      if (!reply.ok && reply.error.kind === 'gone') this.forget(leg);
      if (reply.ok || reply.error.kind !== 'deadline' || attempt >= attempts) return reply;
    }
  }
}
