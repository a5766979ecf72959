/** Whether a row of measurements goes up with time: the slope of a straight line through it, and how sure that is. */
import { round } from './figures.ts';

export interface Sample {
  readonly atMs: number;
  readonly value: number;
  /** How much was going on at that moment: what rises with it, and with nothing else, does not rise with time. */
  readonly load: number;
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
/** Student's t, two-sided 95 %, for 9 degrees of freedom: twelve stretches, less the line's two numbers and the load's one. */
const t95 = 2.262;
const freedom = stretches - 3;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function meansOf(samples: readonly Sample[]): Sample[] {
  const size = samples.length / stretches;
  return Array.from({ length: stretches }, (_, index) => {
    const part = samples.slice(Math.floor(index * size), Math.floor((index + 1) * size));
    const meanOf = (what: keyof Sample): number => mean(part.map((sample) => sample[what]));
    return { atMs: meanOf('atMs'), value: meanOf('value'), load: meanOf('load') };
  });
}

/** What is left of the values when what follows from the loads by a straight line is taken off. */
function withoutLoad(values: readonly number[], loads: readonly number[]): number[] {
  const [value, load] = [mean(values), mean(loads)];
  const spread = loads.reduce((sum, one) => sum + (one - load) ** 2, 0);
  const common = loads.reduce((sum, one, index) => sum + (one - load) * ((values[index] ?? 0) - value), 0);
  const perLoad = spread === 0 ? 0 : common / spread;
  return values.map((one, index) => one - value - perLoad * ((loads[index] ?? 0) - load));
}

/**
 * Least squares through the means of twelve stretches, in time and load.
 * @param allowedPerHour a rise that is not called one, as long as the interval reaches down to it
 * @throws Error with fewer samples than stretches.
 */
export function trendOf(samples: readonly Sample[], allowedPerHour: number): Trend {
  if (samples.length < stretches) throw new Error(`a trend needs ${stretches} samples, not ${samples.length}`);
  const points = meansOf(samples);
  const loads = points.map(({ load }) => load);
  const times = withoutLoad(
    points.map(({ atMs }) => atMs),
    loads,
  );
  const values = withoutLoad(
    points.map(({ value }) => value),
    loads,
  );
  const valueAt = (index: number): number => values[index] ?? 0;
  const spread = times.reduce((sum, time) => sum + time ** 2, 0);
  const slope = times.reduce((sum, time, index) => sum + time * valueAt(index), 0) / spread;
  const left = times.reduce((sum, time, index) => sum + (valueAt(index) - slope * time) ** 2, 0);
  const error = Math.sqrt(left / freedom / spread);
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
