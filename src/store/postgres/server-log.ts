import { constants } from 'node:fs';
import { open, readFile, rename, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ifThere } from './folder-problem.ts';

const tailLength = 16_384;
/** With less room than this PostgreSQL can't even begin. */
const leastRoomBytes = 65_536;

/** What the programs say when the surroundings are at fault, and the line that we say instead. */
const knownReasons: readonly (readonly [RegExp, (folder: string) => string])[] = [
  [
    /No space left on device|Check free disk space|Disk quota exceeded/,
    (folder) => `DATA_FOLDER: the disk of ${folder} is full; make room or name another folder`,
  ],
  [
    /could not resize shared memory|could not map anonymous shared memory|Cannot allocate memory/,
    () => 'DATABASE_URL: the machine has too little memory for the embedded PostgreSQL; free some or name another one',
  ],
  [
    /Read-only file system/,
    (folder) => `DATA_FOLDER: the disk of ${folder} is read-only; mend that or name another folder`,
  ],
  [
    /database files are incompatible with server|not compatible with this version/,
    (folder) =>
      `DATA_FOLDER: the database in ${folder} was made by another PostgreSQL version; move its data over or name another folder`,
  ],
  [
    /Permission denied|has invalid permissions|has wrong ownership/,
    (folder) => `DATA_FOLDER: PostgreSQL may not use ${folder}; its files must belong to the user who runs it`,
  ],
];

/** One line that says why a program of PostgreSQL ended, from what it printed. */
export function reasonOfDeath(output: string, folder: string, program: string): string {
  const known = knownReasons.find(([pattern]) => pattern.test(output));
  if (known) return known[1](folder);
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const fatal = lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  return `DATA_FOLDER: the embedded PostgreSQL in ${folder} does not start (${program}: ${fatal})`;
}

/** True when PostgreSQL ended because another one has the data, or parts of one that was killed still do. */
export function saysDataIsInUse(output: string): boolean {
  return /lock file "postmaster.pid" already exists|pre-existing shared memory block/.test(output);
}

/** True when PostgreSQL ended because its port was taken. */
export function saysPortIsTaken(output: string): boolean {
  return /could not bind|could not create any TCP\/IP sockets/.test(output);
}

/**
 * Opens the file that takes what PostgreSQL prints; the file of the run before is kept as `<path>.1`. It is a file and
 * not a pipe, because PostgreSQL may outlive this process. A symbolic link in its place is refused.
 */
export async function openServerLog(path: string) {
  await ifThere(path, () => rename(path, `${path}.1`));
  const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants;
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o600);
}

/** The end of what PostgreSQL printed. On a full disk it can't print anything, so the disk itself is asked. */
export async function lastWords(path: string): Promise<string> {
  const printed = await ifThere(path, () => readFile(path, 'utf8'));
  if (printed) return printed.slice(-tailLength);
  const { bavail, bsize } = await statfs(dirname(path));
  return bavail * bsize < leastRoomBytes ? 'No space left on device' : '';
}
