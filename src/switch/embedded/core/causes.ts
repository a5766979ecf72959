/** Ending causes: FreeSWITCH's words, their Q.850 numbers, and how they meet SIP statuses (docs/switch-contract.md). The tables are FreeSWITCH 1.10's. */

/** Word to number (Q.850; numbers above 127 are FreeSWITCH's own). */
const q850Numbers: Readonly<Record<string, number>> = {
  UNALLOCATED_NUMBER: 1,
  NO_ROUTE_DESTINATION: 3,
  NORMAL_CLEARING: 16,
  USER_BUSY: 17,
  NO_USER_RESPONSE: 18,
  NO_ANSWER: 19,
  SUBSCRIBER_ABSENT: 20,
  CALL_REJECTED: 21,
  NUMBER_CHANGED: 22,
  EXCHANGE_ROUTING_ERROR: 25,
  DESTINATION_OUT_OF_ORDER: 27,
  INVALID_NUMBER_FORMAT: 28,
  NORMAL_UNSPECIFIED: 31,
  NORMAL_CIRCUIT_CONGESTION: 34,
  NETWORK_OUT_OF_ORDER: 38,
  NORMAL_TEMPORARY_FAILURE: 41,
  SWITCH_CONGESTION: 42,
  REQUESTED_CHAN_UNAVAIL: 44,
  OUTGOING_CALL_BARRED: 52,
  SERVICE_UNAVAILABLE: 63,
  SERVICE_NOT_IMPLEMENTED: 79,
  INCOMPATIBLE_DESTINATION: 88,
  RECOVERY_ON_TIMER_EXPIRE: 102,
  INTERWORKING: 127,
  ORIGINATOR_CANCEL: 487,
  ATTENDED_TRANSFER: 601,
  MEDIA_TIMEOUT: 604,
  USER_NOT_REGISTERED: 606,
};

/** Numbers beyond are FreeSWITCH's own and mean nothing outside of it. */
const MAX_Q850 = 127;
const NORMAL_CLEARING = 16;

const wordsByNumber = new Map(Object.entries(q850Numbers).map(([word, number]) => [number, word]));

/** SIP status of a refused INVITE to the cause word. */
const wordsByStatus: Readonly<Record<number, string>> = {
  400: 'NORMAL_TEMPORARY_FAILURE',
  401: 'CALL_REJECTED',
  403: 'CALL_REJECTED',
  404: 'UNALLOCATED_NUMBER',
  405: 'SERVICE_UNAVAILABLE',
  407: 'CALL_REJECTED',
  408: 'RECOVERY_ON_TIMER_EXPIRE',
  410: 'NUMBER_CHANGED',
  415: 'SERVICE_NOT_IMPLEMENTED',
  480: 'NO_USER_RESPONSE',
  481: 'NORMAL_TEMPORARY_FAILURE',
  482: 'EXCHANGE_ROUTING_ERROR',
  483: 'EXCHANGE_ROUTING_ERROR',
  484: 'INVALID_NUMBER_FORMAT',
  486: 'USER_BUSY',
  487: 'ORIGINATOR_CANCEL',
  488: 'INCOMPATIBLE_DESTINATION',
  500: 'NORMAL_TEMPORARY_FAILURE',
  501: 'SERVICE_NOT_IMPLEMENTED',
  502: 'NETWORK_OUT_OF_ORDER',
  503: 'NORMAL_TEMPORARY_FAILURE',
  504: 'RECOVERY_ON_TIMER_EXPIRE',
  600: 'USER_BUSY',
  603: 'CALL_REJECTED',
  604: 'NO_ROUTE_DESTINATION',
  606: 'INCOMPATIBLE_DESTINATION',
};

/** Cause word to the status with which an unanswered caller is refused; others are 480. */
const statusByWord: Readonly<Record<string, number>> = {
  UNALLOCATED_NUMBER: 404,
  NO_ROUTE_DESTINATION: 404,
  USER_BUSY: 486,
  NO_USER_RESPONSE: 408,
  CALL_REJECTED: 603,
  NUMBER_CHANGED: 410,
  OUTGOING_CALL_BARRED: 403,
  EXCHANGE_ROUTING_ERROR: 483,
  DESTINATION_OUT_OF_ORDER: 502,
  INVALID_NUMBER_FORMAT: 484,
  NORMAL_CIRCUIT_CONGESTION: 503,
  NETWORK_OUT_OF_ORDER: 503,
  NORMAL_TEMPORARY_FAILURE: 503,
  SWITCH_CONGESTION: 503,
  SERVICE_UNAVAILABLE: 503,
  SERVICE_NOT_IMPLEMENTED: 501,
  INCOMPATIBLE_DESTINATION: 488,
  RECOVERY_ON_TIMER_EXPIRE: 504,
  ORIGINATOR_CANCEL: 487,
};

/** The number of a cause word, or undefined when it is none of ours. */
export function causeNumber(word: string): number | undefined {
  return Object.hasOwn(q850Numbers, word) ? q850Numbers[word] : undefined;
}

/** The same as a true Q.850 number (1 to 127), as FreeSWITCH's `hangup_cause_q850` and a Reason header say it. */
export function q850OfCause(word: string): number {
  const number = causeNumber(word) ?? NORMAL_CLEARING;
  return number <= MAX_Q850 ? number : NORMAL_CLEARING;
}

/** The cause of a refused INVITE. */
export function causeOfStatus(status: number): string {
  // A phone that forwards by itself is not followed: whom to ring is control's decision.
  if (status >= 300 && status < 400) return 'REQUESTED_CHAN_UNAVAIL';
  return wordsByStatus[status] ?? 'NORMAL_UNSPECIFIED';
}

/** The cause word of a Q.850 number out of a Reason header. */
export function causeOfNumber(number: number): string {
  return wordsByNumber.get(number) ?? 'NORMAL_UNSPECIFIED';
}

/** The status that tells an unanswered caller this cause. */
export function statusOfCause(word: string): number {
  return statusByWord[word] ?? 480;
}
