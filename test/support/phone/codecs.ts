/** The codecs of the test phone. */
import { decodeG711, encodeG711, type Law } from './g711.ts';
import { WideDecoder, WideEncoder } from './g722.ts';

export type Codec = Law | 'G722';

/** Static RTP payload types (RFC 3551, table 4). */
export const payloadTypes: Readonly<Record<Codec, number>> = { PCMU: 0, PCMA: 8, G722: 9 };

export const codecOf = (payloadType: number): Codec | undefined =>
  (Object.keys(payloadTypes) as Codec[]).find((codec) => payloadTypes[codec] === payloadType);

export interface HeardPiece {
  /** 8 kHz. */
  readonly samples: Int16Array;
  /** 16 kHz, where the codec has it. */
  readonly wide: Int16Array | undefined;
}

/** G.711 remembers nothing, so it is decoded only when somebody asks for the sound. */
class NarrowPiece implements HeardPiece {
  readonly #law: Law;
  readonly #payload: Uint8Array;
  readonly wide = undefined;

  constructor(law: Law, payload: Uint8Array) {
    this.#law = law;
    this.#payload = payload;
  }

  get samples(): Int16Array {
    return decodeG711(this.#law, this.#payload);
  }
}

/** Both directions of one phone's sound; G.722 remembers what was before. */
export class Coder {
  readonly #encoder = new WideEncoder();
  #decoder = new WideDecoder();
  #ssrc: number | undefined;

  /** @param sound gives the next 20 ms at a rate. */
  encode(codec: Codec, sound: (rateHz: 8000 | 16_000) => Int16Array): Buffer {
    return codec === 'G722' ? this.#encoder.encode(sound(16_000)) : encodeG711(codec, sound(8000));
  }

  decode(codec: Codec, payload: Uint8Array, ssrc: number): HeardPiece {
    if (codec !== 'G722') return new NarrowPiece(codec, payload);
    if (ssrc !== this.#ssrc) this.#decoder = new WideDecoder();
    this.#ssrc = ssrc;
    const { narrow, wide } = this.#decoder.decode(payload);
    return { samples: narrow, wide };
  }
}
