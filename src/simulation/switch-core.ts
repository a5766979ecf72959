import { err, ok, type Result } from '../kernel/result.ts';
import type {
  OriginateRequest,
  PlayRequest,
  SuperviseMode,
  SwitchEvent,
  SwitchFailure,
  SwitchSnapshot,
} from '../switch/port.ts';
import type { VirtualClock } from './clock.ts';
import type { Random } from './random.ts';
import { Conferences } from './switch-conferences.ts';
import {
  clearTimers,
  disarmFallbacks,
  endOf,
  type LegPlace,
  type NewLeg,
  newLeg,
  parkOf,
  type SimLeg,
  snapshotOf,
  whileThere,
} from './switch-legs.ts';
import type { CoreListener } from './switch-listener.ts';
import { Phones } from './switch-phones.ts';
import { Referrals } from './switch-referrals.ts';
import { Registrations } from './switch-registrations.ts';
import { SimSounds } from './switch-sounds.ts';

type Reply = Result<void, SwitchFailure>;

const arrivalFallbackMs = 4_000;
const parkedFallbackMs = 20_000;

const done: Reply = ok(undefined);
const gone = (leg: string): Reply => err({ kind: 'gone', message: `no such leg ${leg}` });

/**
 * The telephone switch itself, as docs/switch-contract.md describes it: legs, parks, bridges, conferences, playbacks
 * and the dialplan's own fallbacks. It never fails by itself; its faults are the link's and the phones'.
 */
export class SwitchCore {
  readonly phones: Phones;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #listener: CoreListener;
  readonly #referrals: Referrals;
  readonly #sounds: SimSounds;
  readonly #conferences: Conferences;
  readonly #legs = new Map<string, SimLeg>();
  readonly #registrations: Registrations;
  #startedAtMs: number | undefined = 0; // undefined while it is down

