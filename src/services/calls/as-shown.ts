/** What the switch's list shows (or lacks), in the words of its events. */
import type { Call, Place } from '../../domain/call/call.ts';
import { transientStates } from '../../domain/call/decision.ts';
import { legOf, placed, placeOf, presentRoles } from '../../domain/call/moves.ts';
import type { LegSnapshot, SwitchEvent } from '../../switch/port.ts';

/** The end of a leg that is not on the switch any more, and of whose end nothing was told. */
export function endUntold(leg: string, atMs: number): SwitchEvent {
  const unknown = { q850: undefined, sipStatus: undefined, endedBy: 'unknown' } as const;
  return { type: 'legEnded', leg, atMs, cause: 'CRASH', ...unknown };
}

/** Whether a leg rings, talks or waits: a sign of life of one that should be gone. */
export const showsItself = ({ type }: SwitchEvent): boolean =>
  type === 'legRinging' || type === 'legAnswered' || type === 'legParked';

/**
 * Whose end may have been lost: somebody who falls out of a conversation without an order is alone because the other
 * has gone, and who leaves a conference goes somewhere. Where an order has parted them a step's time-out looks after it.
 */
export function mayHaveGone(call: Call, event: SwitchEvent): readonly string[] {
  if (event.type === 'conferenceLeft') return [event.leg];
  if (event.type !== 'legParked' || transientStates.includes(call.state)) return [];
  const talking = presentRoles(call).filter((role) => placeOf(call, role) === 'bridged');
  return talking.map((role) => legOf(call, role) ?? '').filter((leg) => leg !== '' && leg !== event.leg);
}

/** What the switch's list says of a parked leg, in the words of its event. */
export function parkedAsShown(leg: LegSnapshot, atMs: number): Extract<SwitchEvent, { type: 'legParked' }> {
  return { ...leg, type: 'legParked', atMs, sourceAddress: '' };
}

/** Where it shows a leg, in the words of the event that was missed; undefined when it is known to be there. */
export function placeAsShown(leg: LegSnapshot, known: Place, atMs: number): SwitchEvent | undefined {
  const { bridgedTo, conference, supervising } = leg;
  if (leg.parked) {
    const there = known === 'parked' || (known === 'early' && !leg.answered);
    return there ? undefined : parkedAsShown(leg, atMs);
  }
  if (bridgedTo !== undefined) {
    return known === 'bridged' ? undefined : { type: 'legBridged', leg: leg.leg, other: bridgedTo, atMs };
  }
  if (conference !== undefined) {
    // The member's number there nobody needs.
    return known === 'conference'
      ? undefined
      : { type: 'conferenceJoined', leg: leg.leg, atMs, conference, memberId: '' };
  }
  // The mode may have been changed behind our back, so it is always told.
  return supervising === undefined ? undefined : { type: 'supervising', leg: leg.leg, atMs, ...supervising };
}

/** An answered leg that nobody hears: with the dialplan's own treatment, or lost between two bridges. */
export const isNowhere = (leg: LegSnapshot): boolean =>
  leg.answered &&
  !leg.parked &&
  leg.bridgedTo === undefined &&
  leg.conference === undefined &&
  leg.supervising === undefined;

/** A call that is taken up. Whose citizen is nowhere is not waiting in silence: nothing is played to him before he is parked. */
export const asFound = (call: Call, shown: LegSnapshot | undefined): Call =>
  shown !== undefined && isNowhere(shown) ? placed(call, 'citizen', 'moving') : call;
