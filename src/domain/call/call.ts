/**
 * A call: one citizen, and everyone who helps. Plain data, so that it can be journaled and rebuilt after a crash.
 */
import type { FlowPathEntry, FlowState } from '../ivr/flow-machine.ts';
import type { EndClass } from './ending.ts';

/**
 * ```
 * answering ─► flow ─► waiting ◄─► offering ─► connecting ─► talking ◄─► holding ─► held
 *                                                  ▲            │                     │
 *                                                  └────────────┼──── consultRinging ◄┘
 *                                                               │        │      ▲
 *                                    withSubcentre ◄─ threeWay ◄┼─ consulting ──┘
 *                                                               ▼
 *                                            separated ─► rating ─► closing ─► ending ─► ended
 * ```
 * Every state but `waiting`'s and the talking ones ends by itself when its timer fires (src/domain/call/table).
 */
export const callStates = [
  'answering', // control has taken the parked citizen; the 200 is on its way
  'flow', // prompts and digits
  'waiting', // in the queue, music
  'offering', // an agent is reserved, his phone is being rung
  'connecting', // both are there, the bridge is being made
  'talking', // citizen and agent
  'holding', // the bridge is being opened for a hold
  'held', // citizen hears music, agent is parked
  'consultRinging', // sub-centre's phone rings, citizen hears music, agent hears ringback
  'consultConnecting', // sub-centre answered, the bridge to the agent is being made
  'consulting', // agent and sub-centre talk, citizen hears music
  'joining', // all three are being put into one conference
  'threeWay', // citizen, agent and sub-centre
  'transferConnecting', // citizen and sub-centre are being bridged, the agent goes
  'withSubcentre', // citizen and sub-centre without the agent
  'agentWithSubcentre', // the citizen has gone, the other two still talk
  'rejoining', // the phone's transfer was refused; the switch puts agent and citizen together again
  'separated', // a bridge broke; which leg has gone is about to be told
  'rating', // the citizen is asked for a rating
  'closing', // a last prompt plays
  'ending', // legs are being hung up
  'ended',
] as const;
export type CallState = (typeof callStates)[number];

/** The part that a leg plays in the call. */
export type Role = 'citizen' | 'agent' | 'subcentre';

/** Whose a leg may be: a supervisor takes no part in the conversation's states. */
export type LegRole = Role | 'supervisor';

/** `otherLine`: the line of the agent's phone that waits while he consults on a second one. */
export type LinePart = LegRole | 'otherLine';

/** Where a leg is, as far as the switch has told. */
export type Place =
  | 'dialling'
  | 'ringing'
  /** Parked before the answer, with sound of the far side. */
  | 'early'
  | 'parked'
  | 'bridged'
  | 'conference'
  | 'moving'
  | 'supervising'
  | 'gone';

/** The line on which an agent's phone has the citizen, while the phone calls a sub-centre on another one. */
export interface OtherLine {
  readonly leg: string;
  readonly place: Place;
}

export interface AgentPart {
  readonly personId: string;
  readonly name: string;
  readonly extension: string;
  readonly leg: string;
  readonly fencingToken: string;
  readonly offeredAtMs: number;
  readonly answeredAtMs: number | null;
  readonly place: Place;
  /** Not null only while he consults by his phone: `leg` is the phone's second line then (docs/adr/0025). */
  readonly otherLine: OtherLine | null;
}

export interface ConsultPart {
  readonly number: string;
  readonly name: string;
  /** Null: a phone that is registered here under the number itself. */
  readonly gateway: string | null;
  readonly leg: string;
  readonly place: Place;
  readonly answeredAtMs: number | null;
  /** `transfer`: the agent goes as soon as the far side answers. */
  readonly mode: 'consult' | 'transfer';
  /** The agent's phone asked for it (REFER) and waits to be told what became of it. */
  readonly referred: boolean;
}

/** Where a number leads that a phone has dialled, or named in a REFER; `unknown`: nowhere that may be called. */
export type PhoneTarget =
  | { readonly to: 'subcentre'; readonly consult: ConsultPart }
  | { readonly to: 'queue' }
  | { readonly to: 'unknown' };

/** To whom a supervisor is heard: nobody, the agent alone, or all. */
export type SuperviseMode = 'listen' | 'whisper' | 'barge';

export interface SupervisorPart {
  readonly personId: string;
  readonly name: string;
  readonly extension: string;
  readonly leg: string;
  /** The agent's leg at which he listens; he goes with it. */
  readonly agentLeg: string;
  /** What he wants; the switch has it when the place is `supervising`. */
  readonly mode: SuperviseMode;
  readonly place: Place;
}