  constructor(clock: VirtualClock, random: Random, listener: CoreListener) {
    this.#clock = clock;
    this.#random = random;
    this.#listener = listener;
    this.#referrals = new Referrals(listener, (a, b) => this.bridge(a, b));
    this.#registrations = new Registrations(clock, (event) => listener.registration(event));
    this.#conferences = new Conferences(
      clock,
      () => this.legs(),
      (leg) => this.#goTo(leg, undefined),
    );
    this.phones = new Phones(clock, {
      add: (leg) => this.#add(leg),
      put: (leg, place) => this.#put(leg, place),
      tell: (event) => this.#tell(event),
      timer: (leg, delayMs, run) => this.#timer(leg, delayMs, run),
      park: (leg) => this.#enterPark(leg),
      end: (leg, cause) => this.end(leg, cause, 'switch'),
      part: (leg, other) => this.#part(leg, other),
      toParked: (leg) => this.#goTo(leg, undefined),
    });
    this.#sounds = new SimSounds(clock, { event: (event) => this.#tell(event), hears: listener.hears });
  }

  get running(): boolean {
    return this.#startedAtMs !== undefined;
  }

  legs(): SimLeg[] {
    return [...this.#legs.values()];
  }

  leg(id: string): SimLeg | undefined {
    return this.#legs.get(id);
  }

  /** Its own lists. Legs younger than `lagMs` are missing, as the list is written behind the events. */
  snapshot(lagMs: number): SwitchSnapshot {
    const isListed = (leg: SimLeg): boolean => this.#clock.now() - leg.createdAtMs >= lagMs;
    return {
      startedAtMs: this.#startedAtMs,
      legs: this.legs().filter(isListed).map(snapshotOf),
      registrations: this.#registrations.list(),
    };
  }

  /** Power cut: every leg is gone and nobody is told. */
  crash(): void {
    this.#startedAtMs = undefined;
    this.#registrations.clear();
    for (const leg of this.legs()) this.#remove(leg);
  }

  restart(): void {
    this.#startedAtMs = this.#clock.now();
  }

  // The phones' side: --------------------------------------------------------------------------------------------

  register(user: string): void {
    if (this.running) this.#registrations.add(user);
  }

  unregister(user: string): void {
    this.#registrations.remove(user);
  }

  /** A citizen dials a hotline number. Undefined when the switch is down. */
  citizenCalls(id: string, callerNumber: string, dialledNumber: string): SimLeg | undefined {
    if (!this.running) return undefined;
    const leg = this.#add({
      id,
      direction: 'inbound',
      role: 'citizen',
      callId: undefined,
      party: callerNumber,
      callerNumber,
      callerName: callerNumber,
      dialledNumber,
    });
    this.#armFallback(leg, arrivalFallbackMs);
    this.#enterPark(leg);
    return leg;
  }

  /** The phone sends its partner away (REFER): both wait, and unless control decides, they talk on. */
  refers(leg: SimLeg, number: string): boolean {
    const other = leg.place === 'bridged' ? leg.partner : undefined;
    if (leg.ended || other === undefined) return false;
    this.#part(leg, other);
    this.#enterPark(leg);
    this.#armFallback(leg, parkedFallbackMs);
    this.#referrals.begin(leg, other, number);
    this.#schedule(other, arrivalFallbackMs, () => {
      disarmFallbacks(leg);
      if (!this.#referrals.refuse(other)) this.#goTo(other, undefined);
    });
    this.#enterPark(other);
    return true;
  }

  presses(leg: SimLeg, digit: string): void {
    if (!leg.ended) this.#tell({ type: 'digit', leg: leg.id, atMs: this.#clock.now(), digit });
  }

  /** The leg ends; its partner, if it has one, is parked. */
  end(leg: SimLeg, cause: string, endedBy: 'phone' | 'switch' | 'unknown'): void {
    if (leg.ended) return;
    leg.ended = true;
    this.#leave(leg);
    this.#remove(leg);
    for (const other of this.legs()) if (other.supervising?.agentLeg === leg.id) this.#goTo(other, undefined);
    const event = endOf(leg.id, this.#clock.now(), cause, endedBy);
    // The end is told when the recording's file is whole.
    const delayMs = this.#random.chance(0.05) ? this.#random.between(50, 400) : this.#random.between(0, 20);
    this.#clock.setTimer(delayMs, () => this.#tell(event));
  }

  // Control's side, each carried out at once: ----------------------------------------------------------------------

  answer(id: string): Reply {
    return this.#with(id, (leg) => {
      if (!leg.answered) this.#answer(leg);
    });
  }

  hangup(id: string, cause: string): Reply {
    return this.#with(id, (leg) => this.end(leg, cause, 'switch'));
  }

  originate(request: OriginateRequest): Reply {
    const { leg: id, target, role, callId, callerNumber, callerName, ringTimeoutMs } = request;
    if (this.#legs.has(id)) return err({ kind: 'refused', message: 'this leg is there already' });
    const party = target.kind === 'gateway' ? target.number : target.user;
    if (target.kind === 'phone' && !this.#registrations.has(party)) {
      // Made no leg: the adapter tells its end by the job's result.
      this.#tell(endOf(id, this.#clock.now(), 'USER_NOT_REGISTERED', 'unknown'));
      return done;
    }
    const leg = this.#add({
      id,
      direction: 'outbound',
      role,
      callId,
      party,
      callerNumber,
      callerName,
      dialledNumber: party,
    });
    leg.hearsEarly = request.earlyMedia === true;
    this.#timer(leg, ringTimeoutMs, () => this.end(leg, 'NO_ANSWER', 'switch'));
    this.#listener.rings(leg);
    return done;
  }

  answerRefer(id: string, accepted: boolean): Reply {
    return this.#with(id, (leg) => {
      if (accepted) this.#referrals.accept(leg);
      else this.#referrals.refuse(leg);
    });
  }

  takeLine(id: string, callId: string): Reply {
    return this.#with(id, (leg) => {
      leg.callId = callId;
      leg.dialled = false;
      if (!leg.answered) this.#answer(leg);
    });
  }

  attendedTransfer(id: string, allowed: boolean): Reply {
    return this.#with(id, (leg) => {
      leg.transferable = allowed;
    });
  }

  bridge(idA: string, idB: string): Reply {
    const a = this.#legs.get(idA);
    const b = this.#legs.get(idB);
    if (a === undefined || b === undefined) return gone(a === undefined ? idA : idB);
    if (a === b || !this.#canTalk(a) || !this.#canTalk(b)) return err({ kind: 'refused', message: 'can’t be bridged' });
    if (a.place === 'bridged' && a.partner === b) return done;
    this.#leave(a);
    this.#leave(b);
    this.#referrals.accept(a);
    this.#referrals.accept(b);
    for (const [leg, partner] of [[a, b] as const, [b, a] as const]) {
      this.#put(leg, 'bridging');
      leg.partner = partner;
      leg.bridgesFirst = leg === a;
    }
    const move = a.move;
    this.#clock.setTimer(this.#random.between(5, 30), () => {
      if (a.ended || a.move !== move || a.place !== 'bridging') return;
      for (const leg of [a, b]) {
        this.#put(leg, 'bridged');
        if (!leg.answered) this.#answer(leg);
      }
      this.#tell({ type: 'legBridged', leg: a.id, other: b.id, atMs: this.#clock.now() });
    });
    return done;
  }

  park(id: string, both: boolean): Reply {
    return this.#move(id, both, undefined);
  }

  join(id: string, conference: string, both: boolean): Reply {
    return this.#move(id, both, conference);
  }

  /** The place tells first and looks for the agent's leg then, as the dialplan does. */
  supervise(id: string, agentLeg: string, mode: SuperviseMode): Reply {
    return this.#with(id, (leg) => {
      if (!this.#canTalk(leg)) return;
      this.#onTheWay(leg, () => {
        this.#put(leg, 'supervising');
        leg.supervising = { agentLeg, mode };
        this.#tell({ type: 'supervising', leg: id, atMs: this.#clock.now(), agentLeg, mode });
        if (!this.#legs.has(agentLeg)) this.#goTo(leg, undefined);
      });
    });
  }

  /** Control's way out for a leg, in place of what was armed. */
  armWayOut(id: string, delayMs: number): Reply {
    return this.#with(id, (leg) => this.#armFallback(leg, delayMs));
  }

  disarm(id: string): Reply {
    return this.#with(id, disarmFallbacks);
  }

  play(request: PlayRequest): Reply {
    return this.#with(request.leg, (leg) => this.#sounds.play(leg, request));
  }

  stopPlaying(id: string): Reply {
    return this.#with(id, (leg) => this.#sounds.stop(leg, true));
  }

  /** Recordings are not simulated beyond their leg. */
  record(id: string): Reply {
    return this.#with(id, () => undefined);
  }

  // Within: -------------------------------------------------------------------------------------------------------
  #with(id: string, act: (leg: SimLeg) => void): Reply {
    const leg = this.#legs.get(id);
    if (leg === undefined) return gone(id);
    act(leg);
    return done;
  }

  #add(leg: NewLeg): SimLeg {
    const added = newLeg(leg, this.#clock.now());
    this.#legs.set(leg.id, added);
    return added;
  }

  #remove(leg: SimLeg): void {
    leg.ended = true;
    clearTimers(leg);
    disarmFallbacks(leg);
    leg.playing?.timer?.cancel();
    leg.playing = undefined;
    this.#legs.delete(leg.id);
    this.#listener.ended(leg);
  }

  #tell(event: SwitchEvent): void {
    if (this.running) this.#listener.event(event);
  }

  #put(leg: SimLeg, place: LegPlace): void {
    leg.place = place;
    leg.placeSinceMs = this.#clock.now();
    leg.move += 1;
  }

  #answer(leg: SimLeg): void {
    if (leg.direction === 'outbound') return;
    leg.answered = true;
    this.#tell({ type: 'legAnswered', leg: leg.id, atMs: this.#clock.now() });
  }

  #canTalk(leg: SimLeg): boolean {
    return leg.answered || leg.early || leg.direction === 'inbound';
  }

  #move(id: string, both: boolean, conference: string | undefined): Reply {
    return this.#with(id, (leg) => {
      if (!this.#canTalk(leg)) return;
      const other = both && leg.place === 'bridged' ? leg.partner : undefined;
      if (other !== undefined) this.#part(leg, other);
      this.#goTo(leg, conference);
      if (other !== undefined) this.#goTo(other, conference);
    });
  }

  /** To a conference, or without one to `parked`. */
  #goTo(leg: SimLeg, conference: string | undefined): void {
    this.#onTheWay(leg, () => {
      if (conference === undefined) {
        this.#armFallback(leg, parkedFallbackMs);
        this.#enterPark(leg);
      } else this.#enterConference(leg, conference);
    });
  }

  /** Out of what it does. The leg's own thread takes a moment to get where it goes. */
  #onTheWay(leg: SimLeg, arrive: () => void): void {
    this.#leave(leg);
    if (leg.ended) return;
    this.#put(leg, 'moving');
    const { move } = leg;
    this.#clock.setTimer(this.#random.between(1, 25), () => {
      if (!leg.ended && leg.move === move) arrive();
    });
  }

  #enterPark(leg: SimLeg): void {
    this.#put(leg, 'parked');
    this.#tell(parkOf(leg, this.#clock.now()));
  }

  #enterConference(leg: SimLeg, conference: string): void {
    if (!leg.answered) this.#answer(leg);
    this.#put(leg, 'conference');
    leg.conference = conference;
    this.#tell({ type: 'conferenceJoined', leg: leg.id, atMs: this.#clock.now(), conference, memberId: leg.id });
  }

  /** Takes the leg out of what it does; a partner that stays behind goes on by itself. */
  #leave(leg: SimLeg): void {
    clearTimers(leg);
    this.#sounds.stop(leg, !leg.ended);
    const { partner, conference } = leg;
    leg.supervising = undefined;
    leg.referred = undefined;
    if (conference !== undefined) {
      leg.conference = undefined;
      this.#tell({ type: 'conferenceLeft', leg: leg.id, atMs: this.#clock.now(), conference });
      if (leg.role !== 'citizen') this.#conferences.left(conference);
    }
    if (partner === undefined) return;
    const wasBridged = leg.place === 'bridged';
    const first = leg.bridgesFirst;
    this.#part(leg, partner);
    if (wasBridged || !first) this.#goTo(partner, undefined);
    // The first leg went before the bridge stood: the second hears nothing and nobody is told.
    else this.#put(partner, 'limbo');
  }

  #part(leg: SimLeg, other: SimLeg): void {
    if (leg.place === 'bridged') this.#tell({ type: 'legUnbridged', leg: leg.id, atMs: this.#clock.now() });
    for (const one of [leg, other]) {
      one.partner = undefined;
      this.#put(one, 'moving');
    }
  }

  /** The dialplan treats the leg, wherever it is by then. */
  #armFallback(leg: SimLeg, delayMs: number): void {
    this.#schedule(leg, delayMs, () => {
      this.#listener.fellBack(leg, leg.place);
      this.#leave(leg);
      if (leg.role !== 'citizen') {
        this.end(leg, 'NORMAL_CLEARING', 'switch');
        return;
      }
      this.#put(leg, 'fallback');
      if (!leg.answered) this.#answer(leg);
      this.#tell({ type: 'legTreated', leg: leg.id, atMs: this.#clock.now() });
      this.#timer(leg, this.#random.between(5_000, 60_000), () => this.end(leg, 'NORMAL_CLEARING', 'switch'));
    });
  }

  /** `sched_transfer` in place of what was armed. */
  #schedule(leg: SimLeg, delayMs: number, run: () => void): void {
    disarmFallbacks(leg);
    whileThere(leg, leg.fallbacks, this.#clock, delayMs, run);
  }

  #timer(leg: SimLeg, delayMs: number, run: () => void): void {
    whileThere(leg, leg.timers, this.#clock, delayMs, run);
  }
}
