import type { Sound } from './wav.ts';

/** The tone before a caller speaks to the recorder: 1 kHz, 0.4 s, with soft edges. */
export function beep(rateHz: number): Sound {
  const samples = new Float64Array(Math.round(rateHz * 0.4));
  const edge = rateHz * 0.01;
  for (let i = 0; i < samples.length; i += 1) {
    const fade = Math.min(1, i / edge, (samples.length - 1 - i) / edge);
    samples[i] = 0.3 * fade * Math.sin((2 * Math.PI * 1000 * i) / rateHz);
  }
  return { rateHz, samples };
}

const barSeconds = 3;
/** Eight bars of soft chords over the pentatonic scale; MIDI note numbers, 60 is middle C. */
const chords: readonly (readonly number[])[] = [
  [48, 60, 64, 67],
  [45, 57, 60, 64],
  [50, 57, 62, 65],
  [43, 55, 59, 62],
  [48, 60, 64, 67],
  [41, 57, 60, 65],
  [43, 55, 60, 62],
  [48, 55, 60, 64],
];
/** The melody: six beats a bar, 0 is a rest. */
const melody: readonly (readonly number[])[] = [
  [76, 0, 79, 0, 81, 79],
  [76, 0, 74, 72, 0, 69],
  [74, 0, 76, 0, 79, 76],
  [74, 0, 0, 67, 69, 0],
  [72, 0, 76, 0, 79, 81],
  [84, 0, 81, 79, 0, 76],
  [79, 0, 76, 74, 0, 76],
  [72, 0, 0, 67, 0, 0],
];

/**
 * The waiting music: 24 s that can be repeated without a seam, because every note that is still sounding
 * at the end goes on at the beginning. The level is moderate, nothing is above 1.5 kHz.
 */
export function music(rateHz: number): Sound {
  const samples = new Float64Array(chords.length * barSeconds * rateHz);
  chords.forEach((notes, bar) => {
    for (const note of notes) {
      addNote(samples, rateHz, { atSeconds: bar * barSeconds, note, gain: 0.05, attack: 0.5, decay: 1.4 });
    }
    melody[bar]?.forEach((note, beat, beats) => {
      if (note === 0) return;
      const atSeconds = bar * barSeconds + (beat * barSeconds) / beats.length;
      addNote(samples, rateHz, { atSeconds, note, gain: 0.09, attack: 0.015, decay: 0.6 });
    });
  });
  return { rateHz, samples };
}

interface Note {
  readonly atSeconds: number;
  readonly note: number;
  readonly gain: number;
  /** Seconds until the note is at its loudest. */
  readonly attack: number;
  /** Seconds in which it falls to a third. */
  readonly decay: number;
}

/** Adds one note with two quiet overtones, wrapping round the end of the loop. */
function addNote(samples: Float64Array, rateHz: number, note: Note): void {
  const frequency = 440 * 2 ** ((note.note - 69) / 12);
  const length = Math.round((note.attack + note.decay * 6) * rateHz);
  const start = Math.round(note.atSeconds * rateHz);
  for (let i = 0; i < length; i += 1) {
    const t = i / rateHz;
    const envelope = t < note.attack ? t / note.attack : Math.exp(-(t - note.attack) / note.decay);
    const phase = 2 * Math.PI * frequency * t;
    const wave = Math.sin(phase) + 0.2 * Math.sin(2 * phase) * Math.exp(-t) + 0.05 * Math.sin(3 * phase);
    const at = (start + i) % samples.length;
    samples[at] = (samples[at] ?? 0) + note.gain * envelope * wave;
  }
}