/** `disk-full`: there is no room where it is written; `not-written`: the switch said so; `not-started`: it refused. */
export const recordingFailures = ['disk-full', 'not-written', 'not-started'] as const;
export type RecordingFailure = (typeof recordingFailures)[number];

export interface Call {
  readonly id: string;
  readonly state: CallState;
  readonly stateSinceMs: number;
  readonly citizenLeg: string;
  readonly citizenPlace: Place;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly dialledNumber: string;
  readonly startedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly flowId: string;
  readonly flowState: FlowState | null;
  readonly flowPath: readonly (FlowPathEntry & { readonly atMs: number })[];
  readonly queue: string | null;
  readonly queuedAtMs: number | null;
  /** When the first agent answered. */
  readonly agentAnsweredAtMs: number | null;
  /** When the citizen last came together with an agent or a sub-centre. */
  readonly togetherAtMs: number | null;
  /** The last agent who talked with the citizen, also after he has left. */
  readonly lastAgentId: string | null;
  readonly agent: AgentPart | null;
  readonly consult: ConsultPart | null;
  readonly supervisor: SupervisorPart | null;
  /** Held because a consultation failed: the citizen comes back by himself. A hold by the button lasts until its end. */
  readonly resumesByItself: boolean;
  readonly recordingPath: string | null;
  /** Why the recording is not whole; null while nothing is known to be wrong with it. */
  readonly recordingFailure: RecordingFailure | null;
  readonly rating: number | null;
  /** The prompt that plays to the citizen now; a `playEnded` of another one is late and ignored. */
  readonly playId: string | null;
  readonly plays: number;
  readonly endedAtMs: number | null;
  readonly endClass: EndClass | null;
  readonly endReason: string | null;
}

/** Timers of a call; each name runs at most once at a time. */
export const timerNames = [
  'step',
  'flow',
  'queueMax',
  'announce',
  'ring',
  'consultRing',
  'autoResume',
  'rating',
  'supervise',
] as const;
export type TimerName = (typeof timerNames)[number];

/** How a leg ended, already in the words of the house. */
export interface LegEnd {
  readonly cause: string;
  readonly sipStatus: number | undefined;
  readonly endedBy: 'phone' | 'switch' | 'unknown';
}

export type CallEvent =
  | { readonly type: 'citizenAnswered' }
  /** Control found a citizen who was answered already and whom no record tells of; he has been here since then. */
  | { readonly type: 'citizenFound'; readonly sinceMs: number }
  | { readonly type: 'citizenParked' }
  /** The dialplan treats him alone, although he is ours; `found`: so it is shown after a link was away. */
  | { readonly type: 'citizenTreated'; readonly found: boolean }
  | { readonly type: 'citizenEnded'; readonly end: LegEnd }
  | { readonly type: 'citizenDigit'; readonly digit: string }
  | { readonly type: 'citizenPlayEnded'; readonly playId: string; readonly failed: boolean }
  | { readonly type: 'queueFull' }
  | { readonly type: 'recordingFailed'; readonly path: string; readonly failure: RecordingFailure }
  | { readonly type: 'agentReserved'; readonly agent: AgentPart }
  | { readonly type: 'agentRinging' }
  | { readonly type: 'agentParked' }
  | { readonly type: 'agentEnded'; readonly end: LegEnd }
  | { readonly type: 'subcentreRinging' }
  /** Its leg can be heard before the answer. */
  | { readonly type: 'subcentreEarlyMedia' }
  | { readonly type: 'subcentreAnswered' }
  | { readonly type: 'subcentreParked' }
  | { readonly type: 'subcentreEnded'; readonly end: LegEnd }
  | { readonly type: 'bridged'; readonly a: Role; readonly b: Role }
  | { readonly type: 'joined'; readonly role: Role }
  | { readonly type: 'timer'; readonly timer: TimerName }
  | { readonly type: 'commandFailed'; readonly command: string; readonly kind: string }
  | { readonly type: 'hold' }
  | { readonly type: 'resume' }
  | { readonly type: 'hangup' }
  | { readonly type: 'consult'; readonly consult: ConsultPart }
  | { readonly type: 'cancelConsult' }
  /** The phone of `by` sends `role` elsewhere; both legs wait. `by` null: of a phone that takes no part any more. */
  | {
      readonly type: 'referred';
      readonly role: Role;
      readonly by: Role | null;
      readonly byLeg: string;
      readonly number: string;
      readonly target: PhoneTarget;
    }
  /** The agent's phone calls a number on a second line, which waits for what becomes of it. */
  | { readonly type: 'secondLine'; readonly leg: string; readonly number: string; readonly target: PhoneTarget }
  | { readonly type: 'otherLineParked' }
  /** The line that should wait is with the citizen. */
  | { readonly type: 'otherLineBridged' }
  | { readonly type: 'otherLineEnded'; readonly end: LegEnd }
  | { readonly type: 'joinThreeWay' }
  | { readonly type: 'leave' }
  | { readonly type: 'supervise'; readonly supervisor: SupervisorPart }
  | { readonly type: 'superviseMode'; readonly personId: string; readonly mode: SuperviseMode }
  | { readonly type: 'superviseLeave'; readonly personId: string }
  | { readonly type: 'supervisorRinging' }
  | { readonly type: 'supervisorParked' }
  /** The switch has him at that leg in that mode. */
  | { readonly type: 'supervisorThere'; readonly agentLeg: string; readonly mode: SuperviseMode }
  | { readonly type: 'supervisorEnded'; readonly end: LegEnd }
  /** Control has come back: the call is looked at anew with what the switch's snapshot says. */
  | { readonly type: 'restored' };
