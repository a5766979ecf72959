import type { Call } from './call.ts';

/** The reason of a call that came in when no more could be served. */
export const overCapacity = 'over-capacity';

/** Endings after which the citizen is owed a call, by reason (国办函〔2025〕66号: 漏接电话回拨). */
const owed: ReadonlySet<string> = new Set([
  'abandoned-waiting',
  'queue-full',
  overCapacity,
  'wait-limit',
  'switch-died',
  'switch-stopped',
  'answer-failed',
  'end-not-told',
]);

/**
 * What becomes of a message that the dialplan took of this call's citizen, from `atMs` on (the switch's clock, whole
 * seconds). `later`: control has him, so his end decides. `settled`: he has talked with somebody since.
 * @param call undefined when control never had him
 */
export function messageOutcome(
  call: Pick<Call, 'endedAtMs' | 'citizenPlace' | 'togetherAtMs'> | undefined,
  atMs: number,
): 'owed' | 'later' | 'settled' {
  if (call === undefined) return 'owed';
  if (call.endedAtMs === null && call.citizenPlace !== 'gone') return 'later';
  return call.togetherAtMs !== null && call.togetherAtMs >= atMs + 1000 ? 'settled' : 'owed';
}

/** Why this citizen is to be called back; undefined when nothing is owed or nobody could be called. */
export function callbackReason(call: Pick<Call, 'endedAtMs' | 'endReason' | 'callerNumber'>): string | undefined {
  if (call.endedAtMs === null || call.callerNumber === '' || call.endReason === null) return undefined;
  return owed.has(call.endReason) ? call.endReason : undefined;
}
