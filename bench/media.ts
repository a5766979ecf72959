/**
 * What sound costs the switches: bridged G.711 calls and three-party conferences, through SIP and RTP as telephones do
 * it, with and without recording, on the embedded switch and on FreeSWITCH in one run. CPU and memory of the switch's
 * process, delay that it adds, packets that it loses.
 * Run: `npm run -s bench:media [-- embedded|freeswitch]`; FreeSWITCH takes part where FREESWITCH_BIN or the PATH has
 * one. The last line is JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedSwitch } from '../test/support/embedded-switch.ts';
import { EslTestClient } from '../test/support/esl-test-client.ts';
import { startFreeswitch } from '../test/support/freeswitch.ts';
import { findFreeswitchBinary } from '../test/support/freeswitch-process.ts';
import { planSwitch } from '../test/support/switch.ts';
import { type Caller, Callers } from './media/callers.ts';
import { runPhonesProcess, type SoundFigures, type ToPhones } from './media/phones.ts';
import { Closers, endChild } from './support/closers.ts';
import { percentilesOf, round } from './support/figures.ts';
import { commandLine, cpuMs, loadAverage, machineInfo, residentMemoryMb, withDescendants } from './support/machine.ts';

const LIMIT_MS = 900_000;
const BRIDGED = [10, 50, 100, 200];
const CONFERENCES = 10;
const WARM_UP_MS = 1_500;
const MEASURED_MS = 8_000;
/** Answering and bridging is done in small groups, so that the set-up is no flood. */
const GROUP = 10;
const RTP_PORTS = 1_200;

type Kind = 'embedded' | 'freeswitch';

interface Work {
  readonly what: 'bridge' | 'conference';
  readonly calls: number;
  readonly recorded: boolean;
}

interface Figures extends Work {
  readonly switch: Kind;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly cpuPercentPerCall: number;
  readonly memoryMb: number;
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly sent: number;
  readonly lost: number;
  readonly generatorCpuPercent: number;
}

interface Switch {
  readonly kind: Kind;
  readonly pid: number;
  readonly esl: EslTestClient;
  readonly callers: Callers;
  readonly recordingsFolder: string;
}

const isOf: Record<Kind, (command: string) => boolean> = {
  embedded: (command) => command.includes('softswitch'),
  freeswitch: (command) => /freeswitch .*-nf/.test(command),
};

async function startSwitch(kind: Kind, closers: Closers): Promise<Switch> {
  const plan = await planSwitch({ rtpPorts: RTP_PORTS });
  const running = await (kind === 'embedded' ? startEmbeddedSwitch(plan) : startFreeswitch(plan));
  closers.add(kind, () => running.stop());
  const pid = withDescendants(process.pid).find((one) => isOf[kind](commandLine(one)));
  if (pid === undefined) throw new Error(`the process of ${kind} was not found`);
  const esl = await EslTestClient.open(plan.esl);
  closers.add('the Event Socket', () => esl.close());
  const callers = await Callers.open(plan.trunk);
  closers.add('the callers', async () => callers.close());
  return { kind, pid, esl, callers, recordingsFolder: plan.recordingsFolder };
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const gone = once(child, 'exit').then(() => {
    throw new Error('the phones’ process ended');
  });
  const [reply] = (await Promise.race([once(child, 'message'), gone])) as [T];
  return reply;
}

function ask<T>(child: ChildProcess, message: ToPhones): Promise<T> {
  const answer = answerOf<T>(child);
  child.send(message);
  return answer;
}

async function ok(esl: EslTestClient, command: string): Promise<void> {
  const answer = await esl.api(command);
  if (!answer.startsWith('+OK')) throw new Error(`${command}: ${answer}`);
}

/** One call: all its legs answered and put together. @returns the callers and where the switch hears them. */
async function connect(one: Switch, work: Work, index: number, rtpPorts: readonly number[]) {
  const { esl, callers, recordingsFolder } = one;
  const legs: { readonly caller: Caller; readonly leg: string; readonly port: number }[] = [];
  for (const [member, rtpPort] of rtpPorts.entries()) {
    const caller = callers.call(`139${String(index * 10 + member).padStart(8, '0')}`, rtpPort);
    const parked = await esl.event('CHANNEL_PARK', { variable_sip_call_id: caller.callId });
    const leg = parked.headers['Unique-ID'] ?? '';
    await ok(esl, `sched_del ${leg}`);
    await ok(esl, `uuid_answer ${leg}`);
    legs.push({ caller, leg, port: await caller.answered });
  }
  const [first, second] = legs;
  if (work.what === 'bridge') await ok(esl, `uuid_bridge ${first?.leg} ${second?.leg}`);
  else for (const { leg } of legs) await ok(esl, `uuid_transfer ${leg} conf-bench${index} XML yihaotong`);
  if (work.recorded)
    await ok(esl, `uuid_record ${first?.leg} start ${join(recordingsFolder, `${work.what}${index}.wav`)}`);
  return legs;
}

