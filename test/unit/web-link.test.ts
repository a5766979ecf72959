import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestRetryMs, type Place, received, retryDelayMs, startPlace, welcomed } from '../../web/src/lib/link.ts';

describe('the place in the numbered pushes', () => {
  it('starts anew with another epoch and goes on where the link was resumed', () => {
    const place: Place = { epoch: 'one', lastSeq: 7 };
    expect(welcomed(place, { epoch: 'one', resumed: true })).toEqual(place);
    expect(welcomed(place, { epoch: 'one', resumed: false })).toEqual({ epoch: 'one', lastSeq: undefined });
    expect(welcomed(place, { epoch: 'two', resumed: true })).toEqual({ epoch: 'two', lastSeq: undefined });
    expect(welcomed(startPlace, { epoch: 'one', resumed: false })).toEqual({ epoch: 'one', lastSeq: undefined });
  });

  it('takes any first number, then each number once, gaps allowed', () => {
    let place: Place = { epoch: 'one', lastSeq: undefined };
    const taken = [4, 4, 5, 3, 9, 5, 10].filter((seq) => {
      const step = received(place, seq);
      place = step.place;
      return step.fresh;
    });
    expect(taken).toEqual([4, 5, 9, 10]);
    expect(place.lastSeq).toBe(10);
  });
});

describe('the waiting time before a new try', () => {
  it('grows from 0.1–0.2 s to 2.5–5 s', () => {
    expect(retryDelayMs(0, 0)).toBe(100);
    expect(retryDelayMs(0, 0.999_999)).toBe(200);
    expect(retryDelayMs(30, 0)).toBe(longestRetryMs / 2);
    expect(retryDelayMs(30, 0.999_999)).toBe(longestRetryMs);
  });

  it('never leaves its bounds', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const delayMs = retryDelayMs(attempt, random);
        return delayMs >= 100 && delayMs <= longestRetryMs;
      }),
    );
  });
});
