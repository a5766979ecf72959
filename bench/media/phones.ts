/**
 * The telephones' sound, in a process of its own: each phone has one UDP port, sends 50 packets of G.711 a second and
 * looks at what comes. In a bridge every packet carries when it was sent; in a conference, where packets are mixed, a
 * phone is silent but for one loud packet a second, and its arrival at the others is looked for.
 */
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { writeRtpHeader } from '../../src/switch/embedded/rtp/packet.ts';

export interface Sending {
  /** Where the switch hears each phone. */
  readonly ports: readonly number[];
  /** How many phones hear each other: 2 is a bridge. */
  readonly party: number;
  readonly warmUpMs: number;
  readonly forMs: number;
}

/** `open` is answered by the phones' ports; `send` by `counting` after the warm-up, and by the figures at the end. */
export type ToPhones = { readonly open: number } | { readonly send: Sending };

export interface SoundFigures {
  readonly sent: number;
  readonly received: number;
  /** Whatever came, stamped or not, and the longest time in which nothing came, of each phone. */
  readonly heard: readonly { readonly packets: number; readonly longestGapMs: number }[];
  readonly delaysMs: readonly number[];
  /** CPU of this process: near 100 % the delays are its own. */
  readonly cpuPercent: number;
}

const host = '127.0.0.1';
const headerBytes = 12;
const packetBytes = 172;
const pcmu = 0;
/** The µ-law code of zero: mixing it changes nothing. */
const zero = 0xff;
const loud = 0x00;
const packetMs = 20;
/** Sending is spread over the 20 ms in so many slots, as independent telephones do. */
const slots = 20;
const slotMs = packetMs / slots;
const burstEveryMs = 1000;
/** Longer is no delay of this burst any more. */
const longestDelayMs = 900;
const lateMs = 300;
const countsAt = 20;
const stampAt = 12;
/** Stamps are spoken in tenths of a millisecond, four bits to a byte, as codes that survive decoding and encoding. */
const stampDigits = 8;

class Phone {
  readonly socket: Socket;
  readonly #packet = Buffer.alloc(packetBytes, zero);
  readonly #hears: (phone: Phone, packet: Buffer) => void;
  target = 0;
  heardAtMs = 0;
  packets = 0;
  longestGapMs = 0;
  #sent = 0;

