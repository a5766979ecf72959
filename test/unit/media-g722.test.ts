import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { G722Decoder, G722Encoder } from '../../src/switch/embedded/rtp/g722.ts';
import { WideDecoder, WideEncoder } from '../support/phone/g722.ts';
import { signalToNoiseDb, sine } from '../support/tones.ts';

const count = 8000;

/** The same numbers everywhere: x = 1103515245 x + 12345 modulo 2^31, without its lowest eight bits. */
function numbers(seed: bigint): number[] {
  let x = seed;
  return Array.from({ length: count }, () => {
    x = (x * 1_103_515_245n + 12_345n) & 0x7fff_ffffn;
    return Number(x >> 8n);
  });
}

/** Loud noise, faint noise, a triangle wave, silence; a quarter each. */
const input = Int16Array.from(numbers(1n), (number, at) => {
  const noise = (number & 0xffff) - 32_768;
  const step = at % 20;
  return (
    [noise, noise >> 6, step < 10 ? step * 1200 - 12_000 : 12_000 - (step - 10) * 1200, 0][Math.floor(at / 2000)] ?? 0
  );
});
const anyCodes = Buffer.from(numbers(7n).map((number) => number & 0xff));

const encode = (samples: Int16Array): Buffer => {
  const encoder = new G722Encoder();
  return Buffer.from(Array.from(samples, (sample) => encoder.encode(sample)));
};
const decode = (codes: Uint8Array): Int16Array => {
  const decoder = new G722Decoder();
  return Int16Array.from(codes, (code) => decoder.decode(code));
};
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32);
const digestOf = (samples: Int16Array): string => digest(Buffer.from(samples.buffer));

/** The digests are of what Debian's libspandsp 0.0.6 makes of the same input, at 8 kHz and at 16 kHz. */
describe('G.722', () => {
  it('of the lower band is bit by bit what another implementation makes of it', () => {
    expect(digest(encode(input))).toBe('73c5903e0bf895a6b3ff3ef2ca5b7c03');
    expect(digestOf(decode(anyCodes))).toBe('cf2ade3892ad037068af8a6b0bae5aac');
    expect(digestOf(decode(encode(input)))).toBe('fcf815d42c01e259f12f7f6202d6e806');
  });

  it('of the test phone as well, both bands', () => {
    const quiet = input.map((sample) => sample >> 2);
    const codes = new WideEncoder().encode(quiet);
    expect(digest(codes)).toBe('b7eafc606eb123f6a6faf7ea38bbb7ba');
    expect(digestOf(new WideDecoder().decode(codes).wide)).toBe('64b7555b315f26f483d2007518ebf188');
  });

  it.each([300, 1000, 3000])('keeps a tone of %i Hz clear', (hz) => {
    const tone = sine(hz, 1600);
    expect(signalToNoiseDb(tone.subarray(400), decode(encode(tone)).subarray(400))).toBeGreaterThan(30);
  });

  it('finds back within 50 ms when packets were lost', () => {
    const tone = sine(700, 3200);
    const codes = encode(tone);
    const decoder = new G722Decoder();
    const heard: number[] = [];
    for (const [at, code] of codes.entries()) if (at < 1200 || at >= 1520) heard.push(decoder.decode(code));
    const after = Int16Array.from(heard.slice(1200 + 400));
    expect(signalToNoiseDb(tone.subarray(1520 + 400), after)).toBeGreaterThan(30);
  });
});
