/**
 * A long day: about a hundred calls at a time that come and go, hold, consult, join, transfer; phones that vanish; control
 * killed and started again, the database gone twice. Do memory, descriptors and handles of control and switch stay flat?
 * Run: `npm run -s bench:soak [-- --minutes 30] [--calls 100] [--switch embedded|freeswitch]`. The last line is JSON.
 * Control is killed after a fifth of the time; what counts is measured from two fifths on.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EslTestClient } from '../test/support/esl-test-client.ts';
import { testDomain } from '../test/support/switch.ts';
import { newAgents } from './dispatch/people.ts';
import { runSoundProcess } from './dispatch/sound.ts';
import { runSoakLoad, type SoakCounts, type SoakOrder, type ToSoak } from './soak/load.ts';
import { Closers, endChild } from './support/closers.ts';
import { heapAfterCollectionMb } from './support/heap.ts';
import { descriptors, loadAverage, machineInfo, residentMemoryMb, threads } from './support/machine.ts';
import { openStage, type Stage, type SwitchKind } from './support/stage.ts';
import { type Sample, trendOf } from './support/trend.ts';

const minuteMs = 60_000;
/** Each one collects control's garbage, which stops it for a moment. */
const sampleCount = 90;
const shortestSampleMs = 1_000;
const databaseGoneMs = 10_000;
/** Longer than the switch keeps a leg without sound, so that of vanished phones nothing is left. */
const emptyWithinMs = 120_000;
/** Agents for each call: a call of which the phone vanished holds its agent for a minute. */
const agentsPerCall = 1.3;
/** What counts as flat, in an hour: far below what a week would make trouble of. */
const allowedPerHour = { heapMb: 6, memoryMb: 12, handles: 5 } as const;
/** In the measured time as a whole: the database's pool opens up to ten connections when it must, and keeps them. */
const allowedDescriptors = 10;
/** Begin of each fault, as a part of the whole time. */
const faults = [
  { at: 0.2, what: 'control killed' },
  { at: 0.3, what: 'database gone' },
  { at: 0.7, what: 'database gone' },
] as const;
const countsFrom = 0.4;

type Part = 'control' | 'switch';
type Measure = keyof typeof allowedPerHour | 'descriptors';
const allowed = (measure: Measure, minutes: number): number =>
  measure === 'descriptors' ? (allowedDescriptors * 60) / (minutes * (1 - countsFrom)) : allowedPerHour[measure];
/** Where Node's inspector listens after SIGUSR1. */
const inspectorOfSignal = 9229;
const measures: readonly Measure[] = ['heapMb', 'memoryMb', 'descriptors', 'handles'];

/** Asks the switch on a connection for this once: a control that takes over ends all others. */
async function asked<T>(stage: Stage, ask: (esl: EslTestClient) => Promise<T>): Promise<T> {
  const esl = await EslTestClient.open(stage.plan.esl, '');
  try {
    return await ask(esl);
  } finally {
    await esl.close();
  }
}

type Look = Partial<Record<Part, Partial<Record<Measure, number>>>> & { readonly legs?: number };

/** All measurements of one moment; nothing while control is being started again. */
async function look(stage: Stage, switchInspectorPort: number | undefined): Promise<Look> {
  const { pid, webUrl } = stage.control;
  const metrics = await fetch(`${webUrl}/metrics`, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.text(),
    // It is being started again.
    () => '',
  );
  const handles = /^nodejs_active_resources_total (\d+)/m.exec(metrics)?.[1];
  // The moment may be the one in which connections are ended; then this is left out.
  const status = await asked(stage, (esl) => esl.api('status')).catch(() => '');
  const switchHandles =
    status === '' ? undefined : (/(\d+) active resource/.exec(status)?.[1] ?? threads(stage.switchPid));
  // Killed in this very moment, it is left out; `samples` in the last line says how many there were.
  const heapMb = await heapAfterCollectionMb(stage.inspectorPort).catch(() => undefined);
  const sessions = /^(\d+) session\(s\) - (?:peak|max) /m.exec(status)?.[1];
  if (handles === undefined || heapMb === undefined || sessions === undefined) return {};
  return {
    legs: Number(sessions),
    control: { heapMb, memoryMb: residentMemoryMb(pid), descriptors: descriptors(pid), handles: Number(handles) },
    switch: {
      ...(switchInspectorPort === undefined ? {} : { heapMb: await heapAfterCollectionMb(switchInspectorPort) }),
      memoryMb: residentMemoryMb(stage.switchPid),
      descriptors: descriptors(stage.switchPid),
      ...(switchHandles === undefined ? {} : { handles: Number(switchHandles) }),
    },
  };
}

const sampled = (): Record<Part, Record<Measure, Sample[]>> => ({
  control: { heapMb: [], memoryMb: [], descriptors: [], handles: [] },
  switch: { heapMb: [], memoryMb: [], descriptors: [], handles: [] },
});

async function counts(child: ChildProcess, ask: ToSoak): Promise<SoakCounts> {
  const answer = once(child, 'message');
  child.send(ask);
  const [told] = (await answer) as [SoakCounts];
  return told;
}

async function cause(what: (typeof faults)[number]['what'], stage: Stage): Promise<void> {
  process.stderr.write(`fault: ${what}\n`);
  if (what === 'control killed') {
    await stage.restartControl();
    return;
  }
  stage.proxy.cut(true);
  await pause(databaseGoneMs);
  stage.proxy.cut(false);
}

