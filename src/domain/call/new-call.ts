import type { Call } from './call.ts';

/** What is known of a call when it comes in. */
export type Arrival = Pick<
  Call,
  'id' | 'citizenLeg' | 'callerNumber' | 'callerName' | 'dialledNumber' | 'startedAtMs' | 'flowId'
>;

/** A call that has just come in: its citizen is parked, and control is about to answer. */
export function newCall(arrival: Arrival): Call {
  return {
    ...arrival,
    state: 'answering',
    stateSinceMs: arrival.startedAtMs,
    citizenPlace: 'parked',
    answeredAtMs: null,
    flowState: null,
    flowPath: [],
    queue: null,
    queuedAtMs: null,
    agentAnsweredAtMs: null,
    togetherAtMs: null,
    lastAgentId: null,
    agent: null,
    consult: null,
    supervisor: null,
    resumesByItself: false,
    recordingPath: null,
    recordingFailure: null,
    rating: null,
    playId: null,
    plays: 0,
    endedAtMs: null,
    endClass: null,
    endReason: null,
  };
}
