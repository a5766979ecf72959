/**
 * G.722 at the engine's edge: packets become A-law on their way in and G.722 again on their way out, in the same number
 * of bytes, so that everything between knows G.711 alone (docs/adr/0022-g722-at-the-edge.md).
 */
import { decodeTables, encodeTables } from '../rtp/g711.ts';
import { G722Decoder, G722Encoder } from '../rtp/g722.ts';

/** Longer payloads are no packet of a phone. */
const MAX_PAYLOAD_BYTES = 2048;

/** Turns one received stream into A-law. */
export class WidebandReader {
  #source: object | undefined;
  #decoder = new G722Decoder();

  /**
   * The same piece as A-law bytes; valid until the next call of any reader.
   * @param source the received stream; another one begins with a decoder that has heard nothing.
   */
  read(source: object, bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (this.#source !== source) {
      this.#source = source;
      this.#decoder = new G722Decoder();
    }
    const length = Math.min(end - start, MAX_PAYLOAD_BYTES);
    for (let at = 0; at < length; at += 1) {
      narrow[at] = encodeTables.PCMA[this.#decoder.decode(bytes[start + at] ?? 0) & 0xffff] ?? 0;
    }
    return narrow.subarray(0, length);
  }
}

/** Turns what is sent to one far side into G.722. */
export class WidebandWriter {
  readonly #encoder = new G722Encoder();

  /** Rewrites the A-law bytes [start, end) in place. */
  write(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at += 1) bytes[at] = this.#encoder.encode(decodeTables.PCMA[bytes[at] ?? 0] ?? 0);
  }
}

/** One for all: packets are dealt with one at a time. */
const narrow = new Uint8Array(MAX_PAYLOAD_BYTES);
