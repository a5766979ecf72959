import { createSocket, type Socket } from 'node:dgram';
import { decodeTables, encodeInto, type G711Law } from '../../src/switch/embedded/rtp/g711.ts';
import { createRtpView, parseRtp, writeRtpHeader } from '../../src/switch/embedded/rtp/packet.ts';
import { sine } from './tones.ts';

const FRAME = 160;
export const EVENT_TYPE = 101;

/** A packet as the phone received it. */
export interface HeardPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
  readonly atMs: number;
}

/** How the network between phone and switch misbehaves. */
export interface Network {
  /** Every n-th packet is lost; 0 for none. */
  readonly loseEvery: number;
  /** Each packet is delayed by 0 to this many milliseconds, so that they overtake each other. */
  readonly jitterMs: number;
}

/** A telephone without signalling: a UDP socket that speaks tones and keeps what it hears. */
export class RtpPhone {
  readonly heard: HeardPacket[] = [];
  readonly law: G711Law;
  readonly payloadType: number;
  network: Network = { loseEvery: 0, jitterMs: 0 };
  readonly #socket: Socket;
  readonly #ssrc = Math.floor(Math.random() * 0xffff_ffff);
  #sequence = Math.floor(Math.random() * 0xffff);
  #timestamp = Math.floor(Math.random() * 0xffff_ffff);
  #timer: NodeJS.Timeout | undefined;
  #target = 0;
  readonly #late = new Set<NodeJS.Timeout>();

  private constructor(socket: Socket, law: G711Law) {
    this.#socket = socket;
    this.law = law;
    this.payloadType = law === 'PCMA' ? 8 : 0;
    const view = createRtpView();
    socket.on('message', (packet) => {
      if (!parseRtp(packet, view)) return;
      const payload = Buffer.from(packet.subarray(view.payloadStart, view.payloadEnd));
      this.heard.push({ ...view, payload, atMs: performance.now() });
    });
  }

  static async open(law: G711Law = 'PCMA'): Promise<RtpPhone> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 18 });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new RtpPhone(socket, law);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The description of this phone that its SDP would give. */
  remote(over: { readonly telephoneEventType?: number | undefined; readonly port?: number } = {}) {
    return {
      address: '127.0.0.1',
      port: over.port ?? this.port,
      codec: this.law,
      payloadType: this.payloadType,
      telephoneEventType: 'telephoneEventType' in over ? over.telephoneEventType : EVENT_TYPE,
      direction: 'sendrecv' as const,
    };
  }

  /** Where it sends to. */
  aim(port: number): void {
    this.#target = port;
  }

  /** Sends a tone in real time until `hush`; frames that were due during a stall are made up for. */
  speak(hz: number, amplitude = 8000): void {
    this.hush();
    const startedMs = performance.now();
    let frames = 0;
    const step = (): void => {
      const due = Math.floor((performance.now() - startedMs) / 20) + 1;
      while (frames < due) {
        this.sendAudio(sine(hz, FRAME, amplitude, frames * FRAME));
        frames += 1;
      }
      this.#timer = setTimeout(step, startedMs + frames * 20 - performance.now());
    };
    step();
  }

  hush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One packet of samples. */
  sendAudio(samples: Int16Array): void {
    const packet = Buffer.alloc(12 + samples.length);
    encodeInto(packet, 12, samples, this.law);
    writeRtpHeader(packet, 0, this.payloadType, false, this.#sequence, this.#timestamp >>> 0, this.#ssrc);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + samples.length) >>> 0;
    this.#send(packet);
  }

  /** A key press of 100 ms, all packets at once; `ends` of its three end packets are sent. */
  sendKey(event: number, ends = 3): void {
    for (let n = 1; n <= 5 + ends; n += 1) {
      const packet = Buffer.alloc(16);
      writeRtpHeader(packet, 0, EVENT_TYPE, n === 1, this.#sequence, this.#timestamp >>> 0, this.#ssrc);
      const ended = n > 5;
      packet.set([event, (ended ? 0x80 : 0) | 10], 12);
      packet.writeUInt16BE(Math.min(n, 5) * FRAME, 14);
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#send(packet);
    }
    this.#timestamp = (this.#timestamp + 5 * FRAME) >>> 0;
  }

  /** Any bytes. */
  sendRaw(bytes: Buffer): void {
    this.#socket.send(bytes, this.#target, '127.0.0.1');
  }

  /** The samples of the audio heard last. */
  lastSamples(count: number): Int16Array {
    const table = decodeTables[this.law];
    const audio = this.heard.filter(({ payloadType }) => payloadType === this.payloadType);
    const bytes = Buffer.concat(audio.slice(-Math.ceil(count / FRAME)).map(({ payload }) => payload));
    return Int16Array.from(bytes.subarray(-count), (byte) => table[byte] ?? 0);
  }

  async close(): Promise<void> {
    this.hush();
    for (const timer of this.#late) clearTimeout(timer);
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #send(packet: Buffer): void {
    const { loseEvery, jitterMs } = this.network;
    if (loseEvery > 0 && this.#sequence % loseEvery === 0) return;
    if (jitterMs === 0) {
      this.sendRaw(packet);
      return;
    }
    const timer = setTimeout(() => {
      this.#late.delete(timer);
      this.sendRaw(packet);
    }, Math.random() * jitterMs);
    this.#late.add(timer);
  }
}
