/**
 * G.722 for the test phone: both sub-bands with the filters that split and join them, so that a test can hear what is
 * above telephone band. Written from ITU-T G.722 (11/88) as one procedure per direction; nothing of the switch's is used.
 */
const logOf = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const logIndex = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
const decisions = [
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
  1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
const negativeCodes = [0, 63, 62, ...Array.from({ length: 28 }, (_, n) => 31 - n)];
const positiveCodes = [0, ...Array.from({ length: 30 }, (_, n) => 61 - n)];
const halfOf6 = [
  24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464,
  4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728,
];
const values6 = [-136, -136, -136, -136, ...halfOf6.map((value) => -value), ...halfOf6, 432, 136, -432, -136];
const halfOf4 = [20456, 12896, 8968, 6288, 4240, 2584, 1200];
const values4 = [0, ...halfOf4.map((value) => -value), ...halfOf4, 0];
const values2 = [-7408, -1616, 7408, 1616];
const filter = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

const limit = (value: number, most = 32_767): number => Math.min(Math.max(value, -most - 1), most);
const negative = (value: number): boolean => value < 0;

interface Band {
  logScale: number;
  scale: number;
  signal: number;
  zeroSum: number;
  readonly poles: [number, number];
  readonly signals: [number, number];
  readonly partials: [number, number];
  readonly zeros: number[];
  readonly steps: number[];
}

const newBand = (scale: number): Band => ({
  ...{ logScale: 0, scale, signal: 0, zeroSum: 0 },
  ...{ poles: [0, 0], signals: [0, 0], partials: [0, 0] },
  ...{ zeros: [0, 0, 0, 0, 0, 0], steps: [0, 0, 0, 0, 0, 0] },
});

function rescale(band: Band, change: number, most: number, shift: number): void {
  band.logScale = Math.min(Math.max(((band.logScale * 127) >> 7) + change, 0), most);
  const mantissa = Math.round(2048 * 2 ** (((band.logScale >> 6) & 31) / 32));
  const down = shift - (band.logScale >> 11);
  band.scale = Math.floor(down < 0 ? mantissa * 2 ** -down : mantissa / 2 ** down) * 4;
}

function predict(band: Band, step: number): void {
  const signal = limit(band.signal + step);
  const partial = limit(band.zeroSum + step);
  const [before, earlier] = band.partials;
  const [pole1, pole2] = band.poles;
  const same = negative(partial) === negative(before);
  const turn = Math.min(same ? -limit(pole1 * 4) : limit(pole1 * 4), 32_767) >> 7;
  const second = turn + (negative(partial) === negative(earlier) ? 128 : -128) + ((pole2 * 32_512) >> 15);
  band.poles[1] = Math.min(Math.max(second, -12_288), 12_288);
  const bound = limit(15_360 - band.poles[1]);
  const first = limit((same ? 192 : -192) + ((pole1 * 32_640) >> 15));
  band.poles[0] = Math.min(Math.max(first, -bound), bound);
  band.zeros.forEach((zero, n) => {
    const along = negative(step) === negative(band.steps[n] ?? 0) ? 128 : -128;
    band.zeros[n] = limit((step === 0 ? 0 : along) + ((zero * 32_640) >> 15));
  });
  band.steps.pop();
  band.steps.unshift(step);
  band.signals[1] = band.signals[0];
  band.signals[0] = signal;
  band.partials[1] = before;
  band.partials[0] = partial;
  const poleSum = band.poles.reduce((sum, pole, n) => sum + ((pole * limit(2 * (band.signals[n] ?? 0))) >> 15), 0);
  const zeroSum = band.zeros.reduce((sum, zero, n) => sum + ((zero * limit(2 * (band.steps[n] ?? 0))) >> 15), 0);
  band.zeroSum = limit(zeroSum);
  band.signal = limit(limit(poleSum) + band.zeroSum);
}

function followLow(band: Band, code: number): void {
  const step = (band.scale * (values4[code >> 2] ?? 0)) >> 15;
  rescale(band, logOf[logIndex[code >> 2] ?? 0] ?? 0, 18_432, 8);
  predict(band, step);
}

function followHigh(band: Band, code: number): void {
  const step = (band.scale * (values2[code] ?? 0)) >> 15;
  rescale(band, code % 2 === 1 ? -214 : 798, 22_528, 10);
  predict(band, step);
}

/** Sums of one half of the filter's taps over the newest 24 values. */
function filtered(history: readonly number[]): [even: number, odd: number] {
  let even = 0;
  let odd = 0;
  for (let n = 0; n < 12; n += 1) {
    odd += (history[2 * n] ?? 0) * (filter[n] ?? 0);
    even += (history[2 * n + 1] ?? 0) * (filter[11 - n] ?? 0);
  }
  return [even, odd];
}

/** Samples of 16 kHz to code bytes, two to one. */
export class WideEncoder {
  readonly #low = newBand(32);
  readonly #high = newBand(8);
  #history: number[] = new Array<number>(24).fill(0);

  encode(samples: Int16Array): Buffer {
    return Buffer.from(Array.from({ length: samples.length / 2 }, (_, n) => this.#one(samples, 2 * n)));
  }

  #one(samples: Int16Array, at: number): number {
    this.#history = [...this.#history.slice(2), samples[at] ?? 0, samples[at + 1] ?? 0];
    const [even, odd] = filtered(this.#history);
    const low = limit(((even + odd) >> 14) - this.#low.signal);
    const lowSize = low < 0 ? -(low + 1) : low;
    const found = decisions.findIndex((level, n) => n > 0 && lowSize < (level * this.#low.scale) >> 12);
    const level = found === -1 ? 30 : found;
    const lowCode = (low < 0 ? negativeCodes[level] : positiveCodes[level]) ?? 0;
    followLow(this.#low, lowCode);
    const high = limit(((even - odd) >> 14) - this.#high.signal);
    const big = (high < 0 ? -(high + 1) : high) >= (564 * this.#high.scale) >> 12;
    const highCode = high < 0 ? (big ? 0 : 1) : big ? 2 : 3;
    followHigh(this.#high, highCode);
    return (highCode << 6) | lowCode;
  }
}

/** Code bytes to samples: of 16 kHz, and the lower band alone, of 8 kHz. */
export class WideDecoder {
  readonly #low = newBand(32);
  readonly #high = newBand(8);
  #history: number[] = new Array<number>(24).fill(0);

  decode(bytes: Uint8Array): { readonly wide: Int16Array; readonly narrow: Int16Array } {
    const wide = new Int16Array(bytes.length * 2);
    const narrow = new Int16Array(bytes.length);
    bytes.forEach((byte, n) => {
      const lowCode = byte & 63;
      const low = limit(this.#low.signal + ((this.#low.scale * (values6[lowCode] ?? 0)) >> 15), 16_383);
      followLow(this.#low, lowCode);
      const highCode = byte >> 6;
      const high = limit(this.#high.signal + ((this.#high.scale * (values2[highCode] ?? 0)) >> 15), 16_383);
      followHigh(this.#high, highCode);
      this.#history = [...this.#history.slice(2), low + high, low - high];
      const [even, odd] = filtered(this.#history);
      wide[2 * n] = limit(even >> 11);
      wide[2 * n + 1] = limit(odd >> 11);
      narrow[n] = 2 * low;
    });
    return { wide, narrow };
  }
}
