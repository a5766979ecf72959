/** The embedded switch's process: `node softswitch.js <settings file>`. */
import { join } from 'node:path';
import pino from 'pino';
import { systemClock } from '../../kernel/clock.ts';
import { errorChain, SetupError } from '../../kernel/errors.ts';
import { randomIds } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import { readCertificate, type SwitchCertificate } from '../../kernel/sip-certificate.ts';
import { type EmbeddedSwitchConfig, readConfigFile } from './config.ts';
import { SwitchCore } from './core/switch.ts';
import { EslServer } from './esl-server/server.ts';
import { createMediaEngine } from './media/engine.ts';

/** What the process tells its launcher. */
export type SoftswitchMessage =
  | {
      readonly type: 'ready';
      readonly ports: { readonly trunk: number; readonly agents: number; readonly esl: number };
    }
  | { readonly type: 'failed'; readonly message: string };

/** A stop that hangs is cut off: the launcher, and whoever pressed Ctrl-C, wait for it. */
const STOP_DEADLINE_MS = 4_000;
const MAX_FAULTS_PER_MINUTE = 20;
const EXPIRY_WARNING_MS = 14 * 24 * 3_600_000;

function tell(message: SoftswitchMessage): void {
  process.send?.(message);
}

function makeLog(config: EmbeddedSwitchConfig): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  const log = pino({ level: config.logLevel, base: { component: 'softswitch' } }, destination);
  // Standard error may be a pipe to a launcher that is gone. The calls matter more than the log.
  destination.on('error', () => {
    log.level = 'silent';
  });
  return log;
}

/**
 * A fault of ours in one call's timer must not end all other calls: it is logged and the process goes on. Many in a
 * short time mean that nothing can be trusted any more, and the process ends so that its launcher starts a fresh one.
 */
function outliveFaults(log: Logger): void {
  let recent = 0;
  const note = (error: unknown): void => {
    recent += 1;
    const stack = error instanceof Error ? error.stack : undefined;
    log.error({ error: errorChain(error), stack, recent }, 'a fault of the switch itself');
    if (recent > MAX_FAULTS_PER_MINUTE) process.exit(1);
    setTimeout(() => {
      recent -= 1;
    }, 60_000).unref();
  };
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
}

/** Opens one of the ports; says which setting to change when it can't. */
async function openPort<T>(setting: string, address: string, port: number, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const why = taken ? 'is taken by another program' : `can't be opened (${errorChain(error)})`;
    throw new SetupError(`Port ${port} on ${address} ${why}: change the embedded switch's setting ${setting}`, {
      cause: error,
    });
  }
}

async function run(configPath: string): Promise<void> {
  const config = readConfigFile(configPath);
  const log = makeLog(config);
  const { bindAddress, rtpPortMin, rtpPortMax, rtpTimeoutMs } = config;
  const media = createMediaEngine({ bindAddress, rtpPortMin, rtpPortMax, rtpTimeoutMs, log });
  const musicFile = join(config.promptsFolder, 'music.wav');
  media.setHoldMusic(musicFile);
  const certificate = certificateOf(config, log);
  const core = new SwitchCore({
    ...{ config, media, clock: systemClock, ids: randomIds, log },
    ...(certificate === undefined ? {} : { certificate }),
  });
  const { trunk, agents } = core;
  await openPort('trunkPort', bindAddress, config.trunkPort, () => trunk.endpoint.open());
  await openPort('agentsPort', bindAddress, config.agentsPort, () => agents.endpoint.open());
  await openPort('tls.trunkPort', bindAddress, config.tls?.trunkPort ?? 0, () => trunk.endpoint.openTls());
  await openPort('tls.agentsPort', bindAddress, config.tls?.agentsPort ?? 0, () => agents.endpoint.openTls());
  const esl = await openPort('eslPort', config.eslBindAddress, config.eslPort, () => EslServer.listen(core));
  core.startHeartbeat();

  outliveFaults(log);

  let stopping = false;
  const stop = (why: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ why, calls: core.context.channels.size }, 'the embedded switch stops');
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    // Hang up first: control shall still hear how each call ended.
    core
      .stop()
      .then(() => Promise.all([esl.close(), media.close()]))
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ error: errorChain(error) }, 'the embedded switch did not stop cleanly');
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  core.readSettings = () => {
    try {
      const renewed = readConfigFile(configPath);
      const newCertificate = certificateOf(renewed, log);
      core.reload(renewed);
      if (newCertificate !== undefined) {
        for (const side of [trunk, agents]) side.endpoint.renewCertificate(newCertificate);
      }
      media.setHoldMusic(musicFile);
      log.info({}, 'settings read again');
      return 'Success';
    } catch (error) {
      log.error({ error: errorChain(error) }, 'settings stay as they were');
      return errorChain(error);
    }
  };
  process.on('SIGHUP', () => core.readSettings());
  if (!config.standAlone) watchLauncher(core, esl, stop);
  const ports = { trunk: trunk.endpoint.port, agents: agents.endpoint.port, esl: esl.port };
  log.info({ ports, bindAddress }, 'the embedded switch is ready');
  tell({ type: 'ready', ports });
}

/** @throws SetupError when it can't be used. One that runs out is only told: phones may still be without care for it. */
function certificateOf(config: EmbeddedSwitchConfig, log: Logger): SwitchCertificate | undefined {
  if (config.tls === undefined) return undefined;
  const certificate = readCertificate(config.tls.folder);
  const validTo = new Date(certificate.validToMs).toISOString();
  if (certificate.validToMs < systemClock.now() + EXPIRY_WARNING_MS)
    log.warn({ validTo }, 'the SIP certificate runs out soon, or has');
  return certificate;
}

/** Without its launcher the switch goes on as long as there are calls, or another control that uses it. */
function watchLauncher(core: SwitchCore, esl: EslServer, stop: (why: string) => void): void {
  const endWhenUnused = (): void => {
    if (process.connected === true) return;
    if (core.context.channels.size === 0 && esl.clients === 0) stop('the launcher is gone and nobody needs the switch');
  };
  process.on('disconnect', endWhenUnused);
  core.onChannelGone = endWhenUnused;
  esl.onClientLeft = endWhenUnused;
}

const configPath = process.argv[2];
if (configPath === undefined) {
  process.stderr.write('usage: softswitch <settings file>\n');
  process.exitCode = 2;
} else {
  run(configPath).catch((error: unknown) => {
    const message = errorChain(error instanceof SetupError ? error.message : error);
    // A launcher prints it in its own words; two lines would say the same.
    if (process.connected === true) tell({ type: 'failed', message });
    else process.stderr.write(`${message}\n`);
    process.exitCode = 1;
    process.disconnect?.();
    // Sockets that were opened before the fault must not keep the process alive.
    setImmediate(() => process.exit(1));
  });
}