async function measure(one: Switch, work: Work): Promise<Figures> {
  const party = work.what === 'bridge' ? 2 : 3;
  const child = fork(fileURLToPath(import.meta.url), ['phones'], { serialization: 'advanced' });
  try {
    const rtpPorts = await ask<number[]>(child, { open: work.calls * party });
    const legs: Awaited<ReturnType<typeof connect>> = [];
    for (let from = 0; from < work.calls; from += GROUP) {
      const indices = Array.from({ length: Math.min(GROUP, work.calls - from) }, (_, index) => from + index);
      const group = indices.map((index) =>
        connect(one, work, index, rtpPorts.slice(index * party, (index + 1) * party)),
      );
      legs.push(...(await Promise.all(group)).flat());
    }
    const ports = legs.map(({ port }) => port);
    await ask<'counting'>(child, { send: { ports, party, warmUpMs: WARM_UP_MS, forMs: MEASURED_MS } });
    const cpuBefore = cpuMs(one.pid);
    const startedMs = performance.now();
    const sound = await answerOf<SoundFigures>(child);
    const cpuPercent = ((cpuMs(one.pid) - cpuBefore) / (performance.now() - startedMs)) * 100;
    const memoryMb = residentMemoryMb(one.pid);
    for (const { caller } of legs) caller.hangup();
    for (const { leg } of legs)
      await one.esl.event('CHANNEL_HANGUP_COMPLETE', { 'Unique-ID': leg }, { withinMs: 20_000 });
    const { p50, p99, max } = percentilesOf(sound.delaysMs);
    return {
      switch: one.kind,
      ...work,
      cpuPercent: round(cpuPercent),
      cpuPercentPerCall: round(cpuPercent / work.calls),
      memoryMb,
      delayMs: { p50, p99, max },
      sent: sound.sent,
      lost: Math.max(0, sound.sent - sound.received),
      generatorCpuPercent: round(sound.cpuPercent),
    };
  } finally {
    await endChild(child);
  }
}

/** Each piece of work on a switch of its own, so that memory and threads of the one before don't count. */
async function runWork(kind: Kind, work: Work, closers: Closers): Promise<Figures> {
  const own = new Closers();
  const close = closers.add(`${kind} for ${work.calls}`, () => own.closeAll());
  try {
    const figures = await measure(await startSwitch(kind, own), work);
    process.stderr.write(`${JSON.stringify(figures)}\n`);
    return figures;
  } finally {
    await close();
  }
}

/** The aims of issue 3, section 6; undefined where FreeSWITCH did not take part. */
function aims(results: readonly Figures[]) {
  const find = (kind: Kind, recorded: boolean, calls: number) =>
    results.find(
      (one) => one.switch === kind && one.what === 'bridge' && one.recorded === recorded && one.calls === calls,
    );
  const cpuRatio = (recorded: boolean) => {
    const [ours, theirs] = [find('embedded', recorded, 100), find('freeswitch', recorded, 100)];
    return ours === undefined || theirs === undefined ? undefined : round(ours.cpuPercent / theirs.cpuPercent);
  };
  const at200 = find('embedded', false, 200);
  const plain = results.filter((one) => one.switch === 'embedded' && one.what === 'bridge' && !one.recorded);
  return {
    cpuToFreeswitchAt100: cpuRatio(false),
    cpuToFreeswitchAt100Recorded: cpuRatio(true),
    delayMsP99: plain.length === 0 ? undefined : Math.max(...plain.map(({ delayMs }) => delayMs.p99)),
    lostAt200: at200?.lost,
  };
}

async function main(closers: Closers, wanted: string | undefined): Promise<void> {
  const found = await findFreeswitchBinary(process.env);
  const kinds = (['embedded', 'freeswitch'] as const).filter(
    (kind) => (wanted === undefined || wanted === kind) && (kind === 'embedded' || found !== undefined),
  );
  const loadBefore = loadAverage();
  const results: Figures[] = [];
  for (const recorded of [false, true]) {
    const work: Work[] = BRIDGED.map((calls) => ({ what: 'bridge', calls, recorded }));
    work.push({ what: 'conference', calls: CONFERENCES, recorded });
    // The switches take turns, so that what else the machine does meets both.
    for (const piece of work) for (const kind of kinds) results.push(await runWork(kind, piece, closers));
  }
  const line = {
    bench: 'media',
    measuredMs: MEASURED_MS,
    results,
    aims: aims(results),
    loadBefore,
    machine: machineInfo(),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const [part] = process.argv.slice(2);
if (part === 'phones') runPhonesProcess();
else {
  const closers = new Closers();
  await closers.run(LIMIT_MS, () => main(closers, part));
}
