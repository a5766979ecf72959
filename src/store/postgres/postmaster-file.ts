import { watch } from 'node:fs';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from '../../kernel/errors.ts';
import { ifThere, osCode } from './folder-problem.ts';

const fileName = 'postmaster.pid';

/** What a running PostgreSQL writes about itself into its data folder (PostgreSQL's source: `utils/pidfile.h`). */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/** Reads `postmaster.pid`; undefined when there is none or it is still being written. */
async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  const path = join(cluster, fileName);
  const text = await ifThere(path, () => readFile(path, 'utf8'));
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || pid <= 1 || !Number.isInteger(port)) return undefined;
  return { pid, port, ready: lines[7]?.trim() === 'ready' };
}

/** The PostgreSQL that runs on this data now; a file left by one that was killed doesn't count. */
export async function livingPostmaster(cluster: string): Promise<PostmasterFile | undefined> {
  const file = await readPostmasterFile(cluster);
  return file && (await worksIn(file.pid, cluster)) ? file : undefined;
}

/**
 * Removes a `postmaster.pid` whose process number belongs to another program by now (after a restart of the machine or
 * a container). PostgreSQL itself would take that program for its rival and not start.
 */
export async function removeMistakenFile(cluster: string): Promise<void> {
  const file = await readPostmasterFile(cluster);
  if (file === undefined || !isAlive(file.pid) || (await worksIn(file.pid, cluster))) return;
  await rm(join(cluster, fileName), { force: true });
}

/**
 * The number of a dead process may have gone to another program, so the process must also have its working folder
 * in the data, as PostgreSQL has. Without /proc (macOS) the process alone must do.
 */
async function worksIn(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(cluster));
  } catch (error) {
    const word = osCode(error);
    if (word === 'ENOENT' || word === 'ESRCH') return false;
    // Root in a container may lack the right to look at other users' processes; the program's name is open to all.
    if (word === 'EACCES' || word === 'EPERM') return isPostgres(pid);
    throw error;
  }
}

async function isPostgres(pid: number): Promise<boolean> {
  const path = `/proc/${pid}/comm`;
  return (await ifThere(path, () => readFile(path, 'utf8')))?.trim() === 'postgres';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return osCode(error) === 'EPERM';
  }
}

export interface FileWait {
  readonly cluster: string;
  readonly until: (file: PostmasterFile | undefined) => boolean;
  readonly deadlineMs: number;
  /** Ends the wait early, e.g. because the process has died. */
  readonly abandoned?: Promise<unknown>;
}

/** Waits for a change of `postmaster.pid`; false when `until` didn't come true in time. */
export async function waitForPostmasterFile(wait: FileWait): Promise<boolean> {
  const watcher = watchFolder(wait.cluster);
  let limit: NodeJS.Timeout | undefined;
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const look = (): void => {
        readPostmasterFile(wait.cluster).then((file) => {
          if (wait.until(file)) resolve(true);
        }, reject);
      };
      limit = setTimeout(() => resolve(false), wait.deadlineMs);
      wait.abandoned?.then(() => resolve(false), reject);
      watcher.on('error', reject);
      watcher.on('change', (_, name) => {
        if (name === null || name.toString() === fileName) look();
      });
      look();
    });
  } finally {
    clearTimeout(limit);
    watcher.close();
  }
}

function watchFolder(cluster: string) {
  try {
    return watch(cluster);
  } catch (cause) {
    const word = osCode(cause);
    if (word !== 'ENOSPC' && word !== 'EMFILE') throw cause;
    throw new SetupError(
      `the machine lets no more folders be watched (${word}); raise fs.inotify.max_user_watches and max_user_instances`,
      { cause },
    );
  }
}
