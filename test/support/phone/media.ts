/** The sound of one call: sends a tone over RTP, keeps what it receives, speaks and hears digits. */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Watch } from '../watch.ts';
import { type Codec, Coder, codecOf, type HeardPiece, payloadTypes } from './codecs.ts';
import { describeSound, hasOnlyTones, hasTone, isSilent, sampleRate } from './hearing.ts';
import { repeatingFrame } from './repeating-sound.ts';
import { SrtpDirection } from './srtp.ts';
import type { SocketAddress } from './transport.ts';

export const telephoneEventType = 101;
const frameSamples = 160;
const frameMs = 20;
/** Sound is judged by its last 200 ms: whole periods of every multiple of 5 Hz. */
const judgedMs = 200;
const keptPackets = 1000;
/** At most this many late frames are sent at once after the process was held up. */
const burstFrames = 5;
const eventCodes = '0123456789*#ABCD';
const amplitude = 8000;

interface Heard {
  readonly atMs: number;
  readonly piece: HeardPiece;
}

/** Addresses of tests are numbers: nothing is looked up. */
const numericLookup = (
  address: string,
  _options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void => callback(null, address, 4);

export class PhoneMedia {
  readonly #socket: Socket;
  readonly #watch: Watch;
  readonly #heard: Heard[] = [];
  readonly #ssrc = randomBytes(4).readUInt32BE();
  readonly #coder = new Coder();
  #ours: SrtpDirection | undefined;
  #theirs: SrtpDirection | undefined;
  #theirKey: string | undefined;
  #digits = '';
  #lastEventTimestamp = -1;
  #sequence = randomBytes(2).readUInt16BE();
  #timestamp = randomBytes(4).readUInt32BE();
  #toneHz: number | undefined;
  #phase = 0;
  #target: SocketAddress | undefined;
  #via: ((far: SocketAddress) => SocketAddress) | undefined;
  #codec: Codec = 'PCMA';
  #pacing: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #framesSent = 0;
  #muted = false;
  /** While a digit is spoken, the frames carry it instead of the tone. */
  #digitFrames: Buffer[] = [];
  #receivedPackets = 0;
  #sentPackets = 0;
  #onSound: ((piece: HeardPiece, atMs: number) => void) | undefined;

  private constructor(socket: Socket, watch: Watch) {
    this.#socket = socket;
    this.#watch = watch;
    socket.on('message', (packet) => this.#receive(packet));
    socket.on('error', (error) => watch.note(`RTP socket: ${error.message}`));
  }

  /** Binds an RTP port on the address. */
  static async open(host: string, watch: Watch): Promise<PhoneMedia> {
    const socket = createSocket({ type: 'udp4', lookup: numericLookup });
    // The look-up answers at once, so the listener must be there first.
    const listening = once(socket, 'listening');
    socket.bind(0, host);
    await listening;
    return new PhoneMedia(socket, watch);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Digits that came in as telephone events (RFC 4733) so far. */
  get digits(): string {
    return this.#digits;
  }

  get codec(): Codec {
    return this.#codec;
  }

  get receivedPackets(): number {
    return this.#receivedPackets;
  }

  get sentPackets(): number {
    return this.#sentPackets;
  }

  /** Tells of every packet of sound from now on; undefined ends it. */
  listen(onSound: ((piece: HeardPiece, atMs: number) => void) | undefined): void {
    this.#onSound = onSound;
  }

  /** From the next SDP on, what is meant for the far address goes to the one that `via` names instead. */
  passThrough(via: (far: SocketAddress) => SocketAddress): void {
    this.#via = via;
  }

  /** From now on all sound is SRTP; without their key nothing is heard yet. */
  secure(ourKey: string, theirKey?: string): void {
    this.#ours ??= new SrtpDirection(ourKey);
    if (theirKey === undefined || theirKey === this.#theirKey) return;
    this.#theirKey = theirKey;
    this.#theirs = new SrtpDirection(theirKey);
  }

  /** Sends to this address from now on, with this codec. */
  sendTo(target: SocketAddress, codec: Codec): void {
    this.#target = this.#via?.(target) ?? target;
    this.#codec = codec;
    if (this.#pacing !== undefined) return;
    this.#startedAtMs = performance.now();
    this.#pacing = setInterval(() => this.#sendDueFrames(), frameMs);
  }

  /** What the phone says: a sine tone, or silence when undefined. */
  setTone(hz: number | undefined): void {
    this.#toneHz = hz;
  }

  /** A muted phone sends no packets at all, as one that holds or has lost its network. */
  setMuted(muted: boolean): void {
    this.#muted = muted;
  }

  /** Speaks one digit as telephone event: 100 ms, its end told three times (RFC 4733, section 2.5.1.4). */
  sendDigit(digit: string): void {
    const code = eventCodes.indexOf(digit.toUpperCase());
    if (code < 0) throw new Error(`"${digit}" is no telephone event`);
    for (let part = 1; part <= 8; part += 1) {
      const ended = part > 5;
      const payload = Buffer.from([code, ended ? 0x8a : 0x0a, 0, 0]);
      payload.writeUInt16BE(Math.min(part, 5) * frameSamples, 2);
      this.#digitFrames.push(payload);
    }
  }

  /** The sound of the last `ms` of wall-clock time. */
  lastSound(ms: number): Int16Array {
    const since = performance.now() - ms - frameMs;
    const pieces = this.#heard.filter(({ atMs }) => atMs >= since).map(({ piece }) => piece.samples);
    const all = Int16Array.from(pieces.flatMap((piece) => [...piece]));
    return all.subarray(Math.max(0, all.length - (ms * sampleRate) / 1000));
  }

  /** When each 20 ms piece with this tone in it came, oldest first (`performance.now`). */
  arrivalsOf(hz: number, sinceMs: number): number[] {
    return this.#heard
      .filter(({ atMs, piece }) => atMs >= sinceMs && hasTone(piece.samples, hz))
      .map(({ atMs }) => atMs);
  }

  /** Resolves when the tone is in the sound, whatever else is. */
  async hears(hz: number, withinMs: number): Promise<void> {
    await this.#until(`hearing ${hz} Hz`, withinMs, (sound) => hasTone(sound, hz));
  }

  /** Resolves when the sound consists of exactly these tones. */
  async hearsOnly(tones: readonly number[], withinMs: number): Promise<void> {
    await this.#until(`hearing only ${tones.join(' and ')} Hz`, withinMs, (sound) => hasOnlyTones(sound, tones));
  }

  /** Resolves when the tone is in the sound at 16 kHz, which telephone band does not carry above 4000 Hz. */
  async hearsWide(hz: number, withinMs: number): Promise<void> {
    await this.#watch.until(`hearing ${hz} Hz of 16 kHz`, withinMs, () => {
      const pieces = this.#heard
        .slice(-judgedMs / frameMs)
        .flatMap(({ piece: { wide } }) => (wide === undefined ? [] : [...wide]));
      // The filter knows 8 kHz: at twice the rate everything is at half its frequency.
      return pieces.length >= judgedMs * 14 && hasTone(Int16Array.from(pieces), hz / 2) ? true : undefined;
    });
  }

  /** Resolves when the sound is not silent. */
  async hearsSomething(withinMs: number): Promise<void> {
    await this.#until('any sound', withinMs, (sound) => !isSilent(sound));
  }

  /** Resolves when no packets came, or only silent ones, for 200 ms. */
  async hearsNothing(withinMs: number): Promise<void> {
    const tick = setInterval(() => this.#watch.changed(), 50);
    try {
      const since = performance.now();
      await this.#watch.until(
        'silence',
        withinMs,
        () => {
          if (performance.now() - since < judgedMs) return undefined;
          return isSilent(this.lastSound(judgedMs)) ? true : undefined;
        },
        () => describeSound(this.lastSound(judgedMs)),
      );
    } finally {
      clearInterval(tick);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#pacing);
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  async #until(what: string, withinMs: number, holds: (sound: Int16Array) => boolean): Promise<void> {
    const enough = (judgedMs * sampleRate) / 1000;
    await this.#watch.until(
      what,
      withinMs,
      () => {
        const sound = this.lastSound(judgedMs);
        return sound.length >= enough * 0.9 && holds(sound) ? true : undefined;
      },
      () => describeSound(this.lastSound(judgedMs)),
    );
  }

  #sendDueFrames(): void {
    const due = Math.floor((performance.now() - this.#startedAtMs) / frameMs);
    if (due - this.#framesSent > burstFrames) this.#framesSent = due - burstFrames;
    while (this.#framesSent < due) {
      this.#framesSent += 1;
      this.#sendFrame();
    }
  }

  #sendFrame(): void {
    const digit = this.#digitFrames.shift();
    if (digit !== undefined) {
      // All packets of one event carry the timestamp of its beginning.
      const part = digit.readUInt16BE(2) / frameSamples;
      const first = part === 1;
      this.#sendPacket(telephoneEventType, first, digit);
      const lastOfEvent = this.#digitFrames.length % 8 === 0;
      if (lastOfEvent) this.#timestamp = (this.#timestamp + 8 * frameSamples) >>> 0;
      return;
    }
    const sound = this.#nextFrame();
    if (!this.#muted) this.#sendPacket(payloadTypes[this.#codec], false, sound);
    this.#timestamp = (this.#timestamp + frameSamples) >>> 0;
  }

  #nextFrame(): Buffer {
    const codec = this.#codec;
    const first = this.#phase;
    this.#phase += frameSamples;
    const repeated =
      codec === 'G722'
        ? undefined
        : repeatingFrame(codec, this.#toneHz, first, (from) => this.#soundFrom(from, sampleRate));
    return repeated ?? this.#coder.encode(codec, (rateHz) => this.#soundFrom(first, rateHz));
  }

  #soundFrom(firstSample: number, rateHz: number): Int16Array {
    const hz = this.#toneHz;
    const startS = firstSample / sampleRate;
    const length = (rateHz * frameMs) / 1000;
    if (hz === undefined) return new Int16Array(length);
    return Int16Array.from({ length }, (_, index) =>
      Math.round(amplitude * Math.sin(2 * Math.PI * hz * (startS + index / rateHz))),
    );
  }

  #sendPacket(payloadType: number, marker: boolean, payload: Buffer): void {
    if (this.#target === undefined) return;
    this.#sentPackets += 1;
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = payloadType | (marker ? 0x80 : 0);
    head.writeUInt16BE(this.#sequence, 2);
    head.writeUInt32BE(this.#timestamp, 4);
    head.writeUInt32BE(this.#ssrc, 8);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const packet = Buffer.concat([head, payload]);
    this.#socket.send(this.#ours?.protect(packet) ?? packet, this.#target.port, this.#target.host);
  }

  #receive(bytes: Buffer): void {
    if (bytes.length <= 12 || ((bytes[0] ?? 0) & 0xc0) !== 0x80) return;
    const packet = this.#ours === undefined ? bytes : this.#theirs?.open(bytes);
    if (packet === undefined) return;
    const type = (packet[1] ?? 0) & 0x7f;
    const payload = packet.subarray(12 + ((packet[0] ?? 0) & 0x0f) * 4);
    this.#receivedPackets += 1;
    if (type === telephoneEventType) this.#receiveEvent(payload, packet.readUInt32BE(4));
    const codec = codecOf(type);
    if (codec === undefined) return;
    const heard = { atMs: performance.now(), piece: this.#coder.decode(codec, payload, packet.readUInt32BE(8)) };
    this.#heard.push(heard);
    this.#onSound?.(heard.piece, heard.atMs);
    if (this.#heard.length > keptPackets) this.#heard.shift();
    if (this.#receivedPackets % 5 === 0) this.#watch.changed();
  }

  #receiveEvent(payload: Buffer, timestamp: number): void {
    const ended = ((payload[1] ?? 0) & 0x80) !== 0;
    if (!ended || timestamp === this.#lastEventTimestamp) return;
    this.#lastEventTimestamp = timestamp;
    const digit = eventCodes[payload[0] ?? 255] ?? '?';
    this.#digits += digit;
    this.#watch.note(`digit ${digit} came by RFC 4733`);
  }
}
