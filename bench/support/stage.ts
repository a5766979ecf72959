/** A switch, a database and the built service as production runs them, each a process of its own, with people in it. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../src/config/project.ts';
import { startEmbeddedSwitch } from '../../test/support/embedded-switch.ts';
import { freePort } from '../../test/support/free-ports.ts';
import { startFreeswitch } from '../../test/support/freeswitch.ts';
import { planSwitch, type SwitchPlan } from '../../test/support/switch.ts';
import { TcpProxy } from '../../test/support/tcp-proxy.ts';
import type { LoadAgent } from '../dispatch/order.ts';
import { database, serviceSettings } from '../dispatch/round.ts';
import type { Closers } from './closers.ts';
import { commandLine, withDescendants } from './machine.ts';
import { type RunningService, startService } from './service.ts';

export type SwitchKind = 'embedded' | 'freeswitch';

const rtpPorts = 1_200;

export interface Stage {
  readonly switchPid: number;
  readonly plan: SwitchPlan;
  /** Between the service and its database. */
  readonly proxy: TcpProxy;
  control: RunningService;
  /** Where control's inspector listens. */
  readonly inspectorPort: number;
  /** Kills the service as a crash does, and starts it again. */
  restartControl(): Promise<void>;
}

/** @param people with their phones; those with a session may open a desk */
export async function openStage(
  kind: SwitchKind,
  people: readonly LoadAgent[],
  settings: Readonly<Record<string, string>>,
  closers: Closers,
): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'yht-bench-'));
  // The unprivileged user who runs PostgreSQL for root must be able to pass.
  await chmod(folder, 0o755);
  closers.add('the folder', () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const plan = await planSwitch({
    users: people.map(({ user, password }) => ({ user, password })),
    promptsFolder: join(projectFolder, 'prompts'),
    rtpPorts,
  });
  const before = new Set(withDescendants(process.pid));
  const running = await (kind === 'embedded' ? startEmbeddedSwitch(plan) : startFreeswitch(plan));
  closers.add('the switch', () => running.stop());
  const isSwitch = (pid: number) => /softswitch|freeswitch/.test(commandLine(pid));
  const switchPid = withDescendants(process.pid).find((pid) => !before.has(pid) && isSwitch(pid));
  if (switchPid === undefined) throw new Error('the switch’s process was not found');
  const postgres = await database(folder, people, (what, close) => void closers.add(what, close));
  const url = new URL(postgres.url);
  const proxy = new TcpProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(await proxy.listen());
  closers.add('the hop to the database', () => proxy.close());
  const all = {
    ...(await serviceSettings(folder, url.toString())),
    HTTP_PORT: String(await freePort()),
    FREESWITCH_ESL: `${plan.esl.host}:${plan.esl.port}`,
    FREESWITCH_ESL_PASSWORD: plan.esl.password,
    RECORDINGS_FOLDER: plan.recordingsFolder,
    PROMPTS_FOLDER: plan.promptsFolder,
    LOG_LEVEL: 'warn',
    ...settings,
  };
  const inspectorPort = await freePort();
  const inspect = [`--inspect=127.0.0.1:${inspectorPort}`];
  const start = () => startService(all, join(folder, 'service.log'), inspect);
  const stage: Stage = {
    switchPid,
    plan,
    proxy,
    inspectorPort,
    control: await start(),
    async restartControl() {
      await stage.control.kill();
      stage.control = await start();
    },
  };
  closers.add('control', () => stage.control.stop());
  return stage;
}
