/** What becomes of a caller who comes in, by how many are there already. Seed rows A08, B12. */

/**
 * `in`: served like everybody; `turnAway`: answered, told that he will be called back, and let go; `busy`: not answered
 * at all (486), because even the telling has a limit.
 */
export type Admission = 'in' | 'turnAway' | 'busy';

/**
 * At twice the capacity everybody still hears why: as many callers are told so at a time as are let in.
 * @param present calls that were let in and have not ended, and callers who are being told that they can't be
 */
export function admit(
  present: { readonly letIn: number; readonly turnedAway: number },
  maxLiveCalls: number,
): Admission {
  if (present.letIn < maxLiveCalls) return 'in';
  return present.turnedAway < maxLiveCalls ? 'turnAway' : 'busy';
}
