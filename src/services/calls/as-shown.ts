/** What the switch's list shows (or lacks), in the words of its events. */
import type { LegSnapshot, SwitchEvent } from '../../switch/port.ts';

/** The end of a leg that is not on the switch any more, and of whose end nothing was told. */
export function endUntold(leg: string, atMs: number): SwitchEvent {
  const unknown = { q850: undefined, sipStatus: undefined, endedBy: 'unknown' } as const;
  return { type: 'legEnded', leg, atMs, cause: 'CRASH', ...unknown };
}

/** Whether a leg rings, talks or waits: a sign of life of one that should be gone. */
export const showsItself = ({ type }: SwitchEvent): boolean =>
  type === 'legRinging' || type === 'legAnswered' || type === 'legParked';

/** What the switch's list says of a parked leg, in the words of its event. */
export function parkedAsShown(leg: LegSnapshot, atMs: number): Extract<SwitchEvent, { type: 'legParked' }> {
  return { ...leg, type: 'legParked', atMs, sourceAddress: '' };
}

/** What it says of a member of a conference; the member's number there nobody needs. */
export function joinedAsShown(leg: LegSnapshot, conference: string, atMs: number): SwitchEvent {
  return { type: 'conferenceJoined', leg: leg.leg, atMs, conference, memberId: '' };
}
