import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit } from '../../src/domain/acd/admission.ts';

describe('who is let in', () => {
  it.each([
    [0, 0, 'in'],
    [9, 10, 'in'],
    [10, 0, 'turnAway'],
    [10, 9, 'turnAway'],
    [10, 10, 'busy'],
  ] as const)('with %i calls let in and %i turned away: %s', (letIn, turnedAway, expected) => {
    expect(admit({ letIn, turnedAway }, 10)).toBe(expected);
  });

  it('never more than the limit, and never more than twice the limit in all, whoever comes and goes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.boolean(), { maxLength: 200 }), (limit, comings) => {
        const present = { letIn: 0, turnedAway: 0 };
        for (const comes of comings) {
          const admission = admit(present, limit);
          if (comes && admission === 'in') present.letIn += 1;
          else if (comes && admission === 'turnAway') present.turnedAway += 1;
          else if (!comes && present.turnedAway > 0) present.turnedAway -= 1;
          else if (!comes && present.letIn > 0) present.letIn -= 1;
          expect(present.letIn).toBeLessThanOrEqual(limit);
          expect(present.letIn + present.turnedAway).toBeLessThanOrEqual(2 * limit);
        }
      }),
    );
  });
});
