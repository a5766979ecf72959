/** One round: starts a switch and a dispatcher with data of their own, lets the load run, and stops everything. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../src/config/project.ts';
import { startEmbeddedPostgres } from '../../src/store/postgres/embedded.ts';
import { freePort } from '../../test/support/free-ports.ts';
import { ha1Of } from '../../test/support/phone/digest.ts';
import { silentLog } from '../../test/support/postgres-server.ts';
import { type SwitchPlan, testDomain } from '../../test/support/switch.ts';
import type { Closers } from '../support/closers.ts';
import { endChild } from '../support/closers.ts';
import { DiskProbe } from '../support/disk.ts';
import type { Percentiles } from '../support/figures.ts';
import { commandLine, cpuMs, loadAverage, peakMemoryMb, withDescendants } from '../support/machine.ts';
import { startService } from '../support/service.ts';
import { startFreeswitch } from './freeswitch.ts';
import type { FromLoad, LoadAgent, LoadOrder, LoadPlan, LoadResult } from './order.ts';
import { newAgents, storeAgents } from './people.ts';

const host = '127.0.0.1';
/** Every call may have four RTP and RTCP ports, and some are still being freed. */
const rtpPorts = 2000;
/** Below the ports that the system hands out by itself (32768 and above on Linux). */
const rtpRange = { from: 12_000, to: 32_000 };
const flow = 'straight';

/** `…_100`: the peer with twice the agents, so that it is never short of one. */
export type Contestant = 'embedded' | 'freeswitch' | 'mod_callcenter' | 'mod_callcenter_100';

/** Whether our service dispatches; else mod_callcenter does, and there are no desks. */
export const isOurs = (contestant: Contestant): boolean => contestant === 'embedded' || contestant === 'freeswitch';

export interface RoundPlan extends LoadPlan {
  readonly agents: number;
}

/** A process's peak memory, and the CPU that it used while the counted and warm-up calls ran. */
export interface ProcessFigures {
  readonly peakMb: number;
  readonly cpuMs: number;
}

export interface Round {
  readonly load: LoadResult;
  readonly processes: Readonly<Record<string, ProcessFigures>>;
  readonly loadAverage: number;
  /** What the disk itself took to flush a block meanwhile; the floor of a reservation's commit. */
  readonly diskFlush: Percentiles;
}

/** What the load talks to, and whose memory and CPU are asked for. */
interface Stage {
  readonly trunk: { readonly host: string; readonly port: number };
  readonly agentsSide: { readonly host: string; readonly port: number };
  readonly esl: { readonly host: string; readonly port: number; readonly password: string };
  readonly webUrl: string | undefined;
  /** Process numbers by name, asked for after the load, when all of them are there. */
  processes(): Readonly<Record<string, readonly number[]>>;
}

