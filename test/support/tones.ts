/** Audio for tests: sines, and a Goertzel filter that says how much of a signal is one tone. */
const SAMPLE_RATE = 8000;

/** `count` samples of a sine; `from` is the index of the first one, so that frames join without a click. */
export function sine(hz: number, count: number, amplitude = 8000, from = 0): Int16Array {
  return Int16Array.from({ length: count }, (_, n) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * (from + n)) / SAMPLE_RATE)),
  );
}

/** Mean power of the samples. */
export function power(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : sum / samples.length;
}

/** The share of the signal's power that is the tone `hz`: 1 for a pure sine, about 0 without it; 0 for silence. */
export function toneAt(samples: Int16Array, hz: number): number {
  const total = power(samples);
  if (total < 1) return 0;
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
  let before = 0;
  let last = 0;
  for (const sample of samples) {
    const next = sample + coefficient * last - before;
    before = last;
    last = next;
  }
  const energy = last * last + before * before - coefficient * last * before;
  // A full sine of power P has the Goertzel energy P * n^2 / 2.
  return energy / ((total * samples.length * samples.length) / 2);
}

/** Signal to noise of `decoded` against `original` in dB. */
export function signalToNoiseDb(original: Int16Array, decoded: Int16Array): number {
  const noise = original.map((sample, at) => sample - (decoded[at] ?? 0));
  return 10 * Math.log10(power(original) / Math.max(power(noise), 1e-9));
}

/** A PCM16 WAV file of these channels, all of the same length. */
export function wavFile(channels: readonly Int16Array[], sampleRate = SAMPLE_RATE): Buffer {
  const frames = channels[0]?.length ?? 0;
  const file = Buffer.alloc(44 + frames * channels.length * 2);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(channels.length, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(sampleRate * channels.length * 2, 28);
  file.writeUInt16LE(channels.length * 2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(frames * channels.length * 2, 40);
  for (const [at, channel] of channels.entries()) {
    for (const [n, sample] of channel.entries()) file.writeInt16LE(sample, 44 + (n * channels.length + at) * 2);
  }
  return file;
}
