import { randomBytes, randomUUID } from 'node:crypto';
import { chown, link, lstat, mkdtemp, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../config/secret.ts';
import { SetupError } from '../../kernel/errors.ts';
import type { Binaries } from './binaries.ts';
import { ifThere, onFolder, osCode } from './folder-problem.ts';
import { clusterOf, type Place } from './place.ts';
import { runProgram } from './program.ts';
import { reasonOfDeath } from './server-log.ts';

/** Initialising takes half a second; slow disks are given far more. */
const initialiseDeadlineMs = 120_000;

/** The database's own superuser; there is no other account. */
export const databaseUser = 'yihaotong';

/** True when the place holds an initialised database. */
export async function isInitialised(place: Place): Promise<boolean> {
  const version = join(clusterOf(place.folder), 'PG_VERSION');
  return (await ifThere(version, () => lstat(version))) !== undefined;
}

/**
 * The password of the database, freshly made at the first start and kept in `path` (mode 0600).
 * @throws SetupError when it is gone although the database exists.
 */
export async function databasePassword(path: string, initialised: boolean): Promise<Secret> {
  const kept = await ifThere(path, () => readFile(path, 'utf8'));
  if (kept?.trim()) return new Secret(kept.trim());
  if (initialised) {
    throw new SetupError(
      `DATA_FOLDER: ${path} with the password of the database is missing or empty; put it back, or name another folder`,
    );
  }
  return onFolder(path, () => keepNewPassword(path));
}

/** Written under another name and linked, so that of two services that start at once both use the same password. */
async function keepNewPassword(path: string): Promise<Secret> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(draft, path);
  } catch (error) {
    if (osCode(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return new Secret((await readFile(path, 'utf8')).trim());
}

/**
 * Makes an empty database in the place. It is made under another name and renamed when whole, so that a start that was
 * cut short leaves nothing that looks like a database.
 *
 * The locale is C.UTF-8: with plain C, trigram search finds no Chinese at all.
 * @throws SetupError in one clear line.
 */
export async function initialise(place: Place, binaries: Binaries, password: Secret): Promise<void> {
  const cluster = clusterOf(place.folder);
  const draft = join(place.folder, `new-${randomUUID()}`);
  const secretFolder = await mkdtemp(join(tmpdir(), 'yihaotong-initdb-'));
  try {
    const passwordFile = join(secretFolder, 'password');
    await writeFile(passwordFile, password.reveal(), { mode: 0o600, flag: 'wx' });
    if (place.user) {
      await chown(passwordFile, place.user.uid, place.user.gid);
      await chown(secretFolder, place.user.uid, place.user.gid);
    }
    const end = await runProgram(
      binaries.program('initdb'),
      [
        `--pgdata=${draft}`,
        `--username=${databaseUser}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C.UTF-8',
        '--lc-messages=C',
        '--text-search-config=simple',
      ],
      { user: place.user, deadlineMs: initialiseDeadlineMs },
    );
    if (end.code !== 0) throw new SetupError(reasonOfDeath(end.output, place.folder, 'initdb'));
    await rename(draft, cluster);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another service that started at the same time was quicker; its database is as good.
    if (osCode(error) === 'ENOTEMPTY' || osCode(error) === 'EEXIST') return;
    throw error;
  } finally {
    await rm(secretFolder, { recursive: true, force: true });
  }
}
