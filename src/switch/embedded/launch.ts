/** Starts the embedded switch as a process of its own and keeps hold of it. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SetupError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { type EmbeddedSwitchSettings, embeddedSwitchConfigSchema } from './config.ts';

export interface LaunchOptions {
  readonly log: Logger;
  /** Called once when the process has ended without having been told to; `reason` is for the log. */
  onExit?(reason: string): void;
  /** Where the settings are written (mode 0600, as they hold secrets); by default a folder of its own under tmp. */
  readonly configFile?: string;
  /** Where the process writes its log; `inherit` outlives the launcher, which a pipe would not. */
  readonly stderr?: 'inherit' | 'ignore';
}

export interface LaunchedSwitch {
  readonly ports: { readonly trunk: number; readonly agents: number; readonly esl: number };
  readonly pid: number;
  /** Hangs up all calls and ends the process; kills it when it takes too long. */
  stop(): Promise<void>;
  /** Ends the process at once, as a crash would. */
  kill(): void;
  /** Hands in new users, gateways, hotline numbers and carriers; the rest of the settings stays as it was. */
  reload(settings: EmbeddedSwitchSettings): void;
}

const READY_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 6_000;

type Ports = LaunchedSwitch['ports'];

function isPorts(value: unknown): value is Ports {
  if (typeof value !== 'object' || value === null) return false;
  return 'trunk' in value && 'agents' in value && 'esl' in value;
}

/** The flags with which a child can run the same kind of file as this one is: `.ts` needs tsx. */
function childFlags(ownFile: string): string[] {
  const flags = process.execArgv.filter((flag) => !/^--(inspect|eval|print|test)|^-[ep]$/.test(flag));
  if (!ownFile.endsWith('.ts') || flags.some((flag) => flag.includes('tsx'))) return flags;
  const loader = createRequire(import.meta.url).resolve('tsx');
  return [...flags, '--import', pathToFileURL(loader).href];
}

function start(configFile: string, options: LaunchOptions): ChildProcess {
  const ownFile = fileURLToPath(import.meta.url);
  const program = ownFile.replace(/launch\.(ts|js)$/, 'softswitch.$1');
  return fork(program, [configFile], {
    execArgv: childFlags(ownFile),
    // Its own process group: Ctrl-C reaches the launcher alone, which then ends everything in order.
    detached: true,
    stdio: ['ignore', 'ignore', options.stderr ?? 'inherit', 'ipc'],
  });
}

/** Waits until the process says that it is ready, or why it isn't. */
function untilReady(child: ChildProcess): Promise<Ports> {
  return new Promise((resolve, reject) => {
    let failure: string | undefined;
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      settle(() => reject(new SetupError(`The embedded switch was not ready within ${READY_DEADLINE_MS} ms`)));
    }, READY_DEADLINE_MS);
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      child.off('error', onError);
      how();
    };
    const onMessage = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !('type' in message)) return;
      const { type } = message;
      if (type === 'ready' && 'ports' in message && isPorts(message.ports)) {
        const { ports } = message;
        settle(() => resolve(ports));
      } else if (type === 'failed' && 'message' in message) failure = String(message.message);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      const words = failure ?? `The embedded switch ended before it was ready (${signal ?? `code ${code ?? '?'}`})`;
      settle(() => reject(new SetupError(words)));
    };
    const onError = (error: Error): void => {
      settle(() => reject(new SetupError('The embedded switch could not be started', { cause: error })));
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.on('error', onError);
  });
}

function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/**
 * Starts the embedded switch. It goes on when the launcher dies, as long as it has calls (`standAlone: false`) or for
 * ever (`standAlone: true`).
 * @throws SetupError in one line that names the setting: a wrong value, a taken port.
 */
export async function launchEmbeddedSwitch(
  settings: EmbeddedSwitchSettings,
  options: LaunchOptions,
): Promise<LaunchedSwitch> {
  const checked = embeddedSwitchConfigSchema.safeParse(settings);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw new SetupError(
      `The embedded switch's setting "${issue?.path.join('.') ?? ''}" is wrong: ${issue?.message ?? ''}`,
    );
  }
  const ownFolder = options.configFile === undefined ? mkdtempSync(join(tmpdir(), 'softswitch-')) : undefined;
  const configFile = options.configFile ?? join(ownFolder ?? '', 'settings.json');
  const write = (content: EmbeddedSwitchSettings): void => {
    writeFileSync(configFile, JSON.stringify(content), { mode: 0o600 });
  };
  const cleanUp = (): void => {
    if (ownFolder !== undefined) rmSync(ownFolder, { recursive: true, force: true });
  };
  write(checked.data);
  const child = start(configFile, options);
  const ports = await untilReady(child).catch((error: unknown) => {
    cleanUp();
    throw error;
  });

  let expected = false;
  child.once('exit', (code, signal) => {
    cleanUp();
    if (!expected) options.onExit?.(signal ?? `code ${code ?? '?'}`);
  });
  options.log.info({ ports, pid: child.pid }, 'the embedded switch runs');
  return {
    ports,
    pid: child.pid ?? 0,
    async stop() {
      expected = true;
      const ended = endOf(child);
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await ended;
      clearTimeout(timer);
    },
    kill() {
      child.kill('SIGKILL');
    },
    reload(next) {
      write({ ...checked.data, ...embeddedSwitchConfigSchema.parse(next) });
      child.kill('SIGHUP');
    },
  };
}
