/**
 * The sound of all phones: one UDP port that takes whatever comes and sends G.711 silence to every address that it was
 * told, 50 packets a second each. It runs in a process of its own, so that it doesn't delay the generator's clock.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const host = '127.0.0.1';
const packetMs = 20;
const samples = 160;
const headerBytes = 12;
const pcma = 8;
/** G.711 A-law silence. */
const silence = 0xd5;

type Order = { readonly start: number } | { readonly stop: number };

/** The phones' common RTP port, seen from the generator. */
export class Sound {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #speaks: boolean;

  private constructor(child: ChildProcess, port: number, speaks: boolean) {
    this.#child = child;
    this.#speaks = speaks;
    this.port = port;
  }

  /** Starts this very program's part `sound`; phones that don't speak only take what comes. */
  static async open(speaks: boolean): Promise<Sound> {
    const child = fork(process.argv[1] ?? '', ['sound'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [port] = (await once(child, 'message')) as [number];
    return new Sound(child, port, speaks);
  }

  /** Sends to this port of the switch until it is told to stop. */
  start(port: number): void {
    if (this.#speaks) this.#child.send({ start: port } satisfies Order);
  }

  stop(port: number): void {
    this.#child.send({ stop: port } satisfies Order);
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}

interface Stream {
  readonly packet: Buffer;
  sequence: number;
  timestamp: number;
}

function newStream(port: number): Stream {
  const packet = Buffer.alloc(headerBytes + samples, silence);
  packet[0] = 0x80;
  packet[1] = pcma;
  packet.writeUInt32BE(port, 8);
  return { packet, sequence: 0, timestamp: 0 };
}

function sendNext(socket: Socket, port: number, stream: Stream): void {
  const { packet } = stream;
  packet.writeUInt16BE(stream.sequence & 0xffff, 2);
  packet.writeUInt32BE(stream.timestamp >>> 0, 4);
  stream.sequence += 1;
  stream.timestamp += samples;
  socket.send(packet, port, host);
}

/** The process: half of the streams every 10 ms, as telephones don't all speak in the same moment. */
export async function runSoundProcess(): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in the terminal is the parent's to handle.
  process.on('SIGINT', () => undefined);
  const streams = new Map<number, Stream>();
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 1 << 20,
    lookup: (address, _options, callback) => callback(null, address, 4),
  });
  socket.on('message', () => undefined);
  socket.on('error', () => undefined);
  // The numeric look-up answers at once, so the listener must be there first.
  const listening = once(socket, 'listening');
  socket.bind(0, host);
  await listening;
  let tick = 0;
  setInterval(() => {
    tick += 1;
    for (const [port, stream] of streams) if ((port >> 1) % 2 === tick % 2) sendNext(socket, port, stream);
  }, packetMs / 2);
  process.on('message', (order: Order) => {
    if ('start' in order) streams.set(order.start, newStream(order.start));
    else streams.delete(order.stop);
  });
  process.send?.(socket.address().port);
}
