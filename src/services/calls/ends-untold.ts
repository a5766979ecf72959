/** Legs of whose end nothing was told: whose it may be, and how it counts. */
import type { Call } from '../../domain/call/call.ts';
import { transientStates } from '../../domain/call/decision.ts';
import { unseen } from '../../domain/call/ending.ts';
import { legOf, placeOf, presentRoles } from '../../domain/call/moves.ts';
import type { SwitchEvent } from '../../switch/port.ts';
import type { LegRecord } from '../ports.ts';

/**
 * The end of a leg that is not on the switch any more, and of whose end nothing was told: it died with the switch, or,
 * when the switch has been up since before the leg came, it ended unseen, in a way that nobody can tell any more.
 * @param switchStartedAtMs undefined: the switch is gone
 */
export function endUntold(
  { leg, createdAtMs }: Pick<LegRecord, 'leg' | 'createdAtMs'>,
  switchStartedAtMs: number | undefined,
  atMs: number,
): SwitchEvent {
  const outlived = switchStartedAtMs !== undefined && switchStartedAtMs <= createdAtMs;
  return outlived ? endUnseen(leg, atMs) : { ...endUnseen(leg, atMs), cause: 'CRASH' };
}

/** The same on a switch that lives: the news of the end was lost. */
export const endUnseen = (leg: string, atMs: number): Extract<SwitchEvent, { type: 'legEnded' }> => ({
  type: 'legEnded',
  leg,
  atMs,
  cause: unseen,
  q850: undefined,
  sipStatus: undefined,
  endedBy: 'unknown',
});

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