export type CallEventType = CallEvent['type'];

/** What agents and supervisors may press. It is answered: done, or refused because the state does not allow it. */
export const deskCommands = [
  ...(['hold', 'resume', 'hangup', 'consult', 'cancelConsult', 'joinThreeWay', 'leave'] as const),
  ...(['supervise', 'superviseMode', 'superviseLeave'] as const),
];

/** A prompt id, or a pause. */
export type Effect =
  | { readonly do: 'answer' }
  | {
      readonly do: 'playCitizen';
      readonly playId: string;
      readonly prompts: readonly string[];
      readonly forever: boolean;
    }
  | { readonly do: 'stopCitizen' }
  | { readonly do: 'ringback' }
  | { readonly do: 'originateAgent' }
  | { readonly do: 'originateSubcentre' }
  | { readonly do: 'originateSupervisor' }
  /** Puts the supervisor's leg to the agent's in the mode that he wants. */
  | { readonly do: 'supervise' }
  | { readonly do: 'bridge'; readonly a: Role; readonly b: Role }
  /** Tells the phone whose leg is `by`, which sent this role's leg away; refused, the switch puts the two together. */
  | { readonly do: 'answerRefer'; readonly role: Role; readonly by: string; readonly accepted: boolean }
  /** The agent's leg, a call of his phone's own, is taken into this call and answered. */
  | { readonly do: 'takeLine' }
  /** Whether a phone may put together what these legs are in (REFER with Replaces, RFC 3891). */
  | { readonly do: 'attendedTransfer'; readonly legs: readonly string[]; readonly allowed: boolean }
  | { readonly do: 'park'; readonly role: Role; readonly both: boolean }
  | { readonly do: 'join'; readonly role: Role; readonly both: boolean }
  | { readonly do: 'hangup'; readonly leg: string; readonly cause: string }
  | { readonly do: 'record'; readonly path: string }
  | { readonly do: 'startTimer'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly do: 'cancelTimer'; readonly timer: TimerName }
  /** `first` false: the caller has a place already and can't be refused for want of room. */
  | { readonly do: 'enqueue'; readonly queue: string; readonly first: boolean }
  | { readonly do: 'dequeue' }
  | { readonly do: 'releaseSeat'; readonly agent: AgentPart; readonly outcome: SeatOutcome }
  | { readonly do: 'offerGone'; readonly agent: AgentPart; readonly reason: string }
  /** For the agent, or for the person `to`. */
  | { readonly do: 'notice'; readonly text: string; readonly to?: string };

/** How the agent's part ended; decides the seat's next status. */
export type SeatOutcome = 'talked' | 'callerGone' | 'noAnswer' | 'rejected' | 'phoneFault';

/** What the decisions need to know besides the call itself. */
export interface CallSettings {
  readonly ringTimeoutMs: number;
  readonly consultRingTimeoutMs: number;
  readonly queueMaxWaitMs: number;
  readonly announceEveryMs: number;
  readonly autoResumeMs: number;
  /** A phone whose second line has ended has so long to take the first one off hold before the citizen is put there. */
  readonly lineChangeMs: number;
  readonly ratingEnabled: boolean;
  readonly ratingTimeoutMs: number;
  /** How long a transient state may last before its row for the time-out acts. */
  readonly stepTimeoutMs: number;
}
