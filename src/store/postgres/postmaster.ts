import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { SetupError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Binaries } from './binaries.ts';
import { onFolder, osCode } from './folder-problem.ts';
import type { Place } from './place.ts';
import { clusterOf } from './place.ts';
import { livingPostmaster, type PostmasterFile, removeMistakenFile, waitForPostmasterFile } from './postmaster-file.ts';
import { identityOf, programEnvironment } from './program.ts';
import { lastWords, openServerLog, reasonOfDeath, saysDataIsInUse, saysPortIsTaken } from './server-log.ts';

/** After a power cut PostgreSQL first repairs its data; ordinarily it is ready in 30 ms. */
const readyDeadlineMs = 120_000;
/** How often a start is tried anew when it failed for a reason that passes by itself. */
const attempts = 6;
/** How long the last processes of a PostgreSQL that was killed may hold on to its memory. */
const lingerMs = 500;

/** A PostgreSQL that accepts connections on 127.0.0.1. */
export interface RunningPostmaster {
  readonly pid: number;
  readonly port: number;
  /** True when it was running before, left by a service that was killed. */
  readonly adopted: boolean;
}

export interface LaunchRequest {
  readonly place: Place;
  readonly binaries: Binaries;
  readonly port: number | undefined;
  /** Where its own log goes. */
  readonly serverLog: string;
  /** More settings of PostgreSQL, e.g. `fsync: off` for tests. */
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Logger;
}

/**
 * Takes over the PostgreSQL that runs on this data already, or starts one.
 * @throws SetupError in one clear line when it doesn't come up.
 */
export async function adoptOrLaunch(request: LaunchRequest): Promise<RunningPostmaster> {
  const cluster = clusterOf(request.place.folder);
  for (let attempt = 1; ; attempt += 1) {
    const living = await livingPostmaster(cluster);
    if (living) return adopt(cluster, living);
    await removeMistakenFile(cluster);
    const outcome = await launch(request);
    if (typeof outcome !== 'string') return outcome;
    const passes = saysDataIsInUse(outcome) || (saysPortIsTaken(outcome) && request.port === undefined);
    if (!passes || attempt === attempts) throw new SetupError(deathReason(request, outcome));
    await new Promise((resolve) => setTimeout(resolve, lingerMs));
  }
}

function deathReason({ place, port }: LaunchRequest, output: string): string {
  if (saysPortIsTaken(output)) {
    return `DATABASE_URL: the embedded PostgreSQL can't have port ${port ?? '(any)'} on 127.0.0.1; free it, or name another PostgreSQL`;
  }
  if (saysDataIsInUse(output)) {
    return `DATA_FOLDER: another PostgreSQL uses ${clusterOf(place.folder)}; stop it or name another folder`;
  }
  return reasonOfDeath(output, place.folder, 'postgres');
}

async function adopt(cluster: string, living: PostmasterFile): Promise<RunningPostmaster> {
  const until = (file: PostmasterFile | undefined): boolean => file?.pid === living.pid && file.ready;
  if (await waitForPostmasterFile({ cluster, until, deadlineMs: readyDeadlineMs })) {
    return { pid: living.pid, port: living.port, adopted: true };
  }
  throw new SetupError(
    `DATA_FOLDER: the PostgreSQL (process ${living.pid}) on ${cluster} is not ready after ${readyDeadlineMs / 1000} s; stop it`,
  );
}

/** Starts a PostgreSQL; the answer is its last words when it dies. */
async function launch(request: LaunchRequest): Promise<RunningPostmaster | string> {
  const cluster = clusterOf(request.place.folder);
  const port = request.port ?? (await freePort());
  const { child, ended } = await spawnPostgres(request, port);
  const pid = child.pid;
  if (pid === undefined) {
    const cause = await ended;
    throw new SetupError(`DATABASE_URL: the embedded PostgreSQL can't be started (${cause?.message})`, { cause });
  }
  const until = (file: PostmasterFile | undefined): boolean => file?.pid === pid && file.ready;
  const ready = await waitForPostmasterFile({ cluster, until, deadlineMs: readyDeadlineMs, abandoned: ended });
  if (ready) {
    reportDeath(child, request.log);
    return { pid, port, adopted: false };
  }
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGQUIT');
    throw new SetupError(
      `DATA_FOLDER: the embedded PostgreSQL in ${cluster} is not ready after ${readyDeadlineMs / 1000} s; see ${request.serverLog}`,
    );
  }
  return lastWords(request.serverLog);
}

interface Spawned {
  readonly child: ChildProcess;
  /** Its end; with the error when it could not even be started. */
  readonly ended: Promise<Error | undefined>;
}

async function spawnPostgres(request: LaunchRequest, port: number): Promise<Spawned> {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Failed statements are told to whoever sent them; in this log they would only leave citizens' data behind.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    ...request.settings,
  };
  const log = await onFolder(request.serverLog, () => openServerLog(request.serverLog));
  const child = spawn(
    request.binaries.program('postgres'),
    ['-D', clusterOf(request.place.folder), ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])],
    {
      ...identityOf(request.place.user),
      cwd: '/',
      env: programEnvironment(),
      // A session of its own: Ctrl-C in the terminal must not end it before the service has ended in order.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    },
  );
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('exit', () => resolve(undefined));
  });
  await log.close();
  return { child, ended };
}

/** PostgreSQL must not keep this process alive, but its death must not go unnoticed either. */
function reportDeath(child: ChildProcess, log: Logger): void {
  child.unref();
  child.once('exit', (code, signal) => {
    log[code === 0 ? 'info' : 'error']({ pid: child.pid, code, signal }, 'the embedded PostgreSQL has ended');
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no address of a TCP server');
  return address.port;
}

/**
 * Ends PostgreSQL: at once for its clients but with its data in order (fast shutdown), and by force after `deadlineMs`;
 * then it repairs its data at the next start. One that has ended already is fine.
 */
export async function stopPostmaster(
  place: Place,
  postmaster: RunningPostmaster,
  deadlineMs: number,
  log: Logger,
): Promise<void> {
  const cluster = clusterOf(place.folder);
  const until = (file: PostmasterFile | undefined): boolean => file?.pid !== postmaster.pid;
  const living = await livingPostmaster(cluster);
  if (living?.pid !== postmaster.pid) return;
  signal(postmaster.pid, 'SIGINT');
  if (await waitForPostmasterFile({ cluster, until, deadlineMs })) return;
  log.warn({ pid: postmaster.pid, deadlineMs }, 'the embedded PostgreSQL does not end, so it is ended by force');
  signal(postmaster.pid, 'SIGQUIT');
  if (await waitForPostmasterFile({ cluster, until, deadlineMs })) return;
  signal(postmaster.pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself meanwhile.
    if (osCode(error) !== 'ESRCH') throw error;
  }
}
