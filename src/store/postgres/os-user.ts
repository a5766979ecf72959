import { SetupError } from '../../kernel/errors.ts';
import { type OsUser, runProgram } from './program.ts';

const lookupDeadlineMs = 10_000;

/** True when this process is root, as which PostgreSQL refuses to run. */
export function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The unprivileged account under which root runs PostgreSQL; it is made when the machine doesn't have it.
 * @throws SetupError naming POSTGRES_OS_USER when it can't be had.
 */
export async function unprivilegedUser(name: string): Promise<OsUser> {
  const known = await lookUp(name);
  const user = known ?? (await create(name));
  if (user.uid === 0) {
    throw new SetupError(`POSTGRES_OS_USER: "${name}" is root, as which PostgreSQL refuses to run; name another user`);
  }
  return user;
}

/** True when `user` passes the `test` of the shell (e.g. `-x`, `-r`, `-w`) on every path. */
export async function userCan(
  user: OsUser,
  tests: readonly (readonly [flag: string, path: string])[],
): Promise<boolean> {
  const script = 'while [ $# -gt 0 ]; do test "$1" "$2" || exit 1; shift 2; done';
  const end = await runProgram('/bin/sh', ['-c', script, 'sh', ...tests.flat()], {
    user,
    deadlineMs: lookupDeadlineMs,
  });
  return end.code === 0;
}

async function lookUp(name: string): Promise<OsUser | undefined> {
  const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)]);
  return uid === undefined || gid === undefined ? undefined : { name, uid, gid };
}

async function idOf(flag: '-u' | '-g', name: string): Promise<number | undefined> {
  const { code, output } = await runProgram('id', [flag, '--', name], { deadlineMs: lookupDeadlineMs });
  const id = Number.parseInt(output, 10);
  return code === 0 && Number.isInteger(id) ? id : undefined;
}

async function create(name: string): Promise<OsUser> {
  const { output } = await runProgram(
    'useradd',
    [
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      name,
    ],
    { deadlineMs: lookupDeadlineMs },
  );
  const user = await lookUp(name);
  if (user) return user;
  throw new SetupError(
    `POSTGRES_OS_USER: PostgreSQL refuses to run as root and the OS user "${name}" can't be made (${output.trim()}); name an existing unprivileged user`,
  );
}
