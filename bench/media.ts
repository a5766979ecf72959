/**
 * Bridged G.711 calls through the embedded switch's media engine: CPU of the media process, added delay, loss.
 * The engine runs in a child process, the telephones in this one. Run: `npx tsx bench/media.ts [recorded]`; the last
 * line is JSON. With `recorded` one leg of every call is recorded as well.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createMediaEngine } from '../src/switch/embedded/media/engine.ts';
import { writeRtpHeader } from '../src/switch/embedded/rtp/packet.ts';

const CALLS = [10, 50, 100, 200];
const WARM_UP_MS = 1500;
const MEASURED_MS = 6000;
const PACKET_BYTES = 172;
const RTP_PORT_MIN = 22_000;
const RTP_PORT_MAX = 24_000;
/** Sending is spread over the 20 ms in so many slots, as independent telephones do. */
const SLOTS = 20;

interface CallOrder {
  readonly phonePorts: readonly number[];
  readonly recordings: string | undefined;
}

type ToEngine = { readonly set: CallOrder } | 'cpu' | 'end';

interface Figures {
  readonly calls: number;
  readonly cpuPercent: number;
  readonly delayMsP50: number;
  readonly delayMsP99: number;
  readonly delayMsMax: number;
  readonly sent: number;
  readonly lost: number;
  /** CPU of the load generator: near 100 % the delays are its own. */
  readonly generatorCpuPercent: number;
}

const quiet = {
  debug: () => {},
  info: () => {},
  warn: (fields: object, message: string) => console.error(message, fields),
  error: (fields: object, message: string) => console.error(message, fields),
  child: () => quiet,
};

/** The child process: bridges every two ports that it is told. */
function runEngine(): void {
  const engine = createMediaEngine({
    bindAddress: '127.0.0.1',
    rtpPortMin: RTP_PORT_MIN,
    rtpPortMax: RTP_PORT_MAX,
    rtpTimeoutMs: 30_000,
    log: quiet,
  });
  const connect = async ({ phonePorts, recordings }: CallOrder): Promise<void> => {
    const handlers = { onDigit: () => {}, onRtpTimeout: () => {} };
    const legs = await Promise.all(phonePorts.map(() => engine.createLeg(handlers)));
    for (const [at, leg] of legs.entries()) {
      leg.setRemote({
        address: '127.0.0.1',
        port: phonePorts[at] ?? 0,
        codec: 'PCMA',
        payloadType: 8,
        telephoneEventType: 101,
        direction: 'sendrecv',
      });
      const other = legs[at ^ 1];
      if (other !== undefined) leg.route({ kind: 'bridge', other });
      if (recordings === undefined || at % 2 === 1) continue;
      const path = join(recordings, `${at}.wav`);
      leg.startRecording({ path, stereo: true, maxDurationMs: 0, onEnded: () => {} });
    }
    process.send?.({ ports: legs.map((leg) => leg.localPort) });
  };
  process.on('message', (message: ToEngine) => {
    if (message === 'cpu') process.send?.({ cpu: process.cpuUsage() });
    else if (message === 'end') void engine.close().then(() => process.disconnect());
    else void connect(message.set);
  });
}

function answer<T>(child: ChildProcess, ask: ToEngine): Promise<T> {
  const reply = new Promise<T>((resolve, reject) => {
    child.once('message', (message) => resolve(message as T));
    child.once('exit', (code) => reject(new Error(`the engine ended with ${code}`)));
  });
  child.send(ask);
  return reply;
}

const numericLookup = (
  address: string,
  _options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void => callback(null, address, 4);

async function openPhone(onPacket: (packet: Buffer) => void): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 18, lookup: numericLookup });
  socket.on('message', onPacket);
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

/** One telephone's stream; the payload carries when it was sent and whether it counts. */
class Stream {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #ssrc: number;
  #number = 0;

  constructor(socket: Socket, port: number, ssrc: number) {
    this.#socket = socket;
    this.#port = port;
    this.#ssrc = ssrc;
  }