/** Legs that the switch has now. */
const legs = (stage: Stage): Promise<number> =>
  asked(stage, async (esl) => {
    const list = JSON.parse(await esl.api('show channels as json')) as { rows?: { uuid: string }[] };
    let there = 0;
    // FreeSWITCH's list keeps the row of a leg that hung up while it was being bridged.
    for (const { uuid } of list.rows ?? []) if ((await esl.api(`uuid_exists ${uuid}`)) === 'true') there += 1;
    return there;
  });

/** Legs that are left when everybody has gone. */
async function legsLeft(stage: Stage): Promise<number> {
  const beganMs = performance.now();
  for (;;) {
    const left = await legs(stage);
    if (left === 0 || performance.now() - beganMs > emptyWithinMs) return left;
    await pause(1_000);
  }
}

async function main(closers: Closers, minutes: number, calls: number, kind: SwitchKind): Promise<void> {
  const agents = newAgents(Math.ceil(calls * agentsPerCall));
  const subcentre = { user: '12366', password: randomBytes(12).toString('base64url'), session: undefined };
  const stage = await openStage(kind, [...agents, subcentre], { WRAP_UP_MS: '1000' }, closers);
  const { plan } = stage;
  const idle = descriptors(stage.switchPid);
  // FreeSWITCH has no heap of this kind.
  const switchInspectorPort = kind === 'embedded' ? inspectorOfSignal : undefined;
  if (switchInspectorPort !== undefined) process.kill(stage.switchPid, 'SIGUSR1');
  const child = fork(fileURLToPath(import.meta.url), ['load']);
  closers.add('the load', () => endChild(child));
  const ready = once(child, 'message');
  const order: SoakOrder = {
    trunk: plan.trunk,
    agentsSide: plan.agents,
    domain: testDomain,
    webUrl: stage.control.webUrl,
    agents,
    subcentre,
    calls,
    seed: 12345,
  };
  child.send(order);
  await ready;
  const loadBefore = loadAverage();
  const samples = sampled();
  const wholeMs = minutes * minuteMs;
  const everyMs = Math.max(shortestSampleMs, wholeMs / sampleCount);
  const pending = [...faults];
  const startedMs = performance.now();
  let fault = Promise.resolve();
  for (let elapsedMs = 0; elapsedMs < wholeMs; elapsedMs = performance.now() - startedMs) {
    const next = pending[0];
    if (next !== undefined && elapsedMs >= next.at * wholeMs) {
      pending.shift();
      fault = fault.then(() => cause(next.what, stage));
    }
    const seen = await look(stage, switchInspectorPort);
    if (elapsedMs >= countsFrom * wholeMs) {
      for (const part of ['control', 'switch'] as const)
        for (const measure of measures) {
          const value = seen[part]?.[measure];
          if (value !== undefined) samples[part][measure].push({ atMs: elapsedMs, value, load: seen.legs ?? 0 });
        }
    }
    if (Math.floor(elapsedMs / minuteMs) !== Math.floor((elapsedMs - everyMs) / minuteMs))
      process.stderr.write(
        `${JSON.stringify({ atMs: Math.round(elapsedMs), ...seen, ...(await counts(child, 'counts')) })}\n`,
      );
    await pause(everyMs);
  }
  await fault;
  const made = await counts(child, 'stop');
  const left = await legsLeft(stage);
  const metrics = await (await fetch(`${stage.control.webUrl}/metrics`)).text();
  const trends = Object.fromEntries(
    (['control', 'switch'] as const).map((part) => [
      part,
      Object.fromEntries(
        measures
          .filter((measure) => samples[part][measure].length > 0)
          .map((measure) => [measure, trendOf(samples[part][measure], allowed(measure, minutes))]),
      ),
    ]),
  );
  // Resident memory follows the heap with what Node keeps for later; it decides where no heap can be asked for.
  const allFlat = Object.values(trends).every((measured) =>
    Object.entries(measured).every(([name, { isFlat }]) => isFlat || (name === 'memoryMb' && 'heapMb' in measured)),
  );
  const line = {
    bench: 'soak',
    switch: kind,
    minutes,
    calls,
    made,
    faults: faults.map(({ at, what }) => `${what} at ${at * minutes} min`),
    left: {
      legs: left,
      calls: Number(/^yht_calls_live (\d+)/m.exec(metrics)?.[1] ?? Number.NaN),
      storeBacklog: Number(/^yht_store_backlog (\d+)/m.exec(metrics)?.[1] ?? Number.NaN),
      switchDescriptors: descriptors(stage.switchPid) - idle,
    },
    samples: samples.control.heapMb.length,
    trends,
    allFlat,
    loadBefore,
    machine: machineInfo(),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (!allFlat || left > 0) process.exitCode = 1;
}

const { values, positionals } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    calls: { type: 'string', default: '100' },
    switch: { type: 'string', default: 'embedded' },
  },
  allowPositionals: true,
});
if (positionals[0] === 'load') await runSoakLoad();
else if (positionals[0] === 'sound') await runSoundProcess();
else {
  const minutes = Number(values.minutes);
  const calls = Number(values.calls);
  const kind = values.switch;
  if (!(minutes >= 1 && minutes <= 1440)) throw new Error(`--minutes must be 1 to 1440, not ${values.minutes}`);
  if (!(calls >= 1 && calls <= 250)) throw new Error(`--calls must be 1 to 250, not ${values.calls}`);
  if (kind !== 'embedded' && kind !== 'freeswitch')
    throw new Error(`--switch must be embedded or freeswitch, not ${kind}`);
  const closers = new Closers();
  await closers.run(minutes * minuteMs + 10 * minuteMs, () => main(closers, minutes, calls, kind));
}
