import { describe, expect, it } from 'vitest';
import { endingOfCause } from '../../src/domain/call/ending.ts';
import { citizenEndReason } from '../../src/domain/call/moves.ts';
import { endUnseen, endUntold } from '../../src/services/calls/ends-untold.ts';
import { newCall } from '../support/call-fixtures.ts';

const cause = (event: { type: string }): unknown => (event as { cause?: string }).cause;

describe('a leg that is not on the switch any more, and of whose end nothing was told', () => {
  const leg = { leg: 'leg-citizen', createdAtMs: 5_000 };

  it.each([
    ['died with a switch that began after it', 6_000, 'CRASH'],
    ['ended unseen on a switch that was there before it', 4_000, 'UNSEEN'],
    ['died with a switch that is gone, or does not say', undefined, 'CRASH'],
  ])('%s', (_what, startedAtMs, expected) => {
    expect(cause(endUntold(leg, startedAtMs, 9_000))).toBe(expected);
  });

  it('is no fault of the switch: who of the two hung up is not known, and who waited has given up', () => {
    const { cause: unseen } = endUnseen('leg-citizen', 9_000) as { cause: string };
    expect(endingOfCause(unseen)).toEqual({ endClass: 'unknown', reason: 'ended-unseen' });
    const talked = { ...newCall(), queuedAtMs: 1, agentAnsweredAtMs: 2 };
    expect(citizenEndReason(talked, unseen)).toMatchObject({ endClass: 'unknown', endReason: 'ended-unseen' });
    const waited = { ...newCall(), queuedAtMs: 1 };
    expect(citizenEndReason(waited, unseen)).toMatchObject({ endClass: 'caller', endReason: 'abandoned-waiting' });
  });
});
