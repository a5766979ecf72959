/** A local FreeSWITCH binary as a process of the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EslTestClient } from './esl-test-client.ts';
import type { RunningSwitch } from './freeswitch.ts';
import type { SwitchPlan } from './switch.ts';

const startMs = 30_000;
const logTail = 4000;

/** FREESWITCH_BIN, else `freeswitch` in the PATH. */
export async function findFreeswitchBinary(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const named = env.FREESWITCH_BIN;
  const candidates = named ? [named] : (env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'freeswitch'));
  for (const candidate of candidates) {
    const usable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return candidate;
  }
  if (named) throw new Error(`FREESWITCH_BIN=${named} can't be run`);
  return undefined;
}

/** Starts FreeSWITCH in the foreground with folders of its own and waits until both profiles answer. */
export async function startFreeswitchProcess(
  binary: string,
  configFolder: string,
  plan: SwitchPlan,
): Promise<RunningSwitch> {
  const dbFolder = await databaseFolder(plan.folder);
  const child = spawn(binary, await folderArguments(configFolder, plan.folder, dbFolder), {
    cwd: plan.folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-logTail);
  });
  try {
    await waitUntilReady(child, plan);
  } catch (error) {
    child.kill('SIGKILL');
    await rm(dbFolder, { recursive: true, force: true });
    const log = await readFile(join(plan.folder, 'log', 'freeswitch.log'), 'utf8').catch(() => '(no log)');
    throw new Error(`FreeSWITCH did not start\n${errors}\n${log.slice(-logTail)}`, { cause: error });
  }
  return {
    trunk: plan.trunk,
    agents: plan.agents,
    esl: plan.esl,
    crash: () => killProcess(child, dbFolder),
    stop: () => stopProcess(child, dbFolder),
  };
}

/**
 * FreeSWITCH writes its lists of channels and registrations into SQLite and waits for the disk each time: its start
 * takes seconds and the lists lag. In memory (Linux: /dev/shm) both are quick.
 */
async function databaseFolder(folder: string): Promise<string> {
  return await mkdtemp('/dev/shm/yht-switch-db-').catch(async () => {
    const onDisk = join(folder, 'db');
    await mkdir(onDisk, { recursive: true });
    return onDisk;
  });
}

/** FreeSWITCH makes an RSA key at its first start, which takes seconds; all tests of a user share it. */
async function certificateFolder(): Promise<string> {
  const folder = join(tmpdir(), `yht-freeswitch-certs-${userInfo().uid}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

async function folderArguments(configFolder: string, folder: string, dbFolder: string): Promise<string[]> {
  const names = { '-log': 'log', '-run': 'run', '-temp': 'tmp', '-cache': 'cache', '-storage': 'storage' };
  const folders = Object.entries({ ...names, '-recordings': 'recordings' });
  for (const [, name] of folders) await mkdir(join(folder, name), { recursive: true });
  const own = folders.flatMap(([flag, name]) => [flag, join(folder, name)]);
  return [
    '-nf',
    '-nc',
    '-nonat',
    '-nocal',
    '-nort',
    '-conf',
    configFolder,
    '-db',
    dbFolder,
    '-certs',
    await certificateFolder(),
    ...own,
  ];
}

/** Tries the Event Socket until it opens, then asks until both profiles run; bounded as a whole. */
export async function waitUntilReady(child: ChildProcess | undefined, plan: Pick<SwitchPlan, 'esl'>): Promise<void> {
  const deadline = performance.now() + startMs;
  let last = 'nothing tried';
  while (performance.now() < deadline) {
    if (child !== undefined && child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    try {
      const esl = await EslTestClient.open(plan.esl, '');
      last = await esl.api('sofia status');
      await esl.close();
      if (/^\s*trunk\s+profile.*RUNNING/m.test(last) && /^\s*agents\s+profile.*RUNNING/m.test(last)) return;
    } catch (error) {
      last = String(error);
    }
    await pause(100);
  }
  throw new Error(`not ready after ${startMs} ms; last answer: ${last}`);
}

/** FreeSWITCH takes five seconds to go by itself; its folders are thrown away anyway. */
async function killProcess(child: ChildProcess, dbFolder: string): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  await rm(dbFolder, { recursive: true, force: true });
}

async function stopProcess(child: ChildProcess, dbFolder: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    throw new Error(`FreeSWITCH had died before it was stopped (${child.exitCode ?? child.signalCode})`);
  }
  await killProcess(child, dbFolder);
}
