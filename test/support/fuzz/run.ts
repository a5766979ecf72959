import { hostileInput, seededRandom } from './mutate.ts';
import type { FuzzedReader } from './readers.ts';

export interface FuzzResult {
  readonly inputs: number;
  /** The first inputs that made the reader throw, as base64. */
  readonly throws: readonly { readonly error: string; readonly input: string }[];
  readonly throwCount: number;
  /** Of this process: highest resident memory, looked at every thousand inputs. */
  readonly peakMemoryMb: number;
  readonly slowestMs: number;
  readonly inputsPerSecond: number;
}

const KEPT_THROWS = 5;

/** Gives `inputs` hostile inputs to a reader and tells what became of them. */
export function fuzz(reader: FuzzedReader, inputs: number, seed: number): FuzzResult {
  const random = seededRandom(seed);
  const throws: { error: string; input: string }[] = [];
  let [throwCount, slowestMs, peakBytes, readMs] = [0, 0, 0, 0];
  for (let count = 0; count < inputs; count += 1) {
    const input = hostileInput(reader.corpus, random);
    const startMs = performance.now();
    try {
      reader.read(input);
    } catch (error) {
      throwCount += 1;
      if (throws.length < KEPT_THROWS) throws.push({ error: String(error), input: input.toString('base64') });
    }
    const tookMs = performance.now() - startMs;
    readMs += tookMs;
    slowestMs = Math.max(slowestMs, tookMs);
    if (count % 1000 === 0) peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }
  return {
    inputs,
    throws,
    throwCount,
    peakMemoryMb: Math.round(peakBytes / 2 ** 20),
    slowestMs: Math.round(slowestMs * 10) / 10,
    inputsPerSecond: Math.round((inputs / Math.max(readMs, 1)) * 1000),
  };
}
