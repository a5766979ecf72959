/** How a benchmark sums its measurements up. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest-rank percentiles, two decimals; NaN for no values. */
export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => round(sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of each percentile over several rounds. */
export function medianPercentiles(rounds: readonly Percentiles[]): Percentiles {
  const of = (name: keyof Percentiles): number => round(median(rounds.map((round) => round[name])));
  return { p50: of('p50'), p95: of('p95'), p99: of('p99'), max: of('max') };
}

/** Two decimals. */
export const round = (value: number): number => Math.round(value * 100) / 100;
