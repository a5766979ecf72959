/**
 * How fast a call is dispatched: 200 calls at 20 a second, 50 ready agents, 2 s of talk. From the switch's event that
 * the caller waits to the INVITE at the agent's phone (`offer_ms`) and to the pop at his desk (`pop_ms`), lost calls,
 * peak memory. The built service runs as processes of its own on the embedded switch and, where there is one, on
 * FreeSWITCH (FREESWITCH_BIN or PATH). The peer is mod_callcenter: with the same 50 agents, of whom it runs short,
 * because it lets each rest until the second is over, and with 100, of whom it doesn't. The last line is JSON.
 *
 * Run: `npm run -s bench:dispatch [-- <rounds>] [embedded|freeswitch|mod_callcenter|mod_callcenter_100 …] [silent]`;
 * with `silent` the phones don't speak.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findFreeswitch } from './dispatch/freeswitch.ts';
import { runLoadProcess } from './dispatch/load.ts';
import type { CallMarks } from './dispatch/order.ts';
import { type Contestant, isOurs, type Round, type RoundPlan, runRound } from './dispatch/round.ts';
import { runSoundProcess } from './dispatch/sound.ts';
import { Closers } from './support/closers.ts';
import { median, medianPercentiles, type Percentiles, percentilesOf, round } from './support/figures.ts';
import { loadAverage, machineInfo } from './support/machine.ts';
import { builtService } from './support/service.ts';

const contestants: readonly Contestant[] = ['embedded', 'freeswitch', 'mod_callcenter', 'mod_callcenter_100'];
const roundLimitMs = 120_000;
const defaultRounds = 3;

const fullPlan: RoundPlan = {
  calls: 200,
  callsPerSecond: 20,
  talkMs: 2000,
  ringMs: 100,
  agents: 50,
  warmUpCalls: 20,
  sound: true,
};
const aim = { offerP99Ms: 10, popP99Ms: 20, lost: 0 };

/** What one round says. */
interface RoundFigures {
  readonly offer: Percentiles;
  readonly pop: Percentiles | undefined;
  /** From the event's own time stamp: what the Event Socket took is in it. */
  readonly fromStamp: Percentiles;
  /** From the citizen's own INVITE: the way through the switch and the flow included. */
  readonly fromInvite: Percentiles;
  readonly lost: number;
  readonly firstOfferMs: number;
}

function figuresOf({ load }: Round, withDesks: boolean): RoundFigures {
  const between = (
    calls: readonly CallMarks[],
    from: (call: CallMarks) => number | undefined,
    to: (call: CallMarks) => number | undefined,
  ): number[] =>
    calls.flatMap((call) => {
      const [start, end] = [from(call), to(call)];
      return start === undefined || end === undefined ? [] : [end - start];
    });
  const waits = (call: CallMarks) => call.waitsAt;
  const served = (call: CallMarks): boolean =>
    call.bridged && call.ended && call.waitsAt !== undefined && (!withDesks || call.poppedAt !== undefined);
  const first = load.first === undefined ? [] : between([load.first], waits, (call) => call.offeredAt);
  return {
    offer: percentilesOf(between(load.calls, waits, (call) => call.offeredAt)),
    pop: withDesks ? percentilesOf(between(load.calls, waits, (call) => call.poppedAt)) : undefined,
    fromStamp: percentilesOf(
      between(
        load.calls,
        (call) => call.stampedAt,
        (call) => call.offeredAt,
      ),
    ),
    fromInvite: percentilesOf(
      between(
        load.calls,
        (call) => call.invitedAt,
        (call) => call.offeredAt,
      ),
    ),
    lost: load.calls.filter((call) => !served(call)).length,
    firstOfferMs: round(first[0] ?? Number.NaN),
  };
}