/** Runs one round. Everything that it starts is closed when it returns, and by `closers` when it is cut short. */
export async function runRound(
  contestant: Contestant,
  plan: RoundPlan,
  parts: { readonly binary: string | undefined; readonly loadProgram: string; readonly closers: Closers },
): Promise<Round> {
  const { closers } = parts;
  const folder = await mkdtemp(join(tmpdir(), 'yht-bench-'));
  // The unprivileged user who runs PostgreSQL for root must be able to pass.
  await chmod(folder, 0o755);
  const removed = closers.add('temporary folder', () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const agents = newAgents(contestant === 'mod_callcenter_100' ? 100 : plan.agents);
  const open: (() => Promise<void>)[] = [removed];
  const keep = (what: string, close: () => Promise<void>): void => void open.push(closers.add(what, close));
  try {
    const stage =
      contestant === 'embedded'
        ? await embeddedStage(folder, agents, keep)
        : await freeswitchStage(folder, agents, contestant, parts.binary ?? '', keep);
    const probe = new DiskProbe(folder);
    keep('disk probe', async () => void (await probe.stop()));
    const figures = await underLoad(plan, agents, stage, parts.loadProgram, keep);
    return { ...figures, diskFlush: await probe.stop() };
  } finally {
    for (const close of open.reverse()) await close();
  }
}

export type Keep = (what: string, close: () => Promise<void>) => void;

async function underLoad(
  plan: RoundPlan,
  agents: readonly LoadAgent[],
  stage: Stage,
  program: string,
  keep: Keep,
): Promise<Omit<Round, 'diskFlush'>> {
  const child = fork(program, ['load'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  keep('load generator', () => endChild(child));
  const order: LoadOrder = {
    plan,
    trunk: stage.trunk,
    agentsSide: stage.agentsSide,
    domain: testDomain,
    esl: stage.esl,
    agents,
    webUrl: stage.webUrl,
  };
  child.send(order);
  await heard(child, 'ready');
  const before = cpuOf(stage.processes());
  child.send('go');
  const { result } = await heard(child, 'done');
  const processes = stage.processes();
  const after = cpuOf(processes);
  const figures = Object.fromEntries(
    Object.entries(processes).map(([name, pids]) => [
      name,
      {
        peakMb: Math.round(pids.reduce((sum, pid) => sum + peakMemoryMb(pid), 0)),
        cpuMs: Math.round((after[name] ?? 0) - (before[name] ?? 0)),
      },
    ]),
  );
  child.send('end');
  return { load: result, processes: figures, loadAverage: loadAverage() };
}

function cpuOf(processes: Readonly<Record<string, readonly number[]>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(processes).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + cpuMs(pid), 0)]),
  );
}

/** The generator's next message, which must be of this type. */
async function heard<T extends FromLoad['type']>(
  child: ChildProcess,
  type: T,
): Promise<Extract<FromLoad, { type: T }>> {
  const ac = new AbortController();
  const message = (await Promise.race([
    once(child, 'message', { signal: ac.signal }).then(([said]) => said as FromLoad),
    once(child, 'exit', { signal: ac.signal }).then(([code]) => {
      throw new Error(`the load generator ended with ${String(code)}`);
    }),
  ]).finally(() => ac.abort())) as FromLoad;
  if (message.type === 'failed') throw new Error(`the load generator: ${message.message}`);
  if (message.type !== type) throw new Error(`the load generator said ${message.type}, not ${type}`);
  return message as Extract<FromLoad, { type: T }>;
}

/** PostgreSQL as the service would start it, fsync and all, with the agents in it. */
export async function database(folder: string, agents: readonly LoadAgent[], keep: Keep) {
  const postgres = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    systemFolder: folder,
    log: silentLog,
  });
  keep('PostgreSQL', () => postgres.stop());
  await storeAgents(postgres.url, agents, testDomain);
  return postgres;
}

/** The settings of the service that both switches share. */
export async function serviceSettings(folder: string, databaseUrl: string): Promise<Record<string, string>> {
  const flows = join(folder, 'ivr-flows');
  await cp(join(projectFolder, 'ivr-flows'), flows, { recursive: true });
  await writeFile(
    join(flows, `${flow}.yaml`),
    `id: ${flow}\ntitle: 直达\nstart: person\noperatorQueue: citizen\nsteps:\n  person:\n    kind: queue\n    queue: citizen\n`,
  );
  return {
    DATABASE_URL: databaseUrl,
    DATA_FOLDER: join(folder, 'data'),
    FLOWS_FOLDER: flows,
    FLOW: flow,
    SIP_DOMAIN: testDomain,
    HTTP_PORT: String(await freePort()),
    WRAP_UP_MS: '0',
    RATING: 'off',
  };
}

