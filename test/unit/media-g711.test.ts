import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTables, encodeTables, type G711Law, transcodeInPlace } from '../../src/switch/embedded/rtp/g711.ts';
import { signalToNoiseDb, sine } from '../support/tones.ts';

const encode = (law: G711Law, sample: number): number => encodeTables[law][sample & 0xffff] ?? -1;
const decode = (law: G711Law, byte: number): number => decodeTables[law][byte] ?? Number.NaN;

describe('G.711', () => {
  it.each([
    ['PCMA', 0, 0xd5],
    ['PCMA', -1, 0x55],
    ['PCMA', 32_767, 0xaa],
    ['PCMA', -32_768, 0x2a],
    ['PCMA', 1000, 0xfa],
    ['PCMU', 0, 0xff],
    ['PCMU', 32_767, 0x80],
    ['PCMU', -32_768, 0x00],
    ['PCMU', 1000, 0xce],
  ] as const)('encodes %s %i', (law, sample, byte) => {
    expect(encode(law, sample)).toBe(byte);
  });

  it.each([
    ['PCMA', 0xd5, 8],
    ['PCMA', 0x55, -8],
    ['PCMA', 0xaa, 32_256],
    ['PCMA', 0x2a, -32_256],
    ['PCMU', 0xff, 0],
    ['PCMU', 0x80, 32_124],
    ['PCMU', 0x00, -32_124],
  ] as const)('decodes %s %i', (law, byte, sample) => {
    expect(decode(law, byte)).toBe(sample);
  });

  it.each(['PCMA', 'PCMU'] as const)('keeps every code of %s when it is decoded and encoded again', (law) => {
    for (let byte = 0; byte < 256; byte += 1) {
      // Mu-law has two zeros; the negative one becomes the positive one.
      const expected = law === 'PCMU' && byte === 0x7f ? 0xff : byte;
      expect(encode(law, decode(law, byte))).toBe(expected);
    }
  });

  it.each(['PCMA', 'PCMU'] as const)('carries speech levels in %s with more than 35 dB', (law) => {
    const original = sine(440, 8000, 10_000);
    const decoded = original.map((sample) => decode(law, encode(law, sample)));
    expect(signalToNoiseDb(original, decoded)).toBeGreaterThan(35);
  });

  it('never goes down when the sample goes up', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<G711Law>('PCMA', 'PCMU'),
        fc.integer({ min: -32_768, max: 32_766 }),
        (law, sample) => {
          expect(decode(law, encode(law, sample + 1))).toBeGreaterThanOrEqual(decode(law, encode(law, sample)));
        },
      ),
    );
  });

  it('transcodes in place and leaves the rest alone', () => {
    const original = sine(440, 160, 10_000);
    const bytes = Uint8Array.from([1, ...original.map((sample) => encode('PCMA', sample)), 2]);
    transcodeInPlace(bytes, 1, 161, 'PCMA', 'PCMU');
    const decoded = Int16Array.from(bytes.subarray(1, 161), (byte) => decode('PCMU', byte));
    expect(signalToNoiseDb(original, decoded)).toBeGreaterThan(32);
    expect([bytes[0], bytes[161]]).toEqual([1, 2]);
  });
});
