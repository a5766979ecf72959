/**
 * How long it takes until work goes on when one of the three processes dies under a hundred calls, which are spread over
 * every state: control is killed and started again, stays dead for some new callers, is succeeded by a standby when it is
 * killed and when it is frozen; PostgreSQL is killed and away for a minute; the switch is killed. Each so many times. On
 * the embedded switch, and on FreeSWITCH if FREESWITCH_BIN names one. A repeat in which a call is not as it was before
 * counts as failed, and the rest goes on with new calls. The last line is JSON; times in milliseconds.
 *
 * Run: `npm run -s bench:failover [-- <repeats> [<seconds without PostgreSQL> [<fault> …]]]`; without names, all faults.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Crowd } from '../test/support/crowd/crowd.ts';
import { killControl, newCallsWithoutControl } from '../test/support/crowd/faults/control.ts';
import type { Figures } from '../test/support/crowd/faults/figures.ts';
import { killPostgres } from '../test/support/crowd/faults/postgres.ts';
import { killSwitch } from '../test/support/crowd/faults/switch.ts';
import { freezeLeader, killLeader } from '../test/support/crowd/faults/takeover.ts';
import { hundred } from '../test/support/crowd/plan.ts';
import { Closers, endChild } from './support/closers.ts';
import { type Percentiles, percentilesOf } from './support/figures.ts';
import { loadAverage, machineInfo } from './support/machine.ts';
import { builtService } from './support/service.ts';

const limitMs = 4 * 3_600_000;
const newCallers = 8;
const aims = { backToWorkMs: 3_000, takeoverMs: 5_000 } as const;

interface Order {
  readonly repeats: number;
  readonly postgresAbsentMs: number;
  readonly faults: readonly string[];
}

interface FaultResult {
  readonly done: number;
  readonly failures: readonly string[];
  readonly times: Readonly<Record<string, Percentiles>>;
}
type Results = Readonly<Record<string, FaultResult>>;

interface Fault {
  readonly name: string;
  readonly run: (crowd: Crowd, order: Order) => Promise<Figures>;
  /** It leaves no call: each repeat needs new ones. */
  readonly endsAll?: boolean;
}

const faults: readonly Fault[] = [
  { name: 'control_killed', run: (crowd) => killControl(crowd) },
  { name: 'control_stays_dead', run: (crowd) => newCallsWithoutControl(crowd, newCallers) },
  { name: 'leader_killed', run: async (crowd) => killLeader(crowd, await standbyOf(crowd)) },
  { name: 'leader_frozen', run: async (crowd) => freezeLeader(crowd, await standbyOf(crowd)) },
  { name: 'postgres_killed', run: (crowd, { postgresAbsentMs }) => killPostgres(crowd, postgresAbsentMs) },
  { name: 'switch_killed', run: (crowd) => killSwitch(crowd), endsAll: true },
];

/** One stands by already when an earlier repeat has needed it. */
async function standbyOf({ stage }: Crowd) {
  return stage.hasOther ? stage.other(stage.service) : await stage.standby();
}

/** The child: all faults on the switch that SWITCH_UNDER_TEST names. */
async function measure(order: Order, closers: Closers): Promise<Results> {
  const results: Record<string, FaultResult> = {};
  for (const fault of faults.filter(({ name }) => order.faults.includes(name)))
    results[fault.name] = await repeat(fault, order, closers);
  return results;
}

async function repeat(fault: Fault, order: Order, closers: Closers): Promise<FaultResult> {
  const figures: Figures[] = [];
  const failures: string[] = [];
  let leave: (() => Promise<void>) | undefined;
  let crowd: Crowd | undefined;
  for (let index = 1; index <= order.repeats; index += 1) {
    try {
      if (crowd === undefined) {
        const gathered = await Crowd.gather(hundred, { builtService });
        leave = closers.add('crowd', () => gathered.close());
        crowd = gathered;
      }
      await crowd.refresh();
      const measured = await fault.run(crowd, order);
      figures.push(measured);
      console.error(`${fault.name} ${index}/${order.repeats} ${JSON.stringify(rounded(measured))}`);
      if (fault.endsAll !== true) continue;
    } catch (error) {
      const told = String(error);
      failures.push(told.slice(0, 500));
      console.error(`${fault.name} ${index}/${order.repeats} failed: ${told.slice(0, 2000)}`);
    }
    crowd = undefined;
    await leave?.();
    leave = undefined;
  }
  await leave?.();
  return { done: figures.length, failures, times: summary(figures) };
}

const rounded = (figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Math.round(value)]));

function summary(figures: readonly Figures[]): Record<string, Percentiles> {
  const names = Object.keys(figures[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, percentilesOf(figures.map((one) => one[name] ?? Number.NaN))]));
}

/** The parent: one child for each switch. */
async function bench(order: Order, closers: Closers): Promise<void> {
  if (!existsSync(builtService)) throw new Error('nothing built yet: run "npm run build:server" first');
  const loadBefore = loadAverage();
  const kinds = process.env.FREESWITCH_BIN ? (['embedded', 'freeswitch'] as const) : (['embedded'] as const);
  const switches: Record<string, Results> = {};
  for (const kind of kinds) switches[kind] = await measureIn(kind, order, closers);
  const all = Object.values(switches);
  const worst = (fault: string, time: string): number =>
    Math.max(...all.map((results) => results[fault]?.times[time]?.max ?? Number.NaN));
  const backToWorkMs = Math.max(worst('control_killed', 'greetedMs'), worst('control_killed', 'desksMs'));
  const takeoverMs = Math.max(worst('leader_killed', 'leadsMs'), worst('leader_frozen', 'leadsMs'));
  const failed = all.flatMap((results) => Object.values(results)).some(({ failures }) => failures.length > 0);
  console.log(
    JSON.stringify({
      bench: 'failover',
      calls: hundred,
      ...order,
      machine: machineInfo(),
      load_average: { before: loadBefore, after: loadAverage() },
      switches,
      aims,
      // What was not measured is not met.
      aims_met: !failed && backToWorkMs <= aims.backToWorkMs && takeoverMs <= aims.takeoverMs,
    }),
  );
}

async function measureIn(kind: string, order: Order, closers: Closers): Promise<Results> {
  const { repeats, postgresAbsentMs, faults: names } = order;
  const child = fork(fileURLToPath(import.meta.url), [String(repeats), String(postgresAbsentMs / 1000), ...names], {
    env: { ...process.env, SWITCH_UNDER_TEST: kind, FAILOVER_BENCH_PART: '1' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = closers.add(`calls on ${kind}`, () => endChild(child));
  console.error(`on ${kind}:`);
  const results = await resultOf(child);
  await ended();
  return results;
}

function resultOf(child: ChildProcess): Promise<Results> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Results));
    child.once('exit', (code, signal) => reject(new Error(`the measurement ended with ${signal ?? code}`)));
  });
}

const known = faults.map(({ name }) => name);
const named = process.argv.slice(4);
const unknown = named.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`no such fault: ${unknown.join(', ')}; known are ${known.join(', ')}`);
const order: Order = {
  repeats: Math.max(1, Number(process.argv[2] ?? 20)),
  postgresAbsentMs: Math.max(0, Number(process.argv[3] ?? 60)) * 1000,
  faults: named.length === 0 ? known : named,
};
const closers = new Closers();
await closers.run(limitMs, async () => {
  if (process.env.FAILOVER_BENCH_PART !== undefined) {
    const results = await measure(order, closers);
    await new Promise((resolve) => process.send?.(results, resolve));
    // What a failed repeat has left open must not keep the process.
    process.exit(0);
  } else await bench(order, closers);
});
