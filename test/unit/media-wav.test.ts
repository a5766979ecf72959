import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWav, parseWav } from '../../src/switch/embedded/media/wav-reader.ts';
import { wavHeader } from '../../src/switch/embedded/media/wav-writer.ts';
import { encodeTables } from '../../src/switch/embedded/rtp/g711.ts';
import { sine, toneAt, wavFile } from '../support/tones.ts';

async function decoded(file: Buffer): Promise<Int16Array> {
  const format = parseWav(file);
  if (!format.ok) throw new Error(format.error);
  return decodeWav(file, format.value);
}

const refusal = (file: Buffer): string => {
  const format = parseWav(file);
  return format.ok ? 'accepted' : format.error;
};

describe('a WAV file', () => {
  it('is read sample by sample', async () => {
    const samples = sine(440, 1000);
    expect(await decoded(wavFile([samples]))).toEqual(samples);
  });

  it('in stereo becomes mono', async () => {
    expect([...(await decoded(wavFile([Int16Array.of(100, -300), Int16Array.of(200, -100)])))]).toEqual([150, -200]);
  });

  it('at 16 kHz is halved without folding what is too high into the speech band', async () => {
    const low = Int16Array.from({ length: 16_000 }, (_, n) => 8000 * Math.sin((2 * Math.PI * 1000 * n) / 16_000));
    const high = Int16Array.from({ length: 16_000 }, (_, n) => 8000 * Math.sin((2 * Math.PI * 6000 * n) / 16_000));
    const speech = await decoded(wavFile([low], 16_000));
    expect(speech).toHaveLength(8000);
    expect(toneAt(speech, 1000)).toBeGreaterThan(0.99);
    const mixed = low.map((sample, at) => (sample + (high[at] ?? 0)) / 2);
    expect(toneAt(await decoded(wavFile([mixed], 16_000)), 1000)).toBeGreaterThan(0.99);
  });

  it.each([
    [6, 'PCMA'],
    [7, 'PCMU'],
  ] as const)('in format %i is decoded by %s', async (tag, law) => {
    const samples = sine(440, 800);
    const pcm = wavFile([samples]);
    const bytes = Buffer.from(Array.from(samples, (sample) => encodeTables[law][sample & 0xffff] ?? 0));
    const head = pcm.subarray(0, 44);
    head.writeUInt16LE(tag, 20);
    head.writeUInt16LE(8, 34);
    head.writeUInt32LE(bytes.length, 40);
    expect(toneAt(await decoded(Buffer.concat([head, bytes])), 440)).toBeGreaterThan(0.99);
  });

  it('is read past other chunks, odd ones padded, and ends where the file ends', async () => {
    const file = wavFile([sine(440, 100)]);
    const list = Buffer.from([...Buffer.from('LIST'), 3, 0, 0, 0, 1, 2, 3, 0]);
    const whole = Buffer.concat([file.subarray(0, 36), list, file.subarray(36)]);
    expect(await decoded(whole)).toHaveLength(100);
    expect(await decoded(whole.subarray(0, whole.length - 51))).toHaveLength(74);
  });

  it('is refused with a reason', () => {
    const change = (edit: (file: Buffer) => void): string => {
      const file = wavFile([sine(440, 100)]);
      edit(file);
      return refusal(file);
    };
    expect(refusal(Buffer.from(''))).toBe('not a WAV file');
    expect(refusal(wavFile([sine(440, 100)]).subarray(0, 30))).toBe('the format chunk is cut off');
    expect(refusal(wavFile([sine(440, 100)]).subarray(0, 36))).toBe('no data chunk');
    expect(change((file) => file.writeUInt16LE(85, 20))).toContain('format 85');
    expect(change((file) => file.writeUInt16LE(6, 22))).toContain('6 channels');
    expect(change((file) => file.writeUInt32LE(44_100, 24))).toContain('44100 Hz');
    expect(change((file) => file.writeUInt16LE(24, 34))).toContain('24 bits');
    expect(change((file) => file.write('data', 12, 'latin1'))).toBe('data before the format chunk');
  });

  it('never breaks the reader, whatever is in it', async () => {
    const garbage = fc.uint8Array({ maxLength: 300 });
    const damaged = fc.array(fc.tuple(fc.nat({ max: 143 }), fc.nat({ max: 255 })), { maxLength: 12 }).map((edits) => {
      const file = wavFile([sine(440, 50)]);
      for (const [at, value] of edits) file[at] = value;
      return file;
    });
    const headed = garbage.map((bytes) => Buffer.concat([wavFile([]).subarray(0, 12), bytes]));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          garbage.map((bytes) => Buffer.from(bytes)),
          damaged,
          headed,
        ),
        async (file) => {
          const format = parseWav(file);
          if (!format.ok) {
            expect(format.error).not.toBe('');
            return;
          }
          const samples = await decodeWav(file, format.value);
          expect(samples.length).toBeLessThanOrEqual(file.length);
        },
      ),
    );
  });

  it('of our own header is read back', () => {
    const file = Buffer.concat([wavHeader(2, 400), Buffer.alloc(400)]);
    expect(parseWav(file)).toEqual({
      ok: true,
      value: { coding: 'pcm16', channels: 2, sampleRate: 8000, frames: 100, dataOffset: 44 },
    });
  });
});
