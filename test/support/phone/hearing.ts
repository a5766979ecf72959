/** Which tones are in a piece of sound: the Goertzel algorithm, one frequency at a time. */
export const sampleRate = 8000;

/** Quieter than this (root mean square of 16-bit samples) counts as silence. */
const silenceRms = 60;
/** A tone must carry at least this share of the sound's power to be heard. */
const audibleShare = 0.04;
/** What is not explained by the expected tones may carry at most this share. */
const strayShare = 0.08;

/** Mean power of a piece of sound. */
export function meanPower(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : sum / samples.length;
}

/** Mean power of the sine of `hz` in the sound; exact when the piece holds whole periods. */
export function tonePower(samples: Int16Array, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / sampleRate);
  let previous = 0;
  let beforePrevious = 0;
  for (const sample of samples) {
    const current = sample + coefficient * previous - beforePrevious;
    beforePrevious = previous;
    previous = current;
  }
  const power = previous ** 2 + beforePrevious ** 2 - coefficient * previous * beforePrevious;
  return samples.length === 0 ? 0 : (2 * power) / samples.length ** 2;
}

export const isSilent = (samples: Int16Array): boolean => Math.sqrt(meanPower(samples)) < silenceRms;

/** True when the tone is clearly there, whatever else is. */
export function hasTone(samples: Int16Array, hz: number): boolean {
  return !isSilent(samples) && tonePower(samples, hz) > audibleShare * meanPower(samples);
}

/** True when exactly these tones are there and next to nothing else. */
export function hasOnlyTones(samples: Int16Array, tones: readonly number[]): boolean {
  if (tones.length === 0) return isSilent(samples);
  const whole = meanPower(samples);
  const explained = tones.reduce((sum, hz) => sum + tonePower(samples, hz), 0);
  return tones.every((hz) => hasTone(samples, hz)) && whole - explained < strayShare * whole;
}

/** The strongest of the frequencies 100, 150, … 3400 Hz, for error messages. */
export function describeSound(samples: Int16Array): string {
  if (samples.length === 0) return 'no sound at all';
  const rms = Math.round(Math.sqrt(meanPower(samples)));
  if (isSilent(samples)) return `silence (rms ${rms})`;
  const found: string[] = [];
  for (let hz = 100; hz <= 3400; hz += 50) {
    const share = tonePower(samples, hz) / meanPower(samples);
    if (share > audibleShare) found.push(`${hz} Hz ${Math.round(share * 100)} %`);
  }
  return `rms ${rms}: ${found.join(', ') || 'no clear tone'}`;
}
