/**
 * ITU-T G.722 at 64 kbit/s (mode 1), the lower of its two sub-bands. That band is a signal of 8 kHz by itself: who needs
 * only telephone band takes it without the band-splitting filters. The upper band is sent as silence and not read.
 * One code byte holds the samples of 1/8000 s, so its packets have the length and the RTP clock of G.711's (RFC 3551
 * section 4.5.2). The names of the blocks, tables and signals are the standard's (section 6.2).
 */
import { saturate } from '../media/frames.ts';

/** Decision levels of the 6-bit quantizer (Q6). */
const Q6 = Int16Array.of(
  ...[0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023],
  ...[1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
);
/** Output values of the 4-bit inverse quantizer (QQ4), which both ends adapt by. */
const QM4 = Int16Array.of(
  ...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200],
  ...[20456, 12896, 8968, 6288, 4240, 2584, 1200, 0],
);
/** Output values of the 6-bit inverse quantizer (QQ6). */
const QM6 = Int16Array.of(
  ...[
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
  ],
  ...[-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728],
  ...[24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136],
);
/** Steps of the logarithmic scale factor (WL), by the upper four bits of the code. */
const WL_OF_CODE = Int16Array.of(
  ...[-60, 3042, 1198, 538, 334, 172, 58, -30],
  ...[3042, 1198, 538, 334, 172, 58, -30, -60],
);
/** 2^(n/32), in units of 1/2048 (ILB). */
const ILB = Int16Array.from({ length: 32 }, (_, n) => Math.round(2048 * 2 ** (n / 32)));
const MAX_LOG_SCALE = 18_432;
const FIRST_SCALE = 32;
const MAX_POLE_2 = 12_288;
/** Both bits of the upper band's code for "as small as can be". */
const SILENT_UPPER_BAND = 0xc0;

const clip = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));
const signsAgree = (a: number, b: number): boolean => a >> 31 === b >> 31;

/** What both ends know of the lower band: scale factor and predictor. They agree because both see the codes alone. */
class LowerBand {
  /** DETL, the present step. */
  scale = FIRST_SCALE;
  /** SL, the prediction of the next sample. */
  predicted = 0;
  #logScale = 0;
  #zeroSection = 0;
  /** AL1, AL2. */
  #pole1 = 0;
  #pole2 = 0;
  /** RLT1, RLT2 and PLT1, PLT2. */
  #reconstructed1 = 0;
  #reconstructed2 = 0;
  #partial1 = 0;
  #partial2 = 0;
  /** BL1 to BL6, and DLT1 to DLT6. */
  readonly #zeros = new Int32Array(6);
  readonly #differences = new Int32Array(6);

  /** INVQAL, LOGSCL, SCALEL and the predictor. @param code the lower band's six bits. */
  adapt(code: number): void {
    const upperBits = code >> 2;
    const difference = (this.scale * (QM4[upperBits] ?? 0)) >> 15;
    const logScale = ((this.#logScale * 127) >> 7) + (WL_OF_CODE[upperBits] ?? 0);
    this.#logScale = Math.max(0, Math.min(MAX_LOG_SCALE, logScale));
    const mantissa = ILB[(this.#logScale >> 6) & 31] ?? 0;
    const shift = 8 - (this.#logScale >> 11);
    this.scale = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
    this.#predict(difference);
  }

  #predict(difference: number): void {
    const reconstructed = saturate(this.predicted + difference);
    const partial = saturate(this.#zeroSection + difference);
    this.#adaptPoles(partial);
    this.#adaptZeros(difference);
    this.#reconstructed2 = this.#reconstructed1;
    this.#reconstructed1 = reconstructed;
    this.#partial2 = this.#partial1;
    this.#partial1 = partial;
    // FILTEP, FILTEZ, PREDIC.
    const poles =
      ((this.#pole1 * saturate(2 * this.#reconstructed1)) >> 15) +
      ((this.#pole2 * saturate(2 * this.#reconstructed2)) >> 15);
    let zeros = 0;
    for (let n = 0; n < 6; n += 1) zeros += ((this.#zeros[n] ?? 0) * saturate(2 * (this.#differences[n] ?? 0))) >> 15;
    this.#zeroSection = saturate(zeros);
    this.predicted = saturate(saturate(poles) + this.#zeroSection);
  }

  /** UPPOL2, UPPOL1. */
  #adaptPoles(partial: number): void {
    const likeLast = signsAgree(partial, this.#partial1);
    const fourfold = saturate(4 * this.#pole1);
    const toward = Math.min(likeLast ? -fourfold : fourfold, 32_767);
    const pole2 = (toward >> 7) + (signsAgree(partial, this.#partial2) ? 128 : -128) + ((this.#pole2 * 32_512) >> 15);
    this.#pole2 = clip(pole2, MAX_POLE_2);
    const pole1 = saturate((likeLast ? 192 : -192) + ((this.#pole1 * 32_640) >> 15));
    this.#pole1 = clip(pole1, saturate(15_360 - this.#pole2));
  }

  /** UPZERO. */
  #adaptZeros(difference: number): void {
    const step = difference === 0 ? 0 : 128;
    for (let n = 0; n < 6; n += 1) {
      const along = signsAgree(difference, this.#differences[n] ?? 0) ? step : -step;
      this.#zeros[n] = saturate(along + (((this.#zeros[n] ?? 0) * 32_640) >> 15));
    }
    this.#differences.copyWithin(1, 0, 5);
    this.#differences[0] = difference;
  }
}

/** One direction of one call: code bytes out of samples of 8 kHz, in their order. */
export class G722Encoder {
  readonly #band = new LowerBand();

  /** QUANTL. @param sample 16 bit. */
  encode(sample: number): number {
    const error = saturate((sample >> 1) - this.#band.predicted);
    const magnitude = error >= 0 ? error : -(error + 1);
    let level = 1;
    while (level < 30 && magnitude >= ((Q6[level] ?? 0) * this.#band.scale) >> 12) level += 1;
    // The two tables of the standard (ILN, ILP) count down from here; the two smallest negative ones stand apart.
    const code = error >= 0 ? 62 - level : level < 3 ? 64 - level : 34 - level;
    this.#band.adapt(code);
    return SILENT_UPPER_BAND | code;
  }
}

/** The other direction: samples of 8 kHz out of code bytes, in their order. */
export class G722Decoder {
  readonly #band = new LowerBand();

  /** @returns 16 bit. */
  decode(byte: number): number {
    const code = byte & 0x3f;
    const sample = this.#band.predicted + ((this.#band.scale * (QM6[code] ?? 0)) >> 15);
    this.#band.adapt(code);
    return 2 * Math.max(-16_384, Math.min(16_383, sample));
  }
}
