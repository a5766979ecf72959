/** A seat: who may get a call now, and what follows when his part of a call is over. Pure. */
import type { SeatOutcome } from '../call/call.ts';

/** What the agent chose, or what followed; `reserved` and `busy` are seen from the reservation, not stored. */
export type SeatStatus = 'offline' | 'ready' | 'break' | 'wrapUp';

export interface Seat {
  readonly personId: string;
  readonly name: string;
  readonly extension: string;
  readonly status: SeatStatus;
  readonly reason: string | null;
  readonly sinceMs: number;
  /** The longest-idle seat gets the next call. Kept through offers that the agent did not cause to fail. */
  readonly idleSinceMs: number;
  readonly wrapUpEndsAtMs: number | null;
  readonly phoneRegistered: boolean;
  /** A desk page is connected, or was a moment ago. */
  readonly deskPresent: boolean;
  /** A phone that failed is not rung again before this time. */
  readonly phoneRestUntilMs: number;
  readonly reservation: SeatReservation | null;
}

export interface SeatReservation {
  readonly callId: string;
  readonly leg: string;
  readonly fencingToken: string;
  readonly answered: boolean;
}

export interface SeatSettings {
  readonly wrapUpMs: number;
  readonly phoneRestMs: number;
}

/** Whether the seat may be offered a call now. The phone and the page decide, not the wish alone. */
export function isAvailable(seat: Seat, nowMs: number): boolean {
  return (
    seat.status === 'ready' &&
    seat.phoneRegistered &&
    seat.deskPresent &&
    seat.reservation === null &&
    seat.phoneRestUntilMs <= nowMs
  );
}

/** The agent's own choice. During wrap-up `ready` ends it; a call that is on stays on. */
export function chooseStatus(
  seat: Seat,
  status: 'ready' | 'break' | 'offline',
  reason: string | null,
  nowMs: number,
): Seat {
  const idleSinceMs = status === 'ready' && seat.status !== 'ready' ? nowMs : seat.idleSinceMs;
  return { ...seat, status, reason, sinceMs: nowMs, idleSinceMs, wrapUpEndsAtMs: null };
}

/** One row for each way in which an agent's part of a call can end. */
const afterCall: Readonly<Record<SeatOutcome, (seat: Seat, nowMs: number, settings: SeatSettings) => Seat>> = {
  talked: (seat, nowMs, settings) => ({
    ...seat,
    // A break that was asked for during the call begins after the wrap-up's worth of work is done by choice.
    status: seat.status === 'ready' ? 'wrapUp' : seat.status,
    sinceMs: nowMs,
    wrapUpEndsAtMs: seat.status === 'ready' ? nowMs + settings.wrapUpMs : null,
  }),
  callerGone: (seat) => seat,
  noAnswer: (seat, nowMs) => ({ ...seat, status: 'break', reason: '未应答', sinceMs: nowMs }),
  rejected: (seat, nowMs) => ({ ...seat, status: 'break', reason: '拒接', sinceMs: nowMs }),
  phoneFault: (seat, nowMs, settings) => ({ ...seat, phoneRestUntilMs: nowMs + settings.phoneRestMs }),
};

/** Gives the seat back after a call. */
export function releaseSeat(seat: Seat, outcome: SeatOutcome, nowMs: number, settings: SeatSettings): Seat {
  return { ...afterCall[outcome](seat, nowMs, settings), reservation: null };
}

/** The wrap-up's time is over: ready again. */
export function endWrapUp(seat: Seat, nowMs: number): Seat {
  if (seat.status !== 'wrapUp') return seat;
  return { ...seat, status: 'ready', reason: null, sinceMs: nowMs, idleSinceMs: nowMs, wrapUpEndsAtMs: null };
}
