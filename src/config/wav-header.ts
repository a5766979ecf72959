import { err, ok, type Result } from '../kernel/result.ts';

/** What a telephone prompt must be: 8 kHz, one channel, 16-bit PCM. */
export interface WavFacts {
  readonly durationMs: number;
  /** Where the samples begin, and how many bytes they are. */
  readonly dataStart: number;
  readonly dataBytes: number;
}

/** Reads the header of a telephone prompt (RIFF/WAVE). The failure says in words what is wrong with the file. */
export function readTelephoneWav(bytes: Buffer): Result<WavFacts, string> {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    return err('it is no WAV file');
  }
  let formatSeen = false;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (id === 'fmt ') {
      if (size < 16 || start + 16 > bytes.length) return err('its header is cut short');
      const fault = formatFault(bytes, start);
      if (fault !== undefined) return err(fault);
      formatSeen = true;
    } else if (id === 'data') {
      if (!formatSeen) return err('its header is missing');
      if (start + size > bytes.length) return err('it is cut short');
      return ok({ durationMs: Math.round(size / 16), dataStart: start, dataBytes: size });
    }
    // Chunks start at even places.
    at = start + size + (size % 2);
  }
  return err('it has no sound in it');
}

function formatFault(bytes: Buffer, start: number): string | undefined {
  const format = bytes.readUInt16LE(start);
  const channels = bytes.readUInt16LE(start + 2);
  const rateHz = bytes.readUInt32LE(start + 4);
  const bits = bytes.readUInt16LE(start + 14);
  if (format === 1 && channels === 1 && rateHz === 8000 && bits === 16) return undefined;
  return `it must be 8000 Hz, 1 channel, 16-bit PCM, and is ${rateHz} Hz, ${channels} channel(s), ${bits} bit, format ${format}`;
}
