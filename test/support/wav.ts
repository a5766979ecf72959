/** WAV files for tests: 16-bit PCM, written with a tone in them, read back whole. */
import { readFile, writeFile } from 'node:fs/promises';
import { sampleRate } from './phone/hearing.ts';

/** Writes a mono file with a sine tone (8 kHz). */
export async function writeToneFile(path: string, hz: number, durationMs: number): Promise<void> {
  const count = Math.round((durationMs * sampleRate) / 1000);
  const data = Buffer.alloc(count * 2);
  for (let index = 0; index < count; index += 1) {
    data.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * hz * index) / sampleRate)), index * 2);
  }
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(sampleRate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  await writeFile(path, Buffer.concat([head, data]));
}

export interface WavFile {
  readonly rate: number;
  /** One array of samples per channel. */
  readonly channels: readonly Int16Array[];
}

/** Reads a PCM16 file. @throws Error when it is something else. */
export async function readWavFile(path: string): Promise<WavFile> {
  const bytes = await readFile(path);
  if (bytes.toString('latin1', 0, 4) !== 'RIFF') throw new Error(`${path} is no WAV file`);
  let format: { readonly channels: number; readonly rate: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const length = Math.min(bytes.readUInt32LE(at + 4), bytes.length - at - 8);
    if (name === 'fmt ') {
      if (bytes.readUInt16LE(at + 8) !== 1 || bytes.readUInt16LE(at + 22) !== 16)
        throw new Error(`${path} is not PCM16`);
      format = { channels: bytes.readUInt16LE(at + 10), rate: bytes.readUInt32LE(at + 12) };
    }
    if (name === 'data' && format !== undefined) {
      return { rate: format.rate, channels: split(bytes.subarray(at + 8, at + 8 + length), format.channels) };
    }
    at += 8 + length + (length % 2);
  }
  throw new Error(`${path} has no sound`);
}

function split(data: Buffer, channels: number): Int16Array[] {
  const frames = Math.floor(data.length / 2 / channels);
  return Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length: frames }, (__, frame) => data.readInt16LE((frame * channels + channel) * 2)),
  );
}
