/** Baresip, a real softphone, as the phone of a seat. */
import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestCertificate } from './certificate.ts';
import { freePort } from './free-ports.ts';
import type { SocketAddress } from './phone/transport.ts';
import { Watch } from './watch.ts';
import { readWavFile } from './wav.ts';

export interface BaresipOptions {
  readonly server: SocketAddress;
  readonly domain: string;
  readonly user: string;
  readonly password: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Over TLS: whom it believes; it shows the same. */
  readonly certificate?: TestCertificate;
  /** All its sound must be SRTP, with keys in the description. */
  readonly srtp?: boolean;
  /** What it says on every call. */
  readonly toneHz: number;
  /** The Expires of its registrations; it comes again after nine tenths of it. 60 when left out. */
  readonly registerForS?: number;
}

export interface Baresip {
  /** Resolves when a line of its output holds the text. */
  says(text: string | RegExp, withinMs?: number): Promise<void>;
  /** Presses what its menu has under that name (`hold`, `transfer`, `dial`, `hangup` …). */
  press(name: string, parameter?: string): Promise<void>;
  /** What it has heard so far; ask when its call is over. */
  heard(): Promise<Int16Array>;
  /** Ends it in order: it withdraws its registration. */
  stop(): Promise<void>;
  /** Kills it, so that it says nothing more to anybody. */
  vanish(): Promise<void>;
}

const modulesFolder = '/usr/lib/baresip/modules';
const stopMs = 5000;

/** Starts baresip with a configuration of its own; it registers and answers every call by itself. */
export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const folder = await mkdtemp(join(tmpdir(), 'yht-baresip-'));
  const controlPort = await freePort();
  await writeFile(join(folder, 'config'), await configuration(options, folder, controlPort));
  await writeFile(join(folder, 'accounts'), account(options), { mode: 0o600 });
  await writeFile(join(folder, 'contacts'), '');
  const { certificate } = options;
  await writeFile(join(folder, 'tls.pem'), certificate === undefined ? '' : certificate.key + certificate.cert, {
    mode: 0o600,
  });
  // With /dev/null as standard input baresip stops (epoll refuses it); a pipe that stays open is fine.
  const child = spawn('baresip', ['-f', folder], { stdio: ['pipe', 'pipe', 'pipe'] });
  const watch = new Watch(`baresip ${options.user}`);
  const lines: string[] = [];
  const take = (line: string) => {
    if (line.trim() === '') return;
    lines.push(line);
    watch.note(line.trim().slice(0, 200));
  };
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', take);
  child.on('exit', (code) => watch.note(`ended with code ${code}`));
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await gone;
      clearTimeout(late);
    }
    await rm(folder, { recursive: true, force: true });
  };
  return {
    says: async (text, withinMs = 10_000) => {
      const matches = (line: string): boolean => (typeof text === 'string' ? line.includes(text) : text.test(line));
      await watch.until(String(text), withinMs, () => (lines.some(matches) ? true : undefined));
    },
    press: (name, parameter = '') => press(controlPort, name, parameter),
    heard: () => heardIn(folder),
    stop: () => end('SIGTERM'),
    vanish: () => end('SIGKILL'),
  };
}

/** Its ctrl_tcp module takes JSON in netstrings and answers each; what happens it tells on the same connection. */
async function press(port: number, command: string, params: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  const answers = on(socket, 'data', { signal: AbortSignal.timeout(stopMs), close: ['end'] });
  try {
    const body = JSON.stringify({ command, params });
    socket.write(`${Buffer.byteLength(body)}:${body},`);
    let told = '';
    for await (const [data] of answers as AsyncIterable<[Buffer]>) {
      told += data.toString('utf8');
      const answer = /\{"response":true[^}]*\}/.exec(told)?.[0];
      if (answer?.includes('"ok":true') === true) return;
      if (answer !== undefined) throw new Error(`baresip's ${command} said ${answer}`);
    }
    throw new Error(`baresip did not answer to ${command}: ${told}`);
  } finally {
    socket.destroy();
  }
}

/** Its sndfile module writes what was decoded into a file whose name ends so. */
async function heardIn(folder: string): Promise<Int16Array> {
  const name = (await readdir(folder)).find((file) => file.endsWith('-dec.wav'));
  if (name === undefined) throw new Error('baresip has written nothing that it heard');
  return (await readWavFile(join(folder, name))).channels[0] ?? new Int16Array();
}

async function configuration(options: BaresipOptions, folder: string, controlPort: number): Promise<string> {
  const lines = [
    'poll_method epoll',
    // It listens for TLS on the port behind.
    `sip_listen 127.0.0.1:${await freePort('127.0.0.1', 2)}`,
    ...(options.certificate === undefined
      ? []
      : [`sip_certificate ${join(folder, 'tls.pem')}`, `sip_cafile ${join(folder, 'tls.pem')}`]),
    `audio_source ausine,${options.toneHz}`,
    'audio_alert aufile,/dev/null',
    // The sine source speaks stereo of 48 kHz alone; baresip resamples.
    'ausrc_srate 48000',
    'auplay_srate 8000',
    'audio_channels 1-2',
    'ausrc_channels 2',
    'auplay_channels 1',
    'rtp_timeout 0',
    `module_path ${modulesFolder}`,
    'module g711.so',
    ...(options.srtp === true ? ['module srtp.so'] : []),
    'module ausine.so',
    'module aufile.so',
    'module sndfile.so',
    `snd_path ${folder}`,
    'module_tmp uuid.so',
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    '',
  ];
  return lines.join('\n');
}

function account(options: BaresipOptions): string {
  const { user, password, domain, server, transport } = options;
  const outbound = `"sip:${server.host}:${server.port};transport=${transport}"`;
  return `<sip:${user}@${domain};transport=${transport}>;auth_pass=${password};outbound=${outbound};regint=${options.registerForS ?? 60};answermode=auto;audio_codecs=PCMA,PCMU${options.srtp === true ? ';mediaenc=srtp-mand' : ''}\n`;
}
