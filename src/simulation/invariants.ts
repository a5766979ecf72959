import type { DeskRequest } from '../desk/protocol.ts';
import { type Call, type CallEvent, deskCommands } from '../domain/call/call.ts';
import type { DeskOutcome } from '../services/desk/outcome.ts';
import { conditions } from './conditions.ts';
import type { SimulatedControl } from './control.ts';
import type { PhoneSide } from './nodes.ts';
import type { SimulatedStore } from './store.ts';
import type { LegPlace, SimLeg } from './switch-legs.ts';

/** What must never be, and was. */
export interface Violation {
  readonly rule: string;
  readonly detail: string;
  readonly about: readonly string[];
}

/** Our own mistakes, as the log words them. */
const ourFault = [
  'no row for this event',
  'a step of the call failed',
  'a call observer failed',
  'delivering a reservation failed',
  'event refused',
] as const;

const checkEveryMs = 250;
/** An order that failed is followed by one that arms anew. */
const withoutWayOutMs = 15_000;

/** Looks at the world after every step, and listens to what the calls tell. */
export class Invariants {
  readonly #store: SimulatedStore;
  readonly #core: Pick<PhoneSide, 'leg' | 'legs'>;
  readonly #now: () => number;
  readonly #since = new Map<string, number>();
  /** When each call joined the queue first, as the store has seen it. */
  readonly #joined = new Map<string, number>();
  readonly #pressed = new Map<string, number>();
  /** Callers beyond the limit of live calls. */
  readonly #turnedAway = new Set<string>();
  /** The legs that each call has had, and the calls of each leg. */
  readonly #related = new Map<string, Set<string>>();
  readonly #violations: Violation[] = [];
  #checkedAtMs = 0;
  #waysOutAtMs = 0;
  /** Parked legs without a way out, and since when. */
  readonly #noWayOut = new Map<string, number>();

  constructor(store: SimulatedStore, core: Pick<PhoneSide, 'leg' | 'legs'>, now: () => number) {
    this.#store = store;
    this.#core = core;
    this.#now = now;
  }

  /** The first thing that is wrong. */
  get violation(): Violation | undefined {
    return this.#violations[0];
  }

