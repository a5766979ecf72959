import type { Violation } from './invariants.ts';
import { formatTime } from './trace.ts';
import { World } from './world.ts';

export interface SimulationOutcome {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  /** Of everything that happened; the same seed and hours always give the same. */
  readonly traceHash: string;
  readonly violation: Violation | undefined;
  /** For a violation: what happened last around it. */
  readonly lastLines: readonly string[];
}

const shownLines = 200;

/**
 * Lets a world of this seed live for so many virtual hours, or until something is wrong.
 * @param hours of virtual time; fractions are welcome
 */
export async function simulate(seed: number, hours: number): Promise<SimulationOutcome> {
  const world = new World(seed);
  const startMs = world.clock.now();
  const violation = await world.run(hours);
  return {
    seed,
    steps: world.trace.step,
    virtualMs: world.clock.now() - startMs,
    traceHash: world.trace.digest,
    violation,
    lastLines: violation === undefined ? [] : world.trace.last(new Set(violation.about), shownLines),
  };
}

/** The outcome for a person to read. */
export function describeOutcome(outcome: SimulationOutcome): string {
  const { seed, steps, virtualMs, traceHash, violation, lastLines } = outcome;
  const summary = `seed ${seed}: ${formatTime(virtualMs)}, ${steps} steps, trace ${traceHash.slice(0, 16)}`;
  if (violation === undefined) return `${summary}: sound`;
  return [
    ...lastLines,
    `${summary}: VIOLATED: ${violation.rule}`,
    `  ${violation.detail}`,
    `  about ${violation.about.join(', ')}`,
  ].join('\n');
}
