/** What the server has told this window, as one immutable value; every push makes the next one. */
import type { DeskCall, DeskPush, DraftView, LiveCallView, SeatStatusView, TodayCallView } from '@desk/protocol';

interface DeskPerson {
  readonly id: string;
  readonly name: string;
  readonly role: 'agent' | 'supervisor' | 'subcentre';
  readonly extension: string | null;
}

export interface DeskState {
  /** Undefined until the first snapshot. */
  readonly person: DeskPerson | undefined;
  readonly seat: SeatStatusView | undefined;
  /** The call of this desk; an ended one stays until the next, for the work after it. */
  readonly call: DeskCall | null;
  /** The server's draft of the call of this desk. */
  readonly draft: DraftView | null;
  readonly today: readonly TodayCallView[];
  /** All live calls, for supervisors. */
  readonly live: readonly LiveCallView[];
}

export const emptyDesk: DeskState = {
  person: undefined,
  seat: undefined,
  call: null,
  draft: null,
  today: [],
  live: [],
};

/** The desk after `push`. Notices change nothing. Applying the same push twice gives the same desk. */
export function applyPush(desk: DeskState, push: DeskPush): DeskState {
  switch (push.type) {
    case 'snapshot':
      return {
        person: push.person,
        seat: push.seat,
        call: push.call,
        draft: push.draft,
        today: push.today,
        live: push.live,
      };
    case 'seat':
      return { ...desk, seat: push.seat };
    case 'offer':
      return { ...desk, call: push.call, draft: push.draft };
    case 'call':
      return withCall(desk, push.call);
    case 'offerGone':
      return desk.call?.callId === push.callId ? { ...desk, call: null, draft: null } : desk;
    case 'draft':
      return isOfThisDesk(desk, push.draft) ? { ...desk, draft: push.draft } : desk;
    case 'today':
      return { ...desk, today: push.today };
    case 'live':
      return { ...desk, live: push.live };
    case 'notice':
      return desk;
  }
}

function withCall(desk: DeskState, call: DeskCall): DeskState {
  if (desk.call?.callId === call.callId) return { ...desk, call };
  // The late end of an earlier call must not push the present one off the desk.
  if (call.state === 'ended' && desk.call !== null && desk.call.state !== 'ended') return desk;
  return { ...desk, call, draft: null };
}

function isOfThisDesk(desk: DeskState, draft: DraftView): boolean {
  const callId = desk.call?.callId ?? desk.draft?.callId;
  return callId === undefined || callId === draft.callId;
}

/** True while a call is on this desk, ringing included. */
export function isLive(call: DeskCall | null): call is DeskCall {
  return call !== null && call.state !== 'ended';
}

/**
 * The call whose work-order form is on show after `push`. It stays after the call's end, until the next call.
 * @param shown the call whose form is on show now
 */
export function formCallAfter(push: DeskPush, shown: string | null): string | null {
  switch (push.type) {
    case 'snapshot':
      if (push.call?.as === 'agent') return push.call.callId;
      return push.draft?.callId ?? shown;
    case 'offer':
      return push.call.as === 'agent' ? push.call.callId : shown;
    case 'call':
      return push.call.as === 'agent' && isLive(push.call) ? push.call.callId : shown;
    case 'offerGone':
      return shown === push.callId ? null : shown;
    default:
      return shown;
  }
}

/** True when an ended call's work is done (order saved, seat freed) and the desk may show that it waits again. */
export function isDeskDone(desk: DeskState, order: { orderId: string | null; dirty: boolean } | null): boolean {
  if (isLive(desk.call) || order === null || order.orderId === null || order.dirty) return false;
  const status = desk.seat?.status;
  return status === 'ready' || status === 'break' || status === 'offline';
}