  add(rule: string, detail: string, about: readonly string[]): void {
    const related = about.flatMap((name) => [...(this.#related.get(name) ?? [])]);
    this.#violations.push({ rule, detail, about: [...new Set([...about, ...related])] });
  }

  /** @param calmSinceMs since when nothing has gone wrong around control: bounds count from then. */
  check(control: SimulatedControl, calmSinceMs: number): void {
    this.#checkAgents(control);
    const nowMs = this.#now();
    if (nowMs - this.#checkedAtMs < checkEveryMs) return;
    this.#checkedAtMs = nowMs;
    const present = new Set<string>();
    for (const { rule, key, detail, boundMs, about } of conditions(control, this.#core, this.#store, nowMs)) {
      const name = `${rule}: ${key}`;
      present.add(name);
      const sinceMs = this.#since.get(name) ?? nowMs;
      this.#since.set(name, sinceMs);
      const lastedMs = nowMs - Math.max(sinceMs, calmSinceMs);
      if (lastedMs > boundMs) this.add(rule, `${detail}, for ${lastedMs} ms`, about);
    }
    for (const name of this.#since.keys()) if (!present.has(name)) this.#since.delete(name);
  }

  /**
   * Whoever waits has a way out that goes off by itself, whether control lives or not. One exception: what an order that
   * came late and to nothing has disarmed, control arms at its next renewal; so the time does not count in which control
   * lives and can order nothing.
   * @param waitsForLink control lives and has no way to the switch
   */
  checkWaysOut(waitsForLink: boolean): void {
    const nowMs = this.#now();
    if (nowMs - this.#waysOutAtMs < checkEveryMs) return;
    this.#waysOutAtMs = nowMs;
    for (const leg of this.#core.legs()) {
      const waits = leg.place === 'parked' && leg.fallbacks.size + leg.timers.size === 0;
      if (!waits) this.#noWayOut.delete(leg.id);
      else if (!this.#noWayOut.has(leg.id) || (waitsForLink && leg.disarmedInVain)) this.#noWayOut.set(leg.id, nowMs);
      else if (nowMs - (this.#noWayOut.get(leg.id) ?? nowMs) > withoutWayOutMs)
        this.add('whoever waits has a way out', `the ${leg.role}’s leg is parked and nothing is armed`, [leg.id]);
    }
  }

  /** After everybody has hung up and time has passed: nothing is left. */
  checkNothingLeft(control: SimulatedControl): void {
    const rule = 'nothing is left when everybody has gone';
    for (const call of control.runtime.all()) this.add(rule, `live call in ${call.state}`, [call.id, call.citizenLeg]);
    for (const leg of this.#core.legs()) this.add(rule, `${leg.role}’s leg, ${leg.place}`, [leg.id, leg.callId ?? '']);
    for (const seat of control.seats.all()) {
      if (seat.reservation !== null) this.add(rule, `reservation of ${seat.name}`, [seat.personId]);
      const stored = this.#store.seats.get(seat.personId);
      if (stored?.status === seat.status) continue;
      this.add('seats are stored as they are', `${seat.name}: ${stored?.status}, not ${seat.status}`, [seat.personId]);
    }
    for (const held of this.#store.reservations.values()) {
      if (held.leaseUntilMs > this.#now()) this.add(rule, 'stored reservation', [held.personId, held.callId]);
    }
    for (const call of this.#store.calls.values()) {
      if (call.state !== 'ended') this.add(rule, `stored call in ${call.state}`, [call.id, call.citizenLeg]);
    }
    if (control.dispatcher.waiting > 0) this.add(rule, `${control.dispatcher.waiting} in the queue`, []);
    if (control.writer.backlog > 0) this.add(rule, `${control.writer.backlog} records not stored`, []);
    const timers = control.clock.waiting - control.telephone.idleTimers;
    if (timers > 0) this.add(rule, `${timers} timers`, []);
    this.#joined.clear();
    this.#related.clear();
    this.#turnedAway.clear();
    this.#pressed.clear();
    this.#noWayOut.clear();
  }

  /** The journal tells each stored call's way from the beginning to where it is. */
  checkJournal(): void {
    const rule = 'the journal rebuilds the state';
    for (const call of this.#store.calls.values()) {
      const entries = this.#store.journal.get(call.id) ?? [];
      const about = [call.id, call.citizenLeg];
      const last = entries.at(-1);
      if (last?.toState !== call.state)
        this.add(rule, `journal ends in ${last?.toState}, call in ${call.state}`, about);
      entries.forEach((entry, index) => {
        const before = index === 0 ? 'new' : entries[index - 1]?.toState;
        if (entry.position === index && entry.fromState === before) return;
        this.add(rule, `line ${entry.position} (${index}) goes from ${entry.fromState} after ${before}`, about);
      });
    }
  }

  /** Somebody's way out went off. */
  fellBack(leg: SimLeg, from: LegPlace, calmForMs: number): void {
    if (from === 'bridged' || from === 'conference')
      this.add('nobody is torn out of a conversation', `the dialplan took a ${leg.role} who was ${from}`, [leg.id]);
    // Beyond the limit of live calls that is the plan.
    if (leg.role === 'citizen' && calmForMs > 25_000 && !this.#turnedAway.has(leg.id))
      this.add('control takes every caller', 'a caller fell back to the dialplan', [leg.id]);
  }

  logged(level: string, message: string, about: readonly string[]): void {
    if (message.startsWith('call not taken')) for (const leg of about) this.#turnedAway.add(leg);
    if (level === 'error' && ourFault.some((fault) => message.startsWith(fault)))
      this.add('control makes no mistake it knows of', message, about);
  }

  /** Desk commands that changed a call must have been answered with done. */
  pressed(request: DeskRequest, outcome: DeskOutcome | 'failed' | undefined): void {
    if (!('callId' in request) || !isDeskCommand(eventOf(request.do))) return;
    const key = `${request.callId} ${eventOf(request.do)}`;
    if (outcome === undefined) this.#pressed.set(key, (this.#pressed.get(key) ?? 0) + 1);
    else if (outcome === 'failed' || !outcome.ok) this.#acted(request.callId, eventOf(request.do));
  }

  /** A step of a call, as the control that leads tells it. */
  onCall(before: Call | undefined, after: Call, event: CallEvent | undefined): void {
    const about = [after.id, after.citizenLeg];
    this.#relate(after);
    const stored = this.#store.calls.get(after.id)?.queuedAtMs;
    const joined = this.#joined.get(after.id) ?? before?.queuedAtMs ?? stored ?? undefined;
    if (joined !== undefined && after.queuedAtMs !== joined)
      this.add('who waits keeps the first join time', `${joined} became ${after.queuedAtMs}`, about);
    if (stored !== undefined && stored !== null) this.#joined.set(after.id, stored);
    if (after.state === 'ended' && (after.endClass === null || after.endReason === null || after.endedAtMs === null))
      this.add('an ended call has class and reason', JSON.stringify(after), about);
    if (event !== undefined && isDeskCommand(event.type)) this.#acted(after.id, pressedAs(event.type));
  }

  /** Each request that was pressed is worth one change or one refusal, never both. */
  #acted(callId: string, command: string): void {
    const key = `${callId} ${command}`;
    const left = (this.#pressed.get(key) ?? 0) - 1;
    this.#pressed.set(key, left);
    if (left < 0) this.add('a refused desk action changes nothing', command, [callId]);
  }

  #relate(call: Call): void {
    const lines = [call.agent?.leg, call.agent?.otherLine?.leg];
    for (const leg of [call.citizenLeg, ...lines, call.consult?.leg, call.supervisor?.leg]) {
      if (leg === undefined) continue;
      for (const [one, other] of [[call.id, leg] as const, [leg, call.id] as const]) {
        const others = this.#related.get(one) ?? new Set();
        this.#related.set(one, others.add(other));
      }
    }
  }

  #checkAgents(control: SimulatedControl): void {
    const held = new Map<string, string>();
    for (const { id, agent } of control.runtime.all()) {
      if (agent === null) continue;
      const other = held.get(agent.personId);
      if (other !== undefined) this.add('no two calls have one agent', agent.name, [other, id]);
      held.set(agent.personId, id);
    }
  }
}

const isDeskCommand = (type: string): boolean => (deskCommands as readonly string[]).includes(type);
/** One button begins to listen and changes the mode. */
const pressedAs = (event: string): string => (event === 'superviseMode' ? 'supervise' : event);
const eventOf = (request: DeskRequest['do']): string => (request === 'transfer' ? 'consult' : request);