async function embeddedStage(folder: string, agents: readonly LoadAgent[], keep: Keep): Promise<Stage> {
  const postgres = await database(folder, agents, keep);
  const password = randomBytes(24).toString('base64url');
  await mkdir(join(folder, 'data'), { recursive: true });
  // The service keeps a password that is there already, so that the generator can know it.
  await writeFile(join(folder, 'data', 'esl-password'), password, { mode: 0o600 });
  const rtp = rtpBlock();
  const [trunk, agentsPort, eslPort] = [await freePort(), await freePort(), await freePort()];
  const common = await serviceSettings(folder, postgres.url);
  const service = await startService(
    {
      ...common,
      SIP_TRUNK_PORT: String(trunk),
      SIP_AGENTS_PORT: String(agentsPort),
      ESL_PORT: String(eslPort),
      RTP_PORT_MIN: String(rtp.portMin),
      RTP_PORT_MAX: String(rtp.portMax),
    },
    join(folder, 'service.log'),
  );
  keep('service', () => service.stop());
  return {
    trunk: { host, port: trunk },
    agentsSide: { host, port: agentsPort },
    esl: { host, port: eslPort, password },
    webUrl: service.webUrl,
    processes: () => ({
      control: [service.pid],
      switch: withDescendants(service.pid).filter((pid) => commandLine(pid).includes('softswitch')),
      postgres: withDescendants(postgres.pid),
    }),
  };
}

async function freeswitchStage(
  folder: string,
  agents: readonly LoadAgent[],
  contestant: Contestant,
  binary: string,
  keep: Keep,
): Promise<Stage> {
  const plan = await switchPlan(folder, agents);
  const alone = !isOurs(contestant);
  const before = new Set(withDescendants(process.pid));
  const running = await startFreeswitch(binary, plan, alone ? agents.map(({ user }) => user) : undefined);
  keep('FreeSWITCH', () => running.stop());
  const pids = withDescendants(process.pid).filter((pid) => !before.has(pid));
  const sides = { trunk: plan.trunk, agentsSide: plan.agents, esl: plan.esl };
  if (alone) return { ...sides, webUrl: undefined, processes: () => ({ switch: pids }) };
  const postgres = await database(folder, agents, keep);
  const common = await serviceSettings(folder, postgres.url);
  const service = await startService(
    {
      ...common,
      FREESWITCH_ESL: `${plan.esl.host}:${plan.esl.port}`,
      FREESWITCH_ESL_PASSWORD: plan.esl.password,
      RECORDINGS_FOLDER: plan.recordingsFolder,
      PROMPTS_FOLDER: plan.promptsFolder,
    },
    join(folder, 'service.log'),
  );
  keep('service', () => service.stop());
  return {
    ...sides,
    webUrl: service.webUrl,
    processes: () => ({ control: [service.pid], switch: pids, postgres: withDescendants(postgres.pid) }),
  };
}

async function switchPlan(folder: string, agents: readonly LoadAgent[]): Promise<SwitchPlan> {
  const own = join(folder, 'switch');
  const recordingsFolder = join(own, 'recordings');
  await mkdir(join(recordingsFolder, 'fallback'), { recursive: true });
  return {
    folder: own,
    users: agents.map(({ user, password }) => ({ user, ha1: ha1Of(user, testDomain, password) })),
    gateways: [],
    hotlineNumbers: ['12345'],
    carriers: [host],
    trunk: { host, port: await freePort() },
    agents: { host, port: await freePort() },
    esl: { host, port: await freePort(), password: randomBytes(18).toString('base64url') },
    rtp: { host, ...rtpBlock() },
    recordingsFolder,
    promptsFolder: join(projectFolder, 'prompts'),
    mediaTimeoutMs: 60_000,
    maxChannels: 3_000,
    minSessionExpiresS: 90,
    phoneTransfer: false,
  };
}

function rtpBlock(): { readonly portMin: number; readonly portMax: number } {
  const blocks = Math.floor((rtpRange.to - rtpRange.from) / rtpPorts);
  const portMin = rtpRange.from + Math.floor(Math.random() * blocks) * rtpPorts;
  return { portMin, portMax: portMin + rtpPorts - 2 };
}
