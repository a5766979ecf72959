/** Whether a row of measurements goes up: the slope of a straight line through it, and how sure that is. */
import { round } from './figures.ts';

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

export interface Trend {
  readonly first: number;
  readonly last: number;
  readonly slopePerHour: number;
  /** The slope's 95 % confidence interval. */
  readonly from: number;
  readonly to: number;
  readonly isFlat: boolean;
}

const hourMs = 3_600_000;
/** Samples that follow each other are alike, so means of so many stretches are taken for independent, not the samples. */
const stretches = 12;
/** Student's t, two-sided 95 %, for 10 degrees of freedom. */
const t95 = 2.228;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function meansOf(samples: readonly Sample[]): Sample[] {
  const size = samples.length / stretches;
  return Array.from({ length: stretches }, (_, index) => {
    const part = samples.slice(Math.floor(index * size), Math.floor((index + 1) * size));
    return { atMs: mean(part.map(({ atMs }) => atMs)), value: mean(part.map(({ value }) => value)) };
  });
}

/**
 * Least squares through the means of twelve stretches.
 * @param allowedPerHour a rise that is not called one, as long as the interval reaches down to it
 * @throws Error with fewer samples than stretches.
 */
export function trendOf(samples: readonly Sample[], allowedPerHour: number): Trend {
  if (samples.length < stretches) throw new Error(`a trend needs ${stretches} samples, not ${samples.length}`);
  const points = meansOf(samples);
  const middle = { atMs: mean(points.map(({ atMs }) => atMs)), value: mean(points.map(({ value }) => value)) };
  const spread = points.reduce((sum, { atMs }) => sum + (atMs - middle.atMs) ** 2, 0);
  const slope =
    points.reduce((sum, { atMs, value }) => sum + (atMs - middle.atMs) * (value - middle.value), 0) / spread;
  const left = points.reduce(
    (sum, { atMs, value }) => sum + (value - middle.value - slope * (atMs - middle.atMs)) ** 2,
    0,
  );
  const error = Math.sqrt(left / (stretches - 2) / spread);
  const [from, to] = [(slope - t95 * error) * hourMs, (slope + t95 * error) * hourMs];
  return {
    first: round(points[0]?.value ?? Number.NaN),
    last: round(points.at(-1)?.value ?? Number.NaN),
    slopePerHour: round(slope * hourMs),
    from: round(from),
    to: round(to),
    isFlat: from <= allowedPerHour,
  };
}