  send(counts: boolean): void {
    const packet = Buffer.alloc(PACKET_BYTES);
    writeRtpHeader(packet, 0, 8, false, this.#number & 0xffff, this.#number * 160, this.#ssrc);
    this.#number += 1;
    packet[20] = counts ? 1 : 0;
    packet.writeDoubleLE(performance.now(), 12);
    this.#socket.send(packet, 0, PACKET_BYTES, this.#port, '127.0.0.1');
  }
}

/** Sends 50 packets per second and stream until told to end; resolves with how many of them count. */
async function generate(streams: readonly Stream[]): Promise<number> {
  const startedMs = performance.now();
  const slots = ((WARM_UP_MS + MEASURED_MS) / 20) * SLOTS;
  const slotMs = 20 / SLOTS;
  let sent = 0;
  for (let slot = 0; slot < slots; ) {
    const due = Math.floor((performance.now() - startedMs) / slotMs);
    for (; slot < Math.min(slots, due); slot += 1) {
      const counts = slot * slotMs >= WARM_UP_MS;
      for (let at = slot % SLOTS; at < streams.length; at += SLOTS) {
        streams[at]?.send(counts);
        if (counts) sent += 1;
      }
    }
    await pause(1);
  }
  return sent;
}

const cpuMs = (usage: NodeJS.CpuUsage): number => (usage.user + usage.system) / 1000;
const rounded = (value: number): number => Math.round(value * 100) / 100;

async function measure(calls: number, recordings: string | undefined): Promise<Figures> {
  const child = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, MEDIA_BENCH_ENGINE: '1' } });
  const delays: number[] = [];
  const onPacket = (packet: Buffer): void => {
    if (packet[20] === 1) delays.push(performance.now() - packet.readDoubleLE(12));
  };
  const phones = await Promise.all(Array.from({ length: calls * 2 }, () => openPhone(onPacket)));
  const phonePorts = phones.map((phone) => phone.address().port);
  const { ports } = await answer<{ ports: number[] }>(child, { set: { phonePorts, recordings } });
  const streams = phones.map((phone, at) => new Stream(phone, ports[at] ?? 0, at + 1));
  const generating = generate(streams);
  await pause(WARM_UP_MS);
  const before = await answer<{ cpu: NodeJS.CpuUsage }>(child, 'cpu');
  const ownBefore = process.cpuUsage();
  const startedMs = performance.now();
  const sent = await generating;
  const after = await answer<{ cpu: NodeJS.CpuUsage }>(child, 'cpu');
  const wallMs = performance.now() - startedMs;
  const generatorMs = cpuMs(process.cpuUsage(ownBefore));
  await pause(300);
  child.send('end' satisfies ToEngine);
  for (const phone of phones) phone.close();
  await new Promise((resolve) => child.once('exit', resolve));
  delays.sort((one, other) => one - other);
  const at = (share: number): number => rounded(delays[Math.floor((delays.length - 1) * share)] ?? Number.NaN);
  return {
    calls,
    cpuPercent: rounded(((cpuMs(after.cpu) - cpuMs(before.cpu)) / wallMs) * 100),
    delayMsP50: at(0.5),
    delayMsP99: at(0.99),
    delayMsMax: at(1),
    sent,
    lost: sent - delays.length,
    generatorCpuPercent: rounded((generatorMs / wallMs) * 100),
  };
}

async function main(): Promise<void> {
  const recorded = process.argv.includes('recorded');
  const folder = recorded ? await mkdtemp(join(tmpdir(), 'media-bench-')) : undefined;
  const results: Figures[] = [];
  for (const calls of CALLS) {
    results.push(await measure(calls, folder));
    console.error(results.at(-1));
  }
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  console.log(JSON.stringify({ bench: 'media', recorded, node: process.version, results }));
}

if (process.env.MEDIA_BENCH_ENGINE === '1') runEngine();
else await main();
