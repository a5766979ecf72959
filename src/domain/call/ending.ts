/**
 * How calls and legs end: one class and one reason for each, so that «the citizen hung up» never counts as our fault.
 */

export const endClasses = ['success', 'caller', 'agent', 'upstream', 'us', 'unknown'] as const;
/** `success` ended as it should; `caller`/`agent` that person's doing; `upstream` networks and far phones; `us` our fault or limit. */
export type EndClass = (typeof endClasses)[number];

export interface Ending {
  readonly endClass: EndClass;
  /** A stable slug, e.g. `busy`. */
  readonly reason: string;
}

interface CauseRow extends Ending {
  /** FreeSWITCH's cause word (Q.850 names where they exist). */
  readonly cause: string;
  /** The SIP status that usually stands behind it. */
  readonly sip: number | null;
}

/** The house's own cause: the leg ended while control was away, or the news of it was lost, and the switch lives. */
export const unseen = 'UNSEEN';

/** `callee` stands for whoever was rung. */
export const causeTable: readonly CauseRow[] = [
  { cause: 'NORMAL_CLEARING', sip: 200, endClass: 'success', reason: 'normal' },
  { cause: 'ORIGINATOR_CANCEL', sip: 487, endClass: 'caller', reason: 'cancelled' },
  { cause: 'LOSE_RACE', sip: 487, endClass: 'success', reason: 'answered-elsewhere' },
  // A phone has put the two together that it talked to (REFER with Replaces).
  { cause: 'ATTENDED_TRANSFER', sip: null, endClass: 'success', reason: 'put-through-by-phone' },
  { cause: 'OUTGOING_CALL_BARRED', sip: 403, endClass: 'us', reason: 'may-not-call' },
  { cause: 'USER_BUSY', sip: 486, endClass: 'agent', reason: 'busy' },
  { cause: 'CALL_REJECTED', sip: 603, endClass: 'agent', reason: 'rejected' },
  { cause: 'NO_ANSWER', sip: null, endClass: 'agent', reason: 'no-answer' },
  { cause: 'NO_USER_RESPONSE', sip: 480, endClass: 'agent', reason: 'no-answer' },
  // A phone that answers 302 is never followed: it has refused.
  { cause: 'REQUESTED_CHAN_UNAVAIL', sip: 302, endClass: 'agent', reason: 'rejected' },
  { cause: 'ALLOTTED_TIMEOUT', sip: null, endClass: 'agent', reason: 'no-answer' },
  { cause: 'PROGRESS_TIMEOUT', sip: null, endClass: 'upstream', reason: 'no-response' },
  { cause: 'USER_NOT_REGISTERED', sip: null, endClass: 'agent', reason: 'phone-not-registered' },
  { cause: 'SUBSCRIBER_ABSENT', sip: 480, endClass: 'agent', reason: 'phone-not-registered' },
  { cause: 'UNALLOCATED_NUMBER', sip: 404, endClass: 'upstream', reason: 'unknown-number' },
  { cause: 'NO_ROUTE_DESTINATION', sip: 404, endClass: 'upstream', reason: 'unknown-number' },
  { cause: 'INVALID_NUMBER_FORMAT', sip: 484, endClass: 'upstream', reason: 'unknown-number' },
  { cause: 'INCOMPATIBLE_DESTINATION', sip: 488, endClass: 'upstream', reason: 'no-common-codec' },
  { cause: 'NORMAL_TEMPORARY_FAILURE', sip: 503, endClass: 'upstream', reason: 'temporary-failure' },
  { cause: 'NETWORK_OUT_OF_ORDER', sip: 502, endClass: 'upstream', reason: 'network-out-of-order' },
  { cause: 'DESTINATION_OUT_OF_ORDER', sip: 502, endClass: 'upstream', reason: 'far-side-out-of-order' },
  { cause: 'SWITCH_CONGESTION', sip: 503, endClass: 'us', reason: 'congestion' },
  { cause: 'GATEWAY_DOWN', sip: null, endClass: 'upstream', reason: 'gateway-down' },
  { cause: 'INVALID_GATEWAY', sip: null, endClass: 'us', reason: 'gateway-not-configured' },
  { cause: 'RECOVERY_ON_TIMER_EXPIRE', sip: 408, endClass: 'upstream', reason: 'no-response' },
  { cause: 'MEDIA_TIMEOUT', sip: null, endClass: 'upstream', reason: 'media-timeout' },
  { cause: 'MANAGER_REQUEST', sip: null, endClass: 'us', reason: 'ended-by-control' },
  { cause: 'SYSTEM_SHUTDOWN', sip: null, endClass: 'upstream', reason: 'switch-stopped' },
  { cause: 'CRASH', sip: null, endClass: 'upstream', reason: 'switch-died' },
  { cause: unseen, sip: null, endClass: 'unknown', reason: 'ended-unseen' },
];

const byCause = new Map(causeTable.map((row) => [row.cause, row]));

/** The class and reason of a leg's cause word; a word that is not in the table is `unknown` and keeps its name. */
export function endingOfCause(cause: string): Ending {
  const row = byCause.get(cause);
  if (row === undefined) return { endClass: 'unknown', reason: cause.toLowerCase().replaceAll('_', '-') };
  return { endClass: row.endClass, reason: row.reason };
}
