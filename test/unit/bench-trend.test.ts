import { describe, expect, it } from 'vitest';
import { type Sample, trendOf } from '../../bench/support/trend.ts';

const minuteMs = 60_000;
/** Some disorder that is the same each time. */
const noise = (index: number): number => ((index * 7919) % 13) / 13 - 0.5;
/** More and more goes on, and not evenly. */
const loadAt = (index: number): number => 100 + index / 2 + 8 * Math.sin(index);
const samples = (valueAt: (index: number) => number): Sample[] =>
  Array.from({ length: 60 }, (_, index) => ({ atMs: index * minuteMs, value: valueAt(index), load: loadAt(index) }));

describe('the trend of a measurement', () => {
  it('is flat when it only follows the load, however much that rises', () => {
    const trend = trendOf(
      samples((index) => 4 * loadAt(index) + noise(index)),
      1,
    );
    expect(trend.isFlat).toBe(true);
    expect(Math.abs(trend.slopePerHour)).toBeLessThan(2);
  });

  it('is found beside the load', () => {
    const trend = trendOf(
      samples((index) => 4 * loadAt(index) + (index / 60) * 30 + noise(index)),
      1,
    );
    expect(trend.isFlat).toBe(false);
    expect(trend.from).toBeLessThan(30);
    expect(trend.to).toBeGreaterThan(30);
  });

  it('is that of time alone while the load stays the same', () => {
    const even = samples((index) => (index / 60) * 12 + noise(index)).map((sample) => ({ ...sample, load: 100 }));
    expect(trendOf(even, 1)).toMatchObject({ isFlat: false });
    expect(trendOf(even, 20)).toMatchObject({ isFlat: true });
  });

  it('needs a sample for each stretch', () => {
    expect(() => trendOf(samples(() => 1).slice(0, 11), 1)).toThrow('12 samples');
  });
});