  constructor(hears: (phone: Phone, packet: Buffer) => void) {
    this.#hears = hears;
    this.socket = createSocket({
      type: 'udp4',
      recvBufferSize: 1 << 18,
      // Addresses are numeric: the system's resolver would only cost a thread's time.
      lookup: (address, _options, callback) => callback(null, address, 4),
    });
    this.socket.on('message', (packet) => this.#hears(this, packet));
  }

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.socket.bind(0, host, resolve));
    return this.socket.address().port;
  }

  send(ssrc: number, stampMs: number | undefined, isLoud: boolean): void {
    const packet = Buffer.from(this.#packet);
    writeRtpHeader(packet, 0, pcmu, false, this.#sent & 0xffff, this.#sent * 160, ssrc);
    this.#sent += 1;
    if (isLoud) packet.fill(loud, headerBytes);
    if (stampMs !== undefined) writeStamp(packet, stampMs);
    this.socket.send(packet, 0, packetBytes, this.target, host);
  }
}

/** µ-law codes 0x80 to 0x8f are sixteen loud, different levels, which decoding and encoding leaves as they are. */
function writeStamp(packet: Buffer, nowMs: number): void {
  let tenths = Math.floor(nowMs * 10) % 16 ** stampDigits;
  packet[countsAt] = 0x8f;
  for (let digit = 0; digit < stampDigits; digit += 1) {
    packet[stampAt + digit] = 0x80 | (tenths & 0x0f);
    tenths = Math.floor(tenths / 16);
  }
}

function readStamp(packet: Buffer): number | undefined {
  if (packet.length < packetBytes || packet[countsAt] !== 0x8f) return undefined;
  let tenths = 0;
  for (let digit = stampDigits - 1; digit >= 0; digit -= 1)
    tenths = tenths * 16 + ((packet[stampAt + digit] ?? 0) & 0x0f);
  return tenths / 10;
}

/** A packet with a burst in it, wherever in the packet it begins. */
function isBurst(packet: Buffer): boolean {
  for (let at = headerBytes; at < packet.length; at += 8) {
    const code = (packet[at] ?? zero) & 0x7f;
    if (code < 0x20) return true;
  }
  return false;
}

class Phones {
  readonly #all: Phone[] = [];
  readonly #delaysMs: number[] = [];
  readonly #burstAt: number[] = [];
  #received = 0;
  #counting = false;
  /** How many phones hear each other; 2 is a bridge. */
  #party = 2;
  readonly #heard = new Map<Phone, number>();

  async open(count: number): Promise<number[]> {
    for (let index = 0; index < count; index += 1)
      this.#all.push(new Phone((phone, packet) => this.#hear(phone, packet)));
    return Promise.all(this.#all.map((phone) => phone.open()));
  }

  /** Sends without a break; what is sent after the warm-up counts. */
  async send({ ports, party, warmUpMs, forMs }: Sending, onCounting: () => void): Promise<SoundFigures> {
    this.#party = party;
    for (const [index, phone] of this.#all.entries()) phone.target = ports[index] ?? 0;
    const warmUpSlots = Math.floor(warmUpMs / slotMs);
    const all = warmUpSlots + Math.floor(forMs / slotMs);
    const startedMs = performance.now();
    let cpuBefore = process.cpuUsage();
    let sent = 0;
    for (let slot = 0; slot < all; ) {
      const due = Math.floor((performance.now() - startedMs) / slotMs);
      for (; slot < Math.min(all, due); slot += 1) {
        if (slot === warmUpSlots) {
          this.#begin();
          cpuBefore = process.cpuUsage();
          onCounting();
        }
        const count = this.#sendSlot(slot);
        if (this.#counting) sent += count;
      }
      await pause(1);
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    // A mixer goes on by itself when nobody speaks any more.
    if (party > 2) this.#counting = false;
    await pause(lateMs);
    this.#counting = false;
    return {
      sent,
      received: this.#received,
      heard: this.#all.map(({ packets, longestGapMs }) => ({ packets, longestGapMs })),
      delaysMs: this.#delaysMs,
      cpuPercent: (user + system) / 10 / forMs,
    };
  }

  #begin(): void {
    this.#counting = true;
    this.#received = 0;
    this.#delaysMs.length = 0;
    for (const phone of this.#all) {
      phone.heardAtMs = performance.now();
      phone.packets = 0;
      phone.longestGapMs = 0;
    }
  }

  #sendSlot(slot: number): number {
    let sent = 0;
    for (let at = slot % slots; at < this.#all.length; at += slots) {
      const nowMs = performance.now();
      const isLoud = this.#party > 2 && this.#isTime(at, slot);
      if (isLoud) this.#burstAt[at] = nowMs;
      this.#all[at]?.send(at + 1, this.#party > 2 || !this.#counting ? undefined : nowMs, isLoud);
      sent += 1;
    }
    return sent;
  }

  /** The members of a conference speak one after the other. */
  #isTime(at: number, slot: number): boolean {
    const turn = Math.floor(((at % this.#party) * burstEveryMs) / this.#party / packetMs);
    return Math.floor((slot * slotMs) / packetMs) % (burstEveryMs / packetMs) === turn;
  }

  #hear(phone: Phone, packet: Buffer): void {
    if (!this.#counting) return;
    const nowMs = performance.now();
    phone.packets += 1;
    phone.longestGapMs = Math.max(phone.longestGapMs, nowMs - phone.heardAtMs);
    phone.heardAtMs = nowMs;
    if (this.#party > 2) {
      this.#received += 1;
      if (isBurst(packet)) this.#hearBurst(phone);
      return;
    }
    const stampMs = readStamp(packet);
    if (stampMs === undefined) return;
    this.#received += 1;
    this.#delaysMs.push(performance.now() - stampMs);
  }

  #hearBurst(phone: Phone): void {
    const nowMs = performance.now();
    // A burst that lies across two packets is one.
    if (nowMs - (this.#heard.get(phone) ?? 0) < burstEveryMs / this.#party / 2) return;
    this.#heard.set(phone, nowMs);
    const own = this.#all.indexOf(phone);
    const first = own - (own % this.#party);
    const others = Array.from({ length: this.#party }, (_, index) => first + index).filter((at) => at !== own);
    const spokenAt = Math.max(...others.map((at) => this.#burstAt[at] ?? 0));
    if (spokenAt > 0 && nowMs - spokenAt < longestDelayMs) this.#delaysMs.push(nowMs - spokenAt);
  }
}

/** The process: does what it is told, and ends with its parent. */
export function runPhonesProcess(): void {
  const phones = new Phones();
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in the terminal is the parent's to handle.
  process.on('SIGINT', () => undefined);
  process.on('message', (message: ToPhones) => {
    const answer =
      'open' in message ? phones.open(message.open) : phones.send(message.send, () => process.send?.('counting'));
    answer.then(
      (result) => process.send?.(result),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
