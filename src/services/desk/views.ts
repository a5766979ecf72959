import type {
  CardView,
  DeskAction,
  DeskCall,
  LiveCallView,
  SeatStatusView,
  TodayCallView,
} from '../../desk/protocol.ts';
import type { Seat } from '../../domain/acd/seat.ts';
import type { Call, CallState, Role } from '../../domain/call/call.ts';
import type { CallerHistory, Person, TodayCall } from '../ports.ts';

/** What the views need besides calls and seats. */
export interface ViewContext {
  /** The number as this person may see it. */
  readonly maskFor: (role: Person['role'], number: string) => string;
  readonly hotlineName: (number: string) => string;
  readonly queueName: (queue: string) => string;
}

const emptyHistory: CallerHistory = { earlierCalls: [], openOrders: [] };

/** The desk's word for a call's state, from the agent's and from the sub-centre's chair. */
const deskState: Readonly<Record<CallState, { agent: DeskCall['state']; subcentre: DeskCall['state'] }>> = {
  answering: { agent: 'ringing', subcentre: 'ringing' },
  flow: { agent: 'ringing', subcentre: 'ringing' },
  waiting: { agent: 'ringing', subcentre: 'ringing' },
  offering: { agent: 'ringing', subcentre: 'ringing' },
  connecting: { agent: 'talking', subcentre: 'ended' },
  talking: { agent: 'talking', subcentre: 'ended' },
  holding: { agent: 'held', subcentre: 'ended' },
  held: { agent: 'held', subcentre: 'ended' },
  consultRinging: { agent: 'consultRinging', subcentre: 'ringing' },
  consultConnecting: { agent: 'consultRinging', subcentre: 'consulting' },
  consulting: { agent: 'consulting', subcentre: 'consulting' },
  joining: { agent: 'threeWay', subcentre: 'threeWay' },
  threeWay: { agent: 'threeWay', subcentre: 'threeWay' },
  transferConnecting: { agent: 'consulting', subcentre: 'talking' },
  withSubcentre: { agent: 'ended', subcentre: 'talking' },
  agentWithSubcentre: { agent: 'consulting', subcentre: 'consulting' },
  rejoining: { agent: 'talking', subcentre: 'ended' },
  separated: { agent: 'ended', subcentre: 'ended' },
  rating: { agent: 'ended', subcentre: 'ended' },
  closing: { agent: 'ended', subcentre: 'ended' },
  ending: { agent: 'ended', subcentre: 'ended' },
  ended: { agent: 'ended', subcentre: 'ended' },
};

/** The buttons that do something in this state; the state table refuses the others, whatever a page sends. */
const actionsIn: Partial<Record<CallState, readonly DeskAction[]>> = {
  talking: ['hold', 'hangup', 'consult', 'transfer'],
  holding: ['resume', 'hangup'],
  held: ['resume', 'hangup', 'consult', 'transfer'],
  connecting: ['hangup'],
  rejoining: ['hangup'],
  consultRinging: ['cancelConsult', 'hangup'],
  consultConnecting: ['cancelConsult'],
  consulting: ['cancelConsult', 'joinThreeWay', 'leave'],
  joining: ['leave'],
  threeWay: ['cancelConsult', 'leave'],
  agentWithSubcentre: ['hangup'],
};

/** The caller's card, masked for the person who looks. */
export function cardView(
  call: Call,
  role: Person['role'],
  history: CallerHistory | undefined,
  nowMs: number,
  context: ViewContext,
): CardView {
  const known = history ?? emptyHistory;
  return {
    number: context.maskFor(role, call.callerNumber),
    callerName: call.callerName === call.callerNumber ? '' : call.callerName,
    dialledNumber: call.dialledNumber,
    hotlineName: context.hotlineName(call.dialledNumber),
    queueName: call.queue === null ? '' : context.queueName(call.queue),
    waitedMs: waitedMs(call, nowMs),
    earlierCalls: [...known.earlierCalls],
    openOrders: [...known.openOrders],
  };
}

function waitedMs(call: Call, nowMs: number): number {
  if (call.queuedAtMs === null) return 0;
  return Math.max(0, (call.agentAnsweredAtMs ?? nowMs) - call.queuedAtMs);
}

/** The call as one desk shows it. `gone` true when this desk's part is over. */
export function deskCallView(
  call: Call,
  seatAs: Extract<Role, 'agent' | 'subcentre'>,
  gone: boolean,
  role: Person['role'],
  history: CallerHistory | undefined,
  nowMs: number,
  context: ViewContext,
): DeskCall {
  const state = gone ? 'ended' : deskState[call.state][seatAs];
  const consult =
    call.consult === null
      ? null
      : {
          number: call.consult.number,
          name: call.consult.name,
          state: call.consult.answeredAtMs === null ? ('ringing' as const) : ('talking' as const),
        };
  return {
    callId: call.id,
    as: seatAs,
    state,
    stateSinceMs: call.stateSinceMs,
    startedAtMs: call.startedAtMs,
    card: cardView(call, role, history, nowMs, context),
    consult,
    actions: seatAs === 'agent' && !gone ? [...(actionsIn[call.state] ?? [])] : [],
    recording: call.recordingPath !== null && call.recordingFailure === null && call.endedAtMs === null,
    recordingLost: call.recordingFailure !== null,
  };
}

const beforeAgent: readonly CallState[] = ['answering', 'flow', 'waiting', 'offering'];
const goneAgent: readonly CallState[] = ['transferConnecting', 'withSubcentre', 'separated'];

/** A live call as a supervisor sees it. */
export function liveCallView(call: Call, person: Person, context: ViewContext): LiveCallView {
  const { agent, supervisor, state } = call;
  const talks = agent !== null && agent.answeredAtMs !== null && !goneAgent.includes(state);
  const mine = supervisor?.personId === person.id;
  return {
    callId: call.id,
    startedAtMs: call.startedAtMs,
    stateSinceMs: call.stateSinceMs,
    state: beforeAgent.includes(state)
      ? 'waiting'
      : deskState[state][agent === null && call.consult !== null ? 'subcentre' : 'agent'],
    number: context.maskFor(person.role, call.callerNumber),
    hotlineName: context.hotlineName(call.dialledNumber),
    agentName: agent?.name ?? null,
    recordingLost: call.recordingFailure !== null,
    maySupervise: talks && (supervisor === null || mine),
    supervisor:
      supervisor === null
        ? null
        : { name: supervisor.name, mine, mode: supervisor.mode, there: supervisor.place === 'supervising' },
  };
}

/** The seat as its own desk shows it. */
export function seatView(seat: Seat | undefined): SeatStatusView {
  if (seat === undefined) {
    return { status: 'offline', reason: null, sinceMs: 0, wrapUpEndsAtMs: null, phoneRegistered: false };
  }
  const status = seat.reservation === null ? seat.status : seat.reservation.answered ? 'busy' : 'reserved';
  const { reason, sinceMs, wrapUpEndsAtMs, phoneRegistered } = seat;
  return { status, reason, sinceMs, wrapUpEndsAtMs, phoneRegistered };
}

/** One line of today's calls. */
export function todayView(call: TodayCall, role: Person['role'], context: ViewContext): TodayCallView {
  return {
    callId: call.callId,
    startedAtMs: call.startedAtMs,
    number: context.maskFor(role, call.callerNumber),
    hotlineName: context.hotlineName(call.dialledNumber),
    talkMs: call.talkMs,
    endClass: call.endClass,
    endReason: call.endReason,
    orderNo: call.orderNo,
  };
}
