import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { errorChain, SetupError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { replaceFile } from '../kernel/replace-file.ts';
import type { EmbeddedSwitchSettings } from '../switch/embedded/config.ts';
import { launchEmbeddedSwitch } from '../switch/embedded/launch.ts';

const runFileSchema = z.object({
  pid: z.number().int().positive(),
  ports: z.object({ trunk: z.number(), agents: z.number(), esl: z.number() }),
});
type RunFile = z.infer<typeof runFileSchema>;

const probeMs = 500;
const goneWithinMs = 6_000;
const lookEveryMs = 250;
/** A switch that dies is started again; one that keeps dying is not started for ever. */
const restartsPerMinute = 5;

export interface EmbeddedSwitch {
  readonly ports: RunFile['ports'];
  readonly pid: number;
  /** True when a switch was taken over that goes on with its calls after control was killed. */
  readonly adopted: boolean;
  /** Writes these phones where it reads them, now at a command and whenever it is started again. */
  writePhones(users: EmbeddedSwitchSettings['users']): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The embedded switch for this service: the one that an earlier, killed control left with its calls, else a new one.
 * When it dies it is started again on the same ports, so that control's link comes back by itself.
 */
export async function keepEmbeddedSwitch(
  settings: EmbeddedSwitchSettings,
  dataFolder: string,
  log: Logger,
): Promise<EmbeddedSwitch> {
  const runFile = join(dataFolder, 'switch-run.json');
  const settingsFile = join(dataFolder, 'switch-settings.json');
  const left = await leftOver(runFile);
  if (left !== undefined && (await answers(left.ports.esl))) {
    log.warn({ pid: left.pid, ports: left.ports }, 'took over the embedded switch that an earlier control had left');
    return new Keeper(settings, { runFile, settingsFile }, log).takeOver(left);
  }
  // One that is about to end still holds the ports.
  if (left !== undefined) await stopProcess(left.pid);
  return new Keeper(settings, { runFile, settingsFile }, log).start().catch((error: unknown) => {
    throw error instanceof SetupError ? new SetupError(inOurWords(error.message), { cause: error }) : error;
  });
}

/** The switch names its own settings; the newcomer knows ours. */
const ourNames: Readonly<Record<string, string>> = {
  trunkPort: 'SIP_TRUNK_PORT',
  agentsPort: 'SIP_AGENTS_PORT',
  eslPort: 'ESL_PORT',
  rtpPortMin: 'RTP_PORT_MIN',
  rtpPortMax: 'RTP_PORT_MAX',
  bindAddress: 'SIP_HOST',
  carriers: 'CARRIER_ADDRESSES',
};

function inOurWords(message: string): string {
  const theirs = Object.keys(ourNames).find((name) => message.includes(name));
  return theirs === undefined
    ? message
    : `${ourNames[theirs]}: ${message.replace(/: change the embedded switch's setting \w+/, '')}`;
}

interface Files {
  /** Which process it is. */
  readonly runFile: string;
  /** What it reads at its start and at `reloadxml`. */
  readonly settingsFile: string;
}

class Keeper {
  #settings: EmbeddedSwitchSettings;
  readonly #files: Files;
  readonly #log: Logger;
  #stopping = false;
  #stop: () => Promise<void> = () => Promise.resolve();
  #restarts: number[] = [];

  constructor(settings: EmbeddedSwitchSettings, files: Files, log: Logger) {
    this.#settings = settings;
    this.#files = files;
    this.#log = log;
  }

  async start(): Promise<EmbeddedSwitch> {
    const first = await this.#launch(this.#settings);
    this.#settings = samePorts(this.#settings, first.ports);
    return this.#kept(first, false);
  }

  #kept(run: RunFile, adopted: boolean): EmbeddedSwitch {
    return {
      ...run,
      adopted,
      writePhones: (users) => {
        this.#settings = { ...this.#settings, users };
        return replaceFile(this.#files.settingsFile, JSON.stringify(this.#settings));
      },
      stop: () => {
        this.#stopping = true;
        return this.#stop();
      },
    };
  }

  /** Keeps one that an earlier control had started. It is nobody's child, so its end can only be looked for. */
  takeOver(left: RunFile): EmbeddedSwitch {
    this.#settings = samePorts(this.#settings, left.ports);
    const look = setInterval(() => {
      if (isThere(left.pid)) return;
      clearInterval(look);
      this.#died('its process is gone');
    }, lookEveryMs);
    // The look-out alone keeps no service alive.
    look.unref();
    this.#stop = () => {
      clearInterval(look);
      return stopProcess(left.pid);
    };
    return this.#kept(left, true);
  }

  #died(reason: string): void {
    this.#log.error({ reason }, 'the embedded switch died: its calls are over; it is started again');
    if (!this.#stopping) void this.#again();
  }

  async #launch(settings: EmbeddedSwitchSettings): Promise<RunFile> {
    const launched = await launchEmbeddedSwitch(settings, {
      log: this.#log,
      configFile: this.#files.settingsFile,
      onExit: (reason) => this.#died(reason),
    });
    this.#stop = () => launched.stop();
    const run = { pid: launched.pid, ports: launched.ports };
    await replaceFile(this.#files.runFile, JSON.stringify(run));
    return run;
  }

  async #again(): Promise<void> {
    const now = Date.now();
    this.#restarts = [...this.#restarts.filter((at) => now - at < 60_000), now];
    if (this.#restarts.length > restartsPerMinute) {
      this.#log.error(
        { restarts: this.#restarts.length },
        'the embedded switch keeps dying and is not started any more; restart the service',
      );
      return;
    }
    try {
      await this.#launch(this.#settings);
    } catch (error) {
      this.#log.error({ error: errorChain(error) }, 'the embedded switch could not be started again; tried once more');
      await pause(1000);
      if (!this.#stopping) await this.#again();
    }
  }
}

/** The first start may have taken any free port; the next one must take the same. */
const samePorts = (settings: EmbeddedSwitchSettings, ports: RunFile['ports']): EmbeddedSwitchSettings => ({
  ...settings,
  trunkPort: ports.trunk,
  agentsPort: ports.agents,
  eslPort: ports.esl,
});

/** The switch that the run file tells of, if its process is still there and is one of ours. */
async function leftOver(runFile: string): Promise<RunFile | undefined> {
  const text = await readFile(runFile, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = runFileSchema.safeParse(jsonOf(text));
  if (!parsed.success) return undefined;
  const command = await readFile(`/proc/${parsed.data.pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes('softswitch') ? parsed.data : undefined;
}

/** Undefined for what is no JSON: a file that a power cut left empty tells of no switch that still runs. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: probeMs });
    const end = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('data', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

/** Ends a switch that is not our child: asks, waits within a bound, then kills. */
async function stopProcess(pid: number): Promise<void> {
  if (!signal(pid, 'SIGTERM')) return;
  // A process that is nobody's child can't be waited for; its disappearance can only be looked at.
  for (let waitedMs = 0; waitedMs < goneWithinMs; waitedMs += 50) {
    await pause(50);
    if (!isThere(pid)) return;
  }
  signal(pid, 'SIGKILL');
}

const isThere = (pid: number): boolean => signal(pid, 0);

/** @returns whether there is such a process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