function summary(rounds: readonly Round[], withDesks: boolean) {
  const figures = rounds.map((each) => figuresOf(each, withDesks));
  const offer = medianPercentiles(figures.map((each) => each.offer));
  const pops = figures.flatMap(({ pop }) => (pop === undefined ? [] : [pop]));
  const pop = pops.length === 0 ? undefined : medianPercentiles(pops);
  const lost = figures.reduce((sum, each) => sum + each.lost, 0);
  const names = Object.keys(rounds[0]?.processes ?? {});
  const peakMb = Object.fromEntries(
    names.map((name) => [name, Math.max(...rounds.map((each) => each.processes[name]?.peakMb ?? 0))]),
  );
  const cpu = Object.fromEntries(
    names.map((name) => [name, Math.round(median(rounds.map((each) => each.processes[name]?.cpuMs ?? 0)))]),
  );
  return {
    offer_ms: offer,
    ...(pop === undefined ? {} : { pop_ms: pop }),
    offer_from_event_stamp_ms: medianPercentiles(figures.map((each) => each.fromStamp)),
    from_invite_ms: medianPercentiles(figures.map((each) => each.fromInvite)),
    lost,
    ...(pop === undefined
      ? {}
      : { aim_met: { offer: offer.p99 <= aim.offerP99Ms, pop: pop.p99 <= aim.popP99Ms, lost: lost === aim.lost } }),
    peak_memory_mb: peakMb,
    cpu_ms: cpu,
    disk_flush_ms: medianPercentiles(rounds.map((each) => each.diskFlush)),
    rounds: rounds.map((each, index) => ({
      offer_ms: figures[index]?.offer,
      ...(withDesks ? { pop_ms: figures[index]?.pop } : {}),
      lost: figures[index]?.lost,
      first_call_offer_ms: figures[index]?.firstOfferMs,
      load_average: each.loadAverage,
      disk_flush_ms: each.diskFlush,
      generator: { delay_ms_p99: each.load.generatorDelayMsP99, cpu_percent: each.load.generatorCpuPercent },
    })),
  };
}

async function bench(closers: Closers, words: readonly string[]): Promise<void> {
  if (!existsSync(builtService)) throw new Error('nothing built yet: run "npm run build:server" first');
  const plan = { ...fullPlan, sound: !words.includes('silent') };
  const rounds = Math.max(1, Number(words.find((word) => /^\d+$/.test(word)) ?? defaultRounds));
  const named = contestants.filter((name) => words.includes(name));
  const freeswitch = await findFreeswitch();
  const possible = contestants.filter((name) => {
    if (name === 'embedded') return true;
    return name === 'freeswitch' ? freeswitch !== undefined : freeswitch?.callcenter === true;
  });
  const chosen = possible.filter((name) => named.length === 0 || named.includes(name));
  const left = contestants.filter((name) => !possible.includes(name));
  if (left.length > 0) console.log(`left out, as it is not installed: ${left.join(', ')}`);
  const loadBefore = loadAverage();
  const done = new Map<Contestant, Round[]>();
  const parts = { binary: freeswitch?.binary, loadProgram: fileURLToPath(import.meta.url), closers };
  for (let number = 1; number <= rounds; number += 1) {
    for (const name of chosen) {
      const result = await runRound(name, plan, parts);
      done.set(name, [...(done.get(name) ?? []), result]);
      const { offer, pop, lost } = figuresOf(result, isOurs(name));
      const popText = pop === undefined ? '' : `, pop p50 ${pop.p50} p99 ${pop.p99} ms`;
      console.log(
        `${number}/${rounds} ${name.padEnd(18)} offer p50 ${offer.p50} p95 ${offer.p95} p99 ${offer.p99} ms${popText}, ` +
          `${lost} lost, disk flush p50 ${result.diskFlush.p50} p99 ${result.diskFlush.p99} ms, load average ${result.loadAverage}`,
      );
    }
  }
  const figures = Object.fromEntries([...done].map(([name, results]) => [name, summary(results, isOurs(name))]));
  // The peer's better figure is the one to beat.
  const peers = [figures.mod_callcenter?.offer_ms, figures.mod_callcenter_100?.offer_ms].filter(
    (each) => each !== undefined,
  );
  const times = chosen.filter(isOurs).flatMap((name) => {
    const ours = figures[name]?.offer_ms;
    if (ours === undefined || peers.length === 0) return [];
    const best = (of: 'p50' | 'p99') => Math.min(...peers.map((peer) => peer[of]));
    return [[name, { p50: round(best('p50') / ours.p50), p99: round(best('p99') / ours.p99) }]] as const;
  });
  console.log(
    JSON.stringify({
      bench: 'dispatch',
      plan,
      aim,
      rounds,
      machine: machineInfo(),
      load_average_before: loadBefore,
      ...figures,
      ...(times.length === 0 ? {} : { times_faster_than_mod_callcenter: Object.fromEntries(times) }),
    }),
  );
}

const [part, ...rest] = process.argv.slice(2);
if (part === 'load') await runLoadProcess();
else if (part === 'sound') await runSoundProcess();
else {
  const words = part === undefined ? [] : [part, ...rest];
  const closers = new Closers();
  await closers.run(roundLimitMs * 3 * 10, () => bench(closers, words));
}
