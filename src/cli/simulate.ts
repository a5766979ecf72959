/**
 * Simulates the call control: `simulate [--seed <first>] [--seeds <count>] [--hours <virtual hours>]`.
 * A seed is replayed exactly. Exit code 0: sound; 1: a rule was violated; 2: wrong use.
 */
import { parseArgs } from 'node:util';
import { describeOutcome, simulate } from '../simulation/run.ts';

const usage = 'Use: simulate [--seed N] [--seeds COUNT] [--hours H]';

/** Runs one seed after the other and writes one line for each. @returns the exit code. */
export async function simulateCommand(args: readonly string[], writeLine: (line: string) => void): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    writeLine(usage);
    return 2;
  }
  for (let seed = options.seed; seed < options.seed + options.seeds; seed += 1) {
    const outcome = await simulate(seed, options.hours);
    writeLine(describeOutcome(outcome));
    if (outcome.violation !== undefined) return 1;
  }
  return 0;
}

function readOptions(args: readonly string[]): { seed: number; seeds: number; hours: number } | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string', default: '1' },
        seeds: { type: 'string', default: '1' },
        hours: { type: 'string', default: '1' },
      },
    });
    const [seed, seeds, hours] = [Number(values.seed), Number(values.seeds), Number(values.hours)];
    return Number.isSafeInteger(seed) && Number.isSafeInteger(seeds) && hours > 0 ? { seed, seeds, hours } : undefined;
  } catch {
    // parseArgs throws for options that it doesn't know; the usage says which there are.
    return undefined;
  }
}
