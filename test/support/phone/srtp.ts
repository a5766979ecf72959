/** SRTP for the test phone: AES_CM_128_HMAC_SHA1_80 (RFC 3711) with keys from the description (SDES, RFC 4568). */
import { createCipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const srtpSuite = 'AES_CM_128_HMAC_SHA1_80';
const headBytes = 12;
const tagBytes = 10;
const keyBytes = 16;
const saltBytes = 14;

/** A fresh master key and salt, as an `inline:` value. */
export const newSrtpKey = (): string => randomBytes(keyBytes + saltBytes).toString('base64');

const counterMode = (key: Buffer, counter: Buffer, data: Buffer): Buffer =>
  createCipheriv('aes-128-ctr', key, counter).update(data);

/** RFC 3711, section 4.3: the keys of one direction. */
function derive(masterKey: Buffer, masterSalt: Buffer, label: number, length: number): Buffer {
  const counter = Buffer.concat([masterSalt, Buffer.alloc(2)]);
  counter[7] = (counter[7] ?? 0) ^ label;
  return counterMode(masterKey, counter, Buffer.alloc(length));
}

/** One direction of one call. */
export class SrtpDirection {
  readonly #cipherKey: Buffer;
  readonly #authKey: Buffer;
  readonly #salt: Buffer;
  #rollovers = 0;
  #lastSequence: number | undefined;

  /** @param inline what stands behind `inline:`, without lifetime. */
  constructor(inline: string) {
    const both = Buffer.from(inline, 'base64');
    if (both.length !== keyBytes + saltBytes) throw new Error(`an SRTP key of ${both.length} bytes`);
    const key = both.subarray(0, keyBytes);
    const salt = both.subarray(keyBytes);
    this.#cipherKey = derive(key, salt, 0, keyBytes);
    this.#authKey = derive(key, salt, 1, 20);
    this.#salt = derive(key, salt, 2, saltBytes);
  }

  /** Encrypts and signs a whole packet with a fixed header. */
  protect(packet: Buffer): Buffer {
    const rollovers = this.#follow(packet.readUInt16BE(2));
    const sealed = Buffer.concat([packet.subarray(0, headBytes), this.#crypt(packet, headBytes, rollovers)]);
    return Buffer.concat([sealed, this.#tag(sealed, rollovers)]);
  }

  /** The packet in plain; undefined when it was not made with our key. */
  open(packet: Buffer): Buffer | undefined {
    if (packet.length <= headBytes + tagBytes) return undefined;
    const sealed = packet.subarray(0, packet.length - tagBytes);
    const start = headBytes + ((packet[0] ?? 0) & 0x0f) * 4;
    const rollovers = this.#follow(packet.readUInt16BE(2));
    if (!timingSafeEqual(this.#tag(sealed, rollovers), packet.subarray(-tagBytes))) return undefined;
    return Buffer.concat([sealed.subarray(0, start), this.#crypt(sealed, start, rollovers)]);
  }

  /** Section 3.3.1, for streams in their order. */
  #follow(sequence: number): number {
    if (this.#lastSequence !== undefined && sequence < 0x4000 && this.#lastSequence > 0xc000) this.#rollovers += 1;
    this.#lastSequence = sequence;
    return this.#rollovers;
  }

  #crypt(packet: Buffer, start: number, rollovers: number): Buffer {
    const counter = Buffer.concat([this.#salt, Buffer.alloc(2)]);
    const mask = Buffer.alloc(16);
    mask.writeUInt32BE(packet.readUInt32BE(8), 4);
    mask.writeUInt32BE(rollovers, 8);
    mask.writeUInt16BE(packet.readUInt16BE(2), 12);
    const mixed = Buffer.from(counter.map((byte, at) => byte ^ (mask[at] ?? 0)));
    return counterMode(this.#cipherKey, mixed, packet.subarray(start));
  }

  #tag(sealed: Buffer, rollovers: number): Buffer {
    const behind = Buffer.alloc(4);
    behind.writeUInt32BE(rollovers);
    return createHmac('sha1', this.#authKey).update(sealed).update(behind).digest().subarray(0, tagBytes);
  }
}
