/**
 * Twice the capacity at once: a hotline for sixty calls of which thirty talk, and a crowd on top of them. What each caller
 * gets and how soon, and what those who talk lose meanwhile; on the embedded switch and on FreeSWITCH in one run.
 * Run: `npm run -s bench:overload`; FreeSWITCH takes part where FREESWITCH_BIN or the PATH has one. The last line is JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreeswitchBinary } from '../test/support/freeswitch-process.ts';
import { testDomain } from '../test/support/switch.ts';
import { Desk } from './dispatch/desks.ts';
import { newAgents } from './dispatch/people.ts';
import { AgentPhones } from './dispatch/phones.ts';
import { runSoundProcess, Sound } from './dispatch/sound.ts';
import { type Caller, Callers, Refused } from './media/callers.ts';
import { runPhonesProcess, type SoundFigures, type ToPhones } from './media/phones.ts';
import { Closers, endChild } from './support/closers.ts';
import { percentilesOf, round } from './support/figures.ts';
import { cpuMs, loadAverage, machineInfo } from './support/machine.ts';
import { openStage, type Stage, type SwitchKind } from './support/stage.ts';

const limitMs = 300_000;
const capacity = { seats: 30, queue: 20, liveCalls: 60 } as const;
/** As many again as may be in, and ten more, for whom even the telling has no room. */
const crowd = 2 * capacity.liveCalls - capacity.seats + 10;
const quietMs = 8_000;
/** The crowd comes, is told (5 s) and is gone. */
const crowdMs = 12_000;
const settleMs = 1_500;
const packetMs = 20;
const ringMs = 200;

type Treatment = 'waits' | 'called back' | `busy ${number}` | 'no answer';

interface Came {
  readonly treatment: Treatment;
  readonly afterMs: number;
}

async function ask<T>(child: ChildProcess, message: ToPhones): Promise<T> {
  const answer = once(child, 'message');
  child.send(message);
  const [reply] = (await answer) as [T];
  return reply;
}

/** Those who talk send and listen for a while. */
async function listen(child: ChildProcess, ports: readonly number[], forMs: number, stage: Stage) {
  await ask<'counting'>(child, { send: { ports, party: 2, warmUpMs: 500, forMs } });
  const before = [cpuMs(stage.switchPid), cpuMs(stage.control.pid)];
  const [figures] = (await once(child, 'message')) as [SoundFigures];
  const expected = forMs / packetMs;
  const cpuPercent = [cpuMs(stage.switchPid), cpuMs(stage.control.pid)].map((ms, at) =>
    round(((ms - (before[at] ?? 0)) / forMs) * 100),
  );
  return {
    longestGapMs: percentilesOf(figures.heard.map(({ longestGapMs }) => longestGapMs)),
    lossPercent: percentilesOf(figures.heard.map(({ packets }) => Math.max(0, 100 - (packets / expected) * 100))),
    cpuPercent: { switch: cpuPercent[0], control: cpuPercent[1] },
  };
}

/** What a caller gets: 486 or 503, an announcement that ends with BYE, or a place. */
async function treatment(caller: Caller, gone: ReadonlySet<string>, untilMs: number): Promise<Came> {
  const startedMs = performance.now();
  const answer = await caller.answered.then(
    () => 'answered' as const,
    (error: unknown): Treatment => (error instanceof Refused ? `busy ${error.status}` : 'no answer'),
  );
  const afterMs = performance.now() - startedMs;
  if (answer !== 'answered') return { treatment: answer, afterMs };
  await pause(Math.max(0, untilMs - performance.now()));
  return { treatment: gone.has(caller.callId) ? 'called back' : 'waits', afterMs };
}

async function openAgents(stage: Stage, agents: ReturnType<typeof newAgents>, onTalking: () => void, closers: Closers) {
  const sound = await Sound.open(true);
  closers.add('the agents’ sound', () => sound.close());
  const phones = await AgentPhones.open({
    server: stage.plan.agents,
    domain: testDomain,
    ringMs,
    sound,
    hooks: { onOffer: () => undefined, onTalking, onEnd: () => undefined },
  });
  closers.add('the agents’ phones', async () => phones.close());
  for (const { user, password } of agents) await phones.register(user, password);
  for (const { user, session } of agents) {
    const desk = await Desk.open(stage.control.webUrl, user, session ?? '', () => undefined);
    closers.add(`the desk of ${user}`, async () => desk.close());
  }
}

