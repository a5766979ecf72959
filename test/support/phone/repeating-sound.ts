/** Tones that repeat, encoded once for all phones of a process, so that hundreds of them cost little. */
import { encodeG711, type Law } from './g711.ts';

const frameSamples = 160;
/** A multiple of 10 Hz has whole periods in 100 ms. */
const period = { hz: 10, frames: 5 } as const;
const encoded = new Map<string, readonly Buffer[]>();

/**
 * The frame of 20 ms that begins with this sample of the tone (or of silence).
 * @param make gives the sound from a sample on.
 * @returns undefined for a tone that does not repeat in time.
 */
export function repeatingFrame(
  law: Law,
  hz: number | undefined,
  firstSample: number,
  make: (firstSample: number) => Int16Array,
): Buffer | undefined {
  if (hz !== undefined && hz % period.hz !== 0) return undefined;
  const key = `${law}/${hz ?? 'silence'}`;
  let frames = encoded.get(key);
  if (frames === undefined) {
    frames = Array.from({ length: period.frames }, (_, index) => encodeG711(law, make(index * frameSamples)));
    encoded.set(key, frames);
  }
  return frames[Math.floor(firstSample / frameSamples) % period.frames];
}
