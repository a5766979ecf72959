import { spawn } from 'node:child_process';
import { SetupError } from '../../kernel/errors.ts';

/** How much of a program's output is kept; only its end is of interest. */
const outputLimit = 262_144;

/** An account of the operating system. */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface ProgramEnd {
  readonly code: number | null;
  /** The end of what it printed, both streams together. */
  readonly output: string;
}

export interface ProgramOptions {
  readonly user?: OsUser | undefined;
  readonly deadlineMs: number;
}

/**
 * The surroundings of every PostgreSQL program: none of the service's own variables (they may hold secrets), UTC, and
 * a locale that every glibc since 2.35 and Debian since 11 has.
 */
export function programEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' };
}

/** The part of spawn's options that makes a child run as another OS user; supplementary groups are dropped by libuv. */
export function identityOf(user: OsUser | undefined): { uid?: number; gid?: number } {
  return user ? { uid: user.uid, gid: user.gid } : {};
}

/**
 * Runs a short program to its end. It starts in `/`, because the service's own folder may be closed to `user`.
 * @throws SetupError when it can't be started or doesn't end within `deadlineMs` (it is killed then).
 */
export function runProgram(file: string, args: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...identityOf(options.user),
      cwd: '/',
      env: programEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-outputLimit);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, options.deadlineMs);
    child.once('error', (cause) => {
      clearTimeout(limit);
      reject(new SetupError(`${file} can't be started: ${cause.message}`, { cause }));
    });
    child.once('close', (code) => {
      clearTimeout(limit);
      if (late) reject(new SetupError(`${file} did not end within ${options.deadlineMs} ms`));
      else resolve({ code, output });
    });
  });
}
