/** The built service as a process of its own, as `npm start` runs it. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../../src/config/project.ts';
import { endChild } from './closers.ts';

/** The last line that the service prints when it is ready. */
const lastLine = '按 Ctrl-C 停止';
const readyWithinMs = 60_000;

export interface RunningService {
  readonly pid: number;
  readonly webUrl: string;
  /** From the start of the process to the last of its lines that say ready. */
  readonly readyMs: number;
  /** Kills it as a crash does; resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends it in order. @throws Error when it ended otherwise. */
  stop(): Promise<void>;
}

/** The file that `npm start` runs; `npm run build:server` makes it. */
export const builtService = join(projectFolder, 'dist', 'src', 'main.js');

/**
 * Starts the service. Only the given settings count, none of this shell's; its log goes to `logFile`.
 * @throws Error with what it printed when it ends before it is ready.
 */
export async function startService(
  settings: Readonly<Record<string, string>>,
  logFile: string,
  nodeArguments: readonly string[] = [],
): Promise<RunningService> {
  const log = await open(logFile, 'a');
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeArguments, builtService], {
    cwd: projectFolder,
    env: { PATH: process.env.PATH ?? '', ...settings },
    stdio: ['ignore', 'pipe', log.fd],
    // Ctrl-C is handled here: it ends the service in order, once.
    detached: true,
  });
  await log.close();
  const { stdout } = child;
  if (stdout === null) throw new Error('the service has no output to read');
  const printed = await new Promise<string>((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => fail(`not ready within ${readyWithinMs / 1000} s`), readyWithinMs);
    const fail = (why: string): void => {
      clearTimeout(late);
      child.kill('SIGTERM');
      reject(new Error(`the service: ${why}; it printed:\n${text}\nits log is ${logFile}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? code}`));
    stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes(lastLine)) return;
      clearTimeout(late);
      child.removeAllListeners('exit');
      stdout.removeAllListeners('data');
      stdout.resume();
      resolve(text);
    });
  });
  const readyMs = performance.now() - startedAt;
  const webUrl = /http:\/\/[^\s]+/.exec(printed)?.[0] ?? '';
  const stop = async (): Promise<void> => {
    await endChild(child);
    // Killed half-way it would leave its database and switch behind.
    if (child.exitCode !== 0) throw new Error(`the service ended with ${child.signalCode ?? child.exitCode}`);
  };
  const kill = (): Promise<void> => endChild(child, 'SIGKILL');
  return { pid: child.pid ?? 0, webUrl, readyMs, kill, stop };
}
