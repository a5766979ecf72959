/**
 * Time until the service is ready: the built service as `npm start` runs it, with embedded switch and PostgreSQL, from
 * the start of its process to its line that says so. `cold`: a fresh data folder, so the database is made and migrated.
 * `second`: started again on the same data. Every round has its own folder. The last line is JSON.
 *
 * Run: `npm run -s bench:start [-- <rounds>]`
 */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../test/support/free-ports.ts';
import { Closers } from './support/closers.ts';
import { median } from './support/figures.ts';
import { loadAverage, machineInfo } from './support/machine.ts';
import { builtService, startService } from './support/service.ts';

const defaultRounds = 5;
const limitMs = 600_000;
const aimMs = 15_000;

async function freePorts(): Promise<Record<string, string>> {
  const names = ['HTTP_PORT', 'ESL_PORT', 'SIP_TRUNK_PORT', 'SIP_AGENTS_PORT'];
  const ports: [string, string][] = [];
  for (const name of names) ports.push([name, String(await freePort())]);
  return Object.fromEntries(ports);
}

/** Starts and stops the service once. @returns milliseconds until it was ready, and until it had stopped. */
async function once(folder: string, closers: Closers): Promise<{ readyMs: number; stopMs: number }> {
  const settings = { DATA_FOLDER: join(folder, 'data'), LOG_LEVEL: 'info', ...(await freePorts()) };
  const service = await startService(settings, join(folder, 'service.log'));
  const stop = closers.add('service', () => service.stop());
  const stoppingAt = performance.now();
  await stop();
  return { readyMs: service.readyMs, stopMs: performance.now() - stoppingAt };
}

const summary = (values: readonly number[]) => ({
  median_ms: Math.round(median(values)),
  max_ms: Math.round(Math.max(...values)),
  all_ms: values.map(Math.round),
});

async function bench(closers: Closers, rounds: number): Promise<void> {
  if (!existsSync(builtService)) throw new Error('nothing built yet: run "npm run build:server" first');
  const loadBefore = loadAverage();
  const cold: number[] = [];
  const second: number[] = [];
  const stops: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'yht-bench-start-'));
    // Root's PostgreSQL is run by an unprivileged user, who must be able to pass; else it would lie outside this folder.
    await chmod(folder, 0o755);
    const remove = closers.add('temporary folder', () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const first = await once(folder, closers);
    const again = await once(folder, closers);
    await remove();
    cold.push(first.readyMs);
    second.push(again.readyMs);
    stops.push(first.stopMs, again.stopMs);
    console.log(`${round}/${rounds} cold ${Math.round(first.readyMs)} ms, second ${Math.round(again.readyMs)} ms`);
  }
  console.log(
    JSON.stringify({
      bench: 'start',
      rounds,
      machine: machineInfo(),
      load_average: { before: loadBefore, after: loadAverage() },
      cold: summary(cold),
      second: summary(second),
      stop: summary(stops),
      aim: { ready_ms: aimMs },
      aim_met: Math.max(...cold, ...second) <= aimMs,
    }),
  );
}

const closers = new Closers();
await closers.run(limitMs, () => bench(closers, Math.max(1, Number(process.argv[2] ?? defaultRounds))));
