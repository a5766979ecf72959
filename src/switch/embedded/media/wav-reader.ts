import { err, ok, type Result } from '../../../kernel/result.ts';
import { decodeTables } from '../rtp/g711.ts';
import { saturate } from './frames.ts';

/** What the header of a WAV file says, checked. */
export interface WavFormat {
  readonly coding: 'pcm16' | 'alaw' | 'mulaw';
  readonly channels: 1 | 2;
  readonly sampleRate: 8000 | 16_000;
  /** Whole sample frames (one sample per channel). */
  readonly frames: number;
  readonly dataOffset: number;
}

/** Real headers have a handful of chunks; a file of nothing but empty chunks must not hold us up. */
const MAX_CHUNKS = 64;
const CODINGS: Readonly<Record<number, WavFormat['coding']>> = { 1: 'pcm16', 6: 'alaw', 7: 'mulaw' };
const EXTENSIBLE = 0xfffe;

interface FormatChunk {
  readonly coding: WavFormat['coding'];
  readonly channels: 1 | 2;
  readonly sampleRate: 8000 | 16_000;
}

function readFormatChunk(file: Buffer, start: number, size: number): Result<FormatChunk, string> {
  if (size < 16 || start + size > file.length) return err('the format chunk is cut off');
  const declared = file.readUInt16LE(start);
  // WAVE_FORMAT_EXTENSIBLE keeps the real format in the first two bytes of its sub-format.
  const tag = declared === EXTENSIBLE && size >= 26 ? file.readUInt16LE(start + 24) : declared;
  const coding = CODINGS[tag];
  if (coding === undefined) return err(`format ${tag} is not PCM, A-law or mu-law`);
  const channels = file.readUInt16LE(start + 2);
  if (channels !== 1 && channels !== 2) return err(`${channels} channels, 1 or 2 are known`);
  const sampleRate = file.readUInt32LE(start + 4);
  if (sampleRate !== 8000 && sampleRate !== 16_000) return err(`${sampleRate} Hz, 8000 or 16000 are known`);
  const bits = file.readUInt16LE(start + 14);
  if (bits !== (coding === 'pcm16' ? 16 : 8)) return err(`${bits} bits per sample`);
  return ok({ coding, channels, sampleRate });
}

/**
 * Reads the chunks of a WAV file. A data chunk that claims more than the file has (a recorder that was killed, a
 * stream of unknown length) ends with the file.
 */
export function parseWav(file: Buffer): Result<WavFormat, string> {
  if (file.length < 12 || file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    return err('not a WAV file');
  }
  let format: FormatChunk | undefined;
  let at = 12;
  for (let count = 0; count < MAX_CHUNKS && at + 8 <= file.length; count += 1) {
    const name = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const start = at + 8;
    if (name === 'fmt ') {
      const read = readFormatChunk(file, start, size);
      if (!read.ok) return read;
      format = read.value;
    }
    if (name === 'data') {
      if (format === undefined) return err('data before the format chunk');
      const frameBytes = (format.coding === 'pcm16' ? 2 : 1) * format.channels;
      const frames = Math.floor(Math.min(size, file.length - start) / frameBytes);
      return ok({ ...format, frames, dataOffset: start });
    }
    // Chunks are padded to an even length.
    at = start + size + (size & 1);
  }
  return err('no data chunk');
}

function sampleReader(file: Buffer, format: WavFormat): (index: number) => number {
  const { dataOffset, coding } = format;
  if (coding === 'pcm16') return (index) => file.readInt16LE(dataOffset + index * 2);
  const table = decodeTables[coding === 'alaw' ? 'PCMA' : 'PCMU'];
  return (index) => table[file[dataOffset + index] ?? 0] ?? 0;
}

/** Half-band low-pass (Hamming-windowed sinc, 31 taps, cut at a quarter of the rate): keeps 16 kHz audio from folding over. */
const HALF_BAND = Float64Array.from({ length: 31 }, (_, n) => {
  const x = n - 15;
  const sinc = x === 0 ? 0.5 : Math.sin((Math.PI * x) / 2) / (Math.PI * x);
  return sinc * (0.54 + 0.46 * Math.cos((Math.PI * x) / 15));
});

/** Samples decoded between two breaths of the event loop: under 2 ms of work. */
const SLICE_SAMPLES = 32_768;

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Decodes a file that `parseWav` has accepted to mono at 8 kHz (stereo is averaged), letting the event loop breathe
 * so that a long prompt doesn't delay live calls.
 */
export async function decodeWav(file: Buffer, format: WavFormat): Promise<Int16Array> {
  const read = sampleReader(file, format);
  const stereo = format.channels === 2;
  const mono = (frame: number): number => (stereo ? (read(frame * 2) + read(frame * 2 + 1)) >> 1 : read(frame));
  const halve = format.sampleRate === 16_000;
  const samples = new Int16Array(halve ? Math.floor(format.frames / 2) : format.frames);
  const whole = halve ? new Int16Array(format.frames) : samples;
  for (let start = 0; start < format.frames; start += SLICE_SAMPLES) {
    const end = Math.min(format.frames, start + SLICE_SAMPLES);
    for (let frame = start; frame < end; frame += 1) whole[frame] = mono(frame);
    await breathe();
  }
  if (!halve) return samples;
  for (let start = 0; start < samples.length; start += SLICE_SAMPLES / 16) {
    decimate(whole, samples, start, Math.min(samples.length, start + SLICE_SAMPLES / 16));
    await breathe();
  }
  return samples;
}

function decimate(whole: Int16Array, samples: Int16Array, start: number, end: number): void {
  for (let at = start; at < end; at += 1) {
    let sum = 0;
    for (let tap = 0; tap < HALF_BAND.length; tap += 1) {
      sum += (HALF_BAND[tap] ?? 0) * (whole[at * 2 + tap - 15] ?? 0);
    }
    samples[at] = saturate(Math.round(sum));
  }
}
