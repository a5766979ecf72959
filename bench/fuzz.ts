/**
 * Hostile inputs for every reader that faces the outside: 10^6 each of SIP, SDP, RTP, Event Socket (both ends) and WAV.
 * One process per reader, so that memory is each one's own. Run: `npm run -s bench:fuzz -- [--inputs N] [--seed N]`;
 * progress goes to stderr, the last line is JSON. Ends with 1 when a reader threw, died, or took too much time or memory.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzedReaders } from '../test/support/fuzz/readers.ts';
import { type FuzzResult, fuzz } from '../test/support/fuzz/run.ts';

/** Far above what honest readers need, far below what one that grows without end would take. */
const MAX_MEMORY_MB = 512;
const DEADLINE_MS = 400_000;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '4475' },
    reader: { type: 'string' },
  },
});
const [inputs, seed] = [Number(values.inputs), Number(values.seed)];

async function runApart(name: string): Promise<FuzzResult | { crash: string }> {
  const args = ['--inputs', String(inputs), '--seed', String(seed), '--reader', name];
  const child = fork(fileURLToPath(import.meta.url), args, { timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
  let result: FuzzResult | undefined;
  child.on('message', (message) => {
    result = message as FuzzResult;
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return result ?? { crash: `ended with ${signal ?? code} before it was through` };
}

async function main(): Promise<void> {
  const readers: Record<string, FuzzResult | { crash: string }> = {};
  for (const { name } of fuzzedReaders) {
    process.stderr.write(`${name}: ${inputs} inputs\n`);
    readers[name] = await runApart(name);
  }
  const all = Object.values(readers);
  const crashes = all.filter((one) => 'crash' in one).length;
  const throws = all.reduce((sum, one) => sum + ('crash' in one ? 0 : one.throwCount), 0);
  const peakMemoryMb = Math.max(...all.map((one) => ('crash' in one ? 0 : one.peakMemoryMb)));
  process.exitCode = crashes > 0 || throws > 0 || peakMemoryMb > MAX_MEMORY_MB ? 1 : 0;
  process.stdout.write(`${JSON.stringify({ bench: 'fuzz', seed, inputs, crashes, throws, peakMemoryMb, readers })}\n`);
}

const reader = fuzzedReaders.find(({ name }) => name === values.reader);
if (reader === undefined) await main();
else process.send?.(fuzz(reader, inputs, seed), () => process.disconnect());