async function runSwitch(kind: SwitchKind, closers: Closers) {
  const agents = newAgents(capacity.seats);
  const settings = { MAX_LIVE_CALLS: String(capacity.liveCalls), QUEUE_MAX_WAITING: String(capacity.queue) };
  const stage = await openStage(kind, agents, settings, closers);
  let talking = 0;
  let allTalk: () => void = () => undefined;
  const everybodyTalks = new Promise<void>((resolve) => {
    allTalk = resolve;
  });
  const onTalking = () => {
    talking += 1;
    if (talking === capacity.seats) allTalk();
  };
  await openAgents(stage, agents, onTalking, closers);
  const gone = new Set<string>();
  const callers = await Callers.open(stage.plan.trunk, (callId) => gone.add(callId));
  closers.add('the callers', async () => callers.close());
  const child = fork(fileURLToPath(import.meta.url), ['phones'], { serialization: 'advanced' });
  closers.add('the talkers’ sound', () => endChild(child));
  const rtpPorts = await ask<number[]>(child, { open: capacity.seats });
  const talkers = rtpPorts.map((port, index) => callers.call(String(13_600_000_000 + index), port));
  const ports = await Promise.all(talkers.map(({ answered }) => answered));
  await everybodyTalks;
  await pause(settleMs);
  const quiet = await listen(child, ports, quietMs, stage);

  const untilMs = performance.now() + crowdMs;
  const listening = listen(child, ports, crowdMs, stage);
  await pause(settleMs);
  // Their sound goes nowhere: what counts is that they are served.
  const came = Array.from({ length: crowd }, (_, index) => callers.call(String(13_500_000_000 + index), 9));
  const outcomes = await Promise.all(came.map((caller) => treatment(caller, gone, untilMs)));
  const during = await listening;
  const metrics = await (await fetch(`${stage.control.webUrl}/metrics`)).text();
  const ended = (reason: string) =>
    Number(new RegExp(`^yht_calls_ended_total\\{class="us",reason="${reason}"\\} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0);
  const lost = talkers.filter(({ callId }) => gone.has(callId)).length;
  for (const { callId, hangup } of [...talkers, ...came]) if (!gone.has(callId)) hangup();
  const counts: Record<string, number> = {};
  for (const { treatment: what } of outcomes) counts[what] = (counts[what] ?? 0) + 1;
  const times = (of: (what: Treatment) => boolean) =>
    percentilesOf(outcomes.filter((one) => of(one.treatment)).map(({ afterMs }) => afterMs));
  return {
    switch: kind,
    came: crowd,
    treatments: counts,
    ended: { queueFull: ended('queue-full'), overCapacity: ended('over-capacity') },
    answeredAfterMs: times((what) => what === 'called back' || what === 'waits'),
    refusedAfterMs: times((what) => what.startsWith('busy')),
    talkersLost: lost,
    talkers: { quiet, crowd: during },
  };
}

async function main(closers: Closers): Promise<void> {
  const kinds: readonly SwitchKind[] =
    (await findFreeswitchBinary(process.env)) === undefined ? ['embedded'] : ['embedded', 'freeswitch'];
  const loadBefore = loadAverage();
  const results: unknown[] = [];
  for (const kind of kinds) {
    const own = new Closers();
    const close = closers.add(kind, () => own.closeAll());
    results.push(await runSwitch(kind, own));
    process.stderr.write(`${JSON.stringify(results.at(-1))}\n`);
    await close();
  }
  process.stdout.write(
    `${JSON.stringify({ bench: 'overload', capacity, results, loadBefore, machine: machineInfo() })}\n`,
  );
}

const [part] = process.argv.slice(2);
if (part === 'phones') runPhonesProcess();
else if (part === 'sound') await runSoundProcess();
else {
  const closers = new Closers();
  await closers.run(limitMs, () => main(closers));
}
