import type { Clock, Timer } from '../kernel/clock.ts';
import type { LegSnapshot, Sound, SwitchEvent } from '../switch/port.ts';

/**
 * Where a leg is on the simulated switch. `moving`: between two dialplan places; `bridging`: the bridge was promised
 * but isn't there yet; `limbo`: the partner went in that very moment, nobody hears anything and no event tells;
 * `fallback`: the dialplan treats the caller.
 */
export type LegPlace =
  | 'dialling'
  | 'ringing'
  | 'parked'
  | 'moving'
  | 'bridging'
  | 'bridged'
  | 'conference'
  | 'supervising'
  | 'limbo'
  | 'fallback';

/** What plays on a leg. */
export interface Playing {
  readonly playId: string;
  readonly forever: boolean;
  readonly sounds: readonly Sound[];
  timer: Timer | undefined;
}

/** One leg of the simulated switch. */
export interface SimLeg {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly role: 'citizen' | 'agent' | 'subcentre' | 'supervisor';
  /** Control names it for a line that a phone has made. */
  callId: string | undefined;
  /** The phone or number at its far end. */
  readonly party: string;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly dialledNumber: string;
  readonly createdAtMs: number;
  answered: boolean;
  /** What it says before it answers is wanted; and is heard. */
  hearsEarly: boolean;
  early: boolean;
  ended: boolean;
  place: LegPlace;
  placeSinceMs: number;
  /** Counts the moves, so that one that was overtaken by another does nothing. */
  move: number;
  partner: SimLeg | undefined;
  /** While `bridging`: whether this is the leg that the command named first. */
  bridgesFirst: boolean;
  conference: string | undefined;
  supervising: LegSnapshot['supervising'];
  playing: Playing | undefined;
  /** The phone whose REFER sent it away, and waits to be told. */
  referral: SimLeg | undefined;
  /** While it is where that REFER has sent it. */
  referred: LegSnapshot['referred'];
  /** A call that a phone has made itself, and that nobody has taken. */
  dialled: boolean;
  /** A phone may put together whom this leg and another one of its talk to. */
  transferable: boolean;
  /** The dialplan's own ways out that are armed. */
  readonly fallbacks: Set<Timer>;
  /** They were disarmed by an order into a conversation that came to nothing. */
  disarmedInVain: boolean;
  /** Timers that end with the leg or its place. */
  readonly timers: Set<Timer>;
}

/** What is known of a leg before it exists. */
export type NewLeg = Pick<
  SimLeg,
  'id' | 'direction' | 'role' | 'callId' | 'party' | 'callerNumber' | 'callerName' | 'dialledNumber'
>;

export function newLeg(leg: NewLeg, nowMs: number): SimLeg {
  return {
    ...leg,
    createdAtMs: nowMs,
    answered: false,
    hearsEarly: false,
    early: false,
    ended: false,
    place: 'dialling',
    placeSinceMs: nowMs,
    move: 0,
    partner: undefined,
    bridgesFirst: false,
    conference: undefined,
    supervising: undefined,
    playing: undefined,
    referral: undefined,
    referred: undefined,
    dialled: false,
    transferable: false,
    fallbacks: new Set(),
    disarmedInVain: false,
    timers: new Set(),
  };
}

/** The leg as the switch's own list shows it. */
export function snapshotOf(leg: SimLeg): LegSnapshot {
  return {
    leg: leg.id,
    direction: leg.direction,
    role: leg.role,
    callId: leg.callId,
    answered: leg.answered,
    parked: leg.place === 'parked',
    bridgedTo: leg.place === 'bridged' ? leg.partner?.id : undefined,
    conference: leg.conference,
    supervising: leg.supervising,
    referred: leg.referred,
    callerNumber: leg.callerNumber,
    callerName: leg.callerName,
    dialledNumber: leg.dialledNumber,
    createdAtMs: leg.createdAtMs,
  };
}

/** What control's `sched_del` does: the dialplan's own way out is not taken any more. */
export function disarmFallbacks(leg: SimLeg): void {
  for (const timer of leg.fallbacks) timer.cancel();
  leg.fallbacks.clear();
  leg.disarmedInVain = false;
}

export function clearTimers(leg: SimLeg): void {
  for (const timer of leg.timers) timer.cancel();
  leg.timers.clear();
}

/** That it is parked, as the switch tells it. */
export function parkOf(leg: SimLeg, atMs: number): SwitchEvent {
  const { direction, role, callId, answered, callerNumber, callerName, dialledNumber } = leg;
  const told = { direction, role, callId, answered, callerNumber, callerName, dialledNumber };
  const dialledBy = leg.dialled ? leg.party : undefined;
  return {
    type: 'legParked',
    leg: leg.id,
    atMs,
    ...told,
    sourceAddress: '192.0.2.1',
    referred: leg.referred,
    dialledBy,
  };
}

/** A leg's end, as the switch tells it. */
export function endOf(leg: string, atMs: number, cause: string, endedBy: 'phone' | 'switch' | 'unknown'): SwitchEvent {
  return { type: 'legEnded', leg, atMs, cause, q850: undefined, sipStatus: undefined, endedBy };
}

/** A timer of a leg that has not ended by then; it is kept among `timers` until it runs. */
export function whileThere(leg: SimLeg, timers: Set<Timer>, clock: Clock, delayMs: number, run: () => void): void {
  const timer: Timer = clock.setTimer(delayMs, () => {
    timers.delete(timer);
    if (!leg.ended) run();
  });
  timers.add(timer);
}
