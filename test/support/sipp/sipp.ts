/** Runs SIPp, a SIP implementation that is not ours, as calling side. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, rtpPortBlock } from '../free-ports.ts';
import { payloadTypes } from '../phone/codecs.ts';
import { encodeG711, type Law } from '../phone/g711.ts';
import { sampleRate } from '../phone/hearing.ts';
import type { SocketAddress } from '../phone/transport.ts';

export interface SippRun {
  readonly server: SocketAddress;
  readonly number: string;
  readonly transport: 'udp' | 'tcp';
  readonly codec: Law;
  readonly calls: number;
  readonly callsPerSecond: number;
  /** The whole run is killed after this. */
  readonly withinMs: number;
  /** Each call says this tone until the other side hangs up; without it, it says nothing and hangs up by itself. */
  readonly toneHz?: number;
}

const scenarioFile = (name: string): string => fileURLToPath(new URL(`./${name}.xml`, import.meta.url));

/** One second of the tone as bare G.711, which SIPp cuts into packets; whole periods, so that it can be repeated. */
function toneOf(codec: Law, hz: number): Buffer {
  const second = Int16Array.from({ length: sampleRate }, (_, at) =>
    Math.round(8000 * Math.sin((2 * Math.PI * hz * at) / sampleRate)),
  );
  return encodeG711(codec, second);
}

/** @throws Error with SIPp's own words when a single call went otherwise than the scenario says. */
export async function runSipp(run: SippRun): Promise<void> {
  await inFolder(async (folder) => {
    const tone = join(folder, 'tone.raw');
    if (run.toneHz !== undefined) await writeFile(tone, toneOf(run.codec, run.toneHz));
    const scenario = await scenarioIn(folder, run.toneHz === undefined ? 'basic-call' : 'talking-call', {
      tone,
      codec: String(payloadTypes[run.codec]),
      name: run.codec,
    });
    const rate = ['-m', String(run.calls), '-r', String(run.callsPerSecond)];
    const media = ['-mp', String((await rtpPortBlock()).portMin)];
    await execute(folder, { ...run, scenario, service: run.number }, [...rate, ...media]);
  });
}

export interface SippRegistration {
  readonly server: SocketAddress;
  readonly transport: 'udp' | 'tcp';
  readonly domain: string;
  readonly user: string;
  readonly password: string;
  /** The Expires of its second registration, under the same Call-ID; 0 withdraws it. */
  readonly lastExpiresS: number;
}

/** Registers twice with a digest. @throws Error when one of the answers isn't 200. */
export async function sippRegisters(registration: SippRegistration): Promise<void> {
  await inFolder(async (folder) => {
    const { domain, user, password, lastExpiresS } = registration;
    const words = { domain, user, password, last: String(lastExpiresS) };
    const scenario = await scenarioIn(folder, 'register', words);
    await execute(folder, { ...registration, scenario, service: user, withinMs: 10_000 }, ['-m', '1']);
  });
}

async function inFolder(does: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'yht-sipp-'));
  try {
    await does(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The scenario with its own words filled in; SIPp can't take any from the command line. */
async function scenarioIn(folder: string, name: string, words: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder, 'scenario.xml');
  let text = await readFile(scenarioFile(name), 'utf8');
  for (const [word, value] of Object.entries(words)) text = text.replaceAll(`[$${word}]`, value);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

interface Execution {
  readonly scenario: string;
  readonly service: string;
  readonly server: SocketAddress;
  readonly transport: 'udp' | 'tcp';
  readonly withinMs: number;
}

async function execute(folder: string, run: Execution, more: readonly string[]): Promise<void> {
  const args = [
    ...['-sf', run.scenario, '-s', run.service, '-i', '127.0.0.1', '-p', String(await freePort())],
    ...['-t', run.transport === 'udp' ? 'u1' : 't1', ...more],
    ...['-nostdin', '-trace_err', '-error_file', join(folder, 'errors.log')],
    ...['-recv_timeout', '8000', '-timeout', `${Math.floor(run.withinMs / 1000)}s`, '-timeout_error'],
    `${run.server.host}:${run.server.port}`,
  ];
  const failure = await new Promise<string | undefined>((resolve) => {
    const bounds = { cwd: folder, timeout: run.withinMs, killSignal: 'SIGKILL' } as const;
    execFile('sipp', args, bounds, (error, output, errors) => {
      resolve(error === null ? undefined : `${error.message}\n${errors}\n${output.slice(-1500)}`);
    });
  });
  if (failure === undefined) return;
  const log = await readFile(join(folder, 'errors.log'), 'utf8').catch(() => '(no error file)');
  throw new Error(`SIPp failed: ${failure}\n${log.slice(0, 3000)}`);
}
