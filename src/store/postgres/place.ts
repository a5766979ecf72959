import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, readFile, realpath, rename, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SetupError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { ifThere, onFolder } from './folder-problem.ts';
import { runsAsRoot, unprivilegedUser, userCan } from './os-user.ts';
import { livingPostmaster } from './postmaster-file.ts';
import type { OsUser } from './program.ts';

/** Where the data of the embedded PostgreSQL lies, and who runs it. */
export interface Place {
  /** Belongs to `user`; holds `data` and `log`. */
  readonly folder: string;
  readonly user: OsUser | undefined;
}

export interface PlaceRequest {
  readonly folder: string;
  readonly osUserName: string;
  readonly systemFolder: string;
  readonly log: Logger;
}

/** The data folder of PostgreSQL (its `PGDATA`) within a place. */
export const clusterOf = (placeFolder: string): string => join(placeFolder, 'data');

/**
 * Finds or makes the place of the data. An ordinary user has it in `folder`. Root has PostgreSQL run by an
 * unprivileged user, who must be able to enter it: where he can't (a checkout below a folder of mode 0700), the place
 * is below `systemFolder`, named after `folder`'s real path, and `<folder>.location` says so at the next start.
 * @throws SetupError in one clear line.
 */
export async function findPlace(request: PlaceRequest): Promise<Place> {
  const { folder } = request;
  await onFolder(dirname(folder), () => mkdir(dirname(folder), { recursive: true, mode: 0o755 }));
  if (!runsAsRoot()) {
    await onFolder(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
    return { folder, user: undefined };
  }
  const user = await unprivilegedUser(request.osUserName);
  const note = `${folder}.location`;
  const noted = await ifThere(note, () => readFile(note, 'utf8'));
  if (noted !== undefined) return placeInNote(noted.trim(), note, user);
  const present = await ifThere(clusterOf(folder), () => stat(clusterOf(folder)));
  if (present) return placeOfPresentData(folder, ownerOf(present.uid, present.gid, user));
  await makeFolderFor(user, folder);
  if (await canLiveIn(user, folder)) return { folder, user };
  await onFolder(folder, () => rmdir(folder));
  return moveOut(request, note, user);
}

/** Data that is there already is run by whoever owns it: PostgreSQL insists on that. */
function ownerOf(uid: number, gid: number, wanted: OsUser): OsUser {
  return uid === wanted.uid ? wanted : { name: `uid ${uid}`, uid, gid };
}

async function placeInNote(place: string, note: string, user: OsUser): Promise<Place> {
  const present = await ifThere(place, () => lstat(place));
  if (!present?.isDirectory()) {
    throw new SetupError(
      `DATA_FOLDER: the database should be in ${place}, as ${note} says, but isn't; bring it back, or delete that file to begin with an empty one`,
    );
  }
  return { folder: place, user: ownerOf(present.uid, present.gid, user) };
}

async function placeOfPresentData(folder: string, user: OsUser): Promise<Place> {
  if (user.uid === 0) {
    throw new SetupError(
      `DATA_FOLDER: ${clusterOf(folder)} belongs to root, as which PostgreSQL refuses to run; give it to another user`,
    );
  }
  if (await canLiveIn(user, folder)) return { folder, user };
  throw new SetupError(
    `DATA_FOLDER: the OS user "${user.name}", who runs PostgreSQL, can't enter ${folder}; let him pass the folders above it (chmod o+x) or move the data`,
  );
}

const canLiveIn = (user: OsUser, folder: string): Promise<boolean> =>
  userCan(user, [
    ['-x', folder],
    ['-w', folder],
  ]);

async function makeFolderFor(user: OsUser, folder: string): Promise<void> {
  await onFolder(folder, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chown(folder, user.uid, user.gid);
  });
}

async function moveOut(request: PlaceRequest, note: string, user: OsUser): Promise<Place> {
  const parent = await realpath(dirname(request.folder));
  const mark = createHash('sha256').update(join(parent, 'postgres')).digest('hex').slice(0, 16);
  const place = join(request.systemFolder, `yihaotong-postgres-${mark}`);
  await setAside(place, request.log);
  await makeFolderFor(user, place);
  if (!(await canLiveIn(user, place))) {
    throw new SetupError(
      `POSTGRES_OS_USER: the OS user "${user.name}" can enter neither ${request.folder} nor ${place}; set DATA_FOLDER to a folder that he can reach`,
    );
  }
  await onFolder(note, () => writeFile(note, `${place}\n`, { mode: 0o600 }));
  request.log.info(
    { folder: request.folder, place, osUser: user.name },
    'the data folder is closed to the OS user who runs PostgreSQL, so the database lies elsewhere',
  );
  return { folder: place, user };
}

/**
 * A place without the note that leads to it is left from a data folder that somebody has deleted. It is kept under
 * another name rather than lost, and rather than opened without its password.
 */
async function setAside(place: string, log: Logger): Promise<void> {
  if (!(await ifThere(place, () => lstat(place)))) return;
  const living = await livingPostmaster(clusterOf(place));
  if (living) {
    throw new SetupError(
      `DATA_FOLDER: a PostgreSQL (process ${living.pid}) still runs on ${place}, whose data folder was deleted; stop it first: kill -INT ${living.pid}`,
    );
  }
  const aside = `${place}.left-${new Date().toISOString().replaceAll(/[^0-9]/g, '')}`;
  await rename(place, aside);
  log.warn({ place, aside }, 'found the database of a data folder that was deleted; it is kept under another name');
}
