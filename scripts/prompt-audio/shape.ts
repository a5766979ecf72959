import type { Sound } from './wav.ts';

/** Half the length of the filter in output samples; 24 keeps what is above 4 kHz more than 60 dB down. */
const filterHalfWidth = 24;
/** The pass band ends a little below half the rate, so that the filter's slope doesn't fold back. */
const passBand = 0.92;

/** Brings a sound to a lower rate with a windowed-sinc low-pass (Blackman window). */
export function resample(sound: Sound, rateHz: number): Sound {
  const step = sound.rateHz / rateHz;
  const cutoff = passBand / step;
  const reach = filterHalfWidth * step;
  const out = new Float64Array(Math.floor(sound.samples.length / step));
  for (let i = 0; i < out.length; i += 1) {
    const centre = i * step;
    let sum = 0;
    let weights = 0;
    for (let k = Math.ceil(centre - reach); k <= centre + reach; k += 1) {
      const weight = sinc((k - centre) * cutoff) * blackman((k - centre) / reach);
      weights += weight;
      sum += weight * (sound.samples[k] ?? 0);
    }
    out[i] = sum / weights;
  }
  return { rateHz, samples: out };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The Blackman window over -1 … 1. */
function blackman(x: number): number {
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

const frameMs = 10;
/** Frames below this (-46 dBFS) count as silence. */
const silenceRms = 0.005;

function frameRms(sound: Sound): number[] {
  const size = Math.round((sound.rateHz * frameMs) / 1000);
  const levels: number[] = [];
  for (let at = 0; at < sound.samples.length; at += size) {
    const frame = sound.samples.subarray(at, at + size);
    levels.push(Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length));
  }
  return levels;
}

/** Cuts silence off both ends and leaves `padMs` of it, so that joined prompts follow each other at one pace. */
export function trim(sound: Sound, padMs: number): Sound {
  const levels = frameRms(sound);
  const first = levels.findIndex((level) => level > silenceRms);
  if (first < 0) return sound;
  const last = levels.findLastIndex((level) => level > silenceRms);
  const samplesPerMs = sound.rateHz / 1000;
  const from = Math.max(0, Math.round((first * frameMs - padMs) * samplesPerMs));
  const to = Math.min(sound.samples.length, Math.round(((last + 1) * frameMs + padMs) * samplesPerMs));
  return { rateHz: sound.rateHz, samples: sound.samples.slice(from, to) };
}

/** Scales to one loudness: the mean level of the frames that are not silent, but no peak above `peak`. */
export function level(sound: Sound, activeRms: number, peak: number): Sound {
  const active = frameRms(sound).filter((rms) => rms > silenceRms);
  if (active.length === 0) return sound;
  const rms = Math.sqrt(active.reduce((sum, value) => sum + value * value, 0) / active.length);
  const highest = sound.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const gain = Math.min(activeRms / rms, peak / highest);
  return { rateHz: sound.rateHz, samples: sound.samples.map((sample) => sample * gain) };
}
