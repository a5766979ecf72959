/** What the switch's list shows (or lacks), in the words of its events. */
import type { Call, Place } from '../../domain/call/call.ts';
import { placed } from '../../domain/call/moves.ts';
import type { LegSnapshot, SwitchEvent } from '../../switch/port.ts';

/** Whether a leg rings, talks or waits: a sign of life of one that should be gone. */
export const showsItself = ({ type }: SwitchEvent): boolean =>
  type === 'legRinging' || type === 'legAnswered' || type === 'legParked';

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
