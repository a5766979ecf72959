/** Runs SIPp, a SIP implementation that is not ours, as calling side. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, rtpPortBlock } from '../free-ports.ts';
import { type Codec, encodeG711, payloadTypes } from '../phone/g711.ts';
import { sampleRate } from '../phone/hearing.ts';
import type { SocketAddress } from '../phone/transport.ts';

export interface SippRun {
  readonly server: SocketAddress;
  readonly number: string;
  readonly transport: 'udp' | 'tcp';
  readonly codec: Codec;
  readonly calls: number;
  readonly callsPerSecond: number;
  /** The whole run is killed after this. */
  readonly withinMs: number;
  /** Each call says this tone until the other side hangs up; without it, it says nothing and hangs up by itself. */
  readonly toneHz?: number;
}

const scenarioFile = (name: string): string => fileURLToPath(new URL(`./${name}.xml`, import.meta.url));

/** One second of the tone as bare G.711, which SIPp cuts into packets; whole periods, so that it can be repeated. */
function toneOf(codec: Codec, hz: number): Buffer {
  const second = Int16Array.from({ length: sampleRate }, (_, at) =>
    Math.round(8000 * Math.sin((2 * Math.PI * hz * at) / sampleRate)),
  );
  return encodeG711(codec, second);
}

/** @throws Error with SIPp's own words when a single call went otherwise than the scenario says. */
export async function runSipp(run: SippRun): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'yht-sipp-'));
  try {
    const scenario = join(folder, 'scenario.xml');
    const tone = join(folder, 'tone.raw');
    if (run.toneHz !== undefined) await writeFile(tone, toneOf(run.codec, run.toneHz));
    const text = (await readFile(scenarioFile(run.toneHz === undefined ? 'basic-call' : 'talking-call'), 'utf8'))
      .replaceAll('[$tone]', tone)
      .replaceAll('[$codec]', String(payloadTypes[run.codec]))
      .replaceAll('[$name]', run.codec);
    await writeFile(scenario, text);
    await execute(
      folder,
      [
        ...['-sf', scenario, '-s', run.number, '-i', '127.0.0.1', '-p', String(await freePort())],
        ...['-t', run.transport === 'udp' ? 'u1' : 't1', '-m', String(run.calls), '-r', String(run.callsPerSecond)],
        ...[
          '-mp',
          String((await rtpPortBlock()).portMin),
          '-nostdin',
          '-trace_err',
          '-error_file',
          join(folder, 'errors.log'),
        ],
        ...['-recv_timeout', '8000', '-timeout', `${Math.floor(run.withinMs / 1000)}s`, '-timeout_error'],
        `${run.server.host}:${run.server.port}`,
      ],
      run.withinMs,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function execute(folder: string, args: readonly string[], withinMs: number): Promise<void> {
  const failure = await new Promise<string | undefined>((resolve) => {
    execFile('sipp', [...args], { cwd: folder, timeout: withinMs, killSignal: 'SIGKILL' }, (error, output, errors) => {
      resolve(error === null ? undefined : `${error.message}\n${errors}\n${output.slice(-1500)}`);
    });
  });
  if (failure === undefined) return;
  const log = await readFile(join(folder, 'errors.log'), 'utf8').catch(() => '(no error file)');
  throw new Error(`SIPp failed: ${failure}\n${log.slice(0, 3000)}`);
}
