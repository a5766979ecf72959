/** Mono samples between -1 and 1 at a rate in Hz. */
export interface Sound {
  readonly rateHz: number;
  readonly samples: Float64Array;
}

/**
 * Reads a mono 16-bit PCM WAV file, as the speech synthesiser writes it.
 * @throws Error when the bytes are anything else.
 */
export function decodeWav(bytes: Buffer): Sound {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('not a RIFF/WAVE file');
  }
  let rateHz = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (id === 'fmt ') {
      const isMonoPcm16 =
        bytes.readUInt16LE(start) === 1 && bytes.readUInt16LE(start + 2) === 1 && bytes.readUInt16LE(start + 14) === 16;
      if (!isMonoPcm16) throw new Error('not mono 16-bit PCM');
      rateHz = bytes.readUInt32LE(start + 4);
    } else if (id === 'data') {
      if (rateHz === 0) throw new Error('data before fmt');
      // A synthesiser that writes to a pipe can't know the length and puts a huge one: the file's end counts then.
      return { rateHz, samples: readSamples(bytes.subarray(start, Math.min(start + size, bytes.length))) };
    }
    at = start + size + (size % 2);
  }
  throw new Error('no data chunk');
}

function readSamples(data: Buffer): Float64Array {
  const samples = new Float64Array(Math.floor(data.length / 2));
  for (let i = 0; i < samples.length; i += 1) samples[i] = data.readInt16LE(i * 2) / 32768;
  return samples;
}

/** A mono 16-bit PCM WAV file of the sound; samples beyond full scale are held there. */
export function encodeWav(sound: Sound): Buffer {
  const dataBytes = sound.samples.length * 2;
  const bytes = Buffer.alloc(44 + dataBytes);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + dataBytes, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(sound.rateHz, 24);
  bytes.writeUInt32LE(sound.rateHz * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(dataBytes, 40);
  sound.samples.forEach((sample, i) => {
    bytes.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(sample * 32767))), 44 + i * 2);
  });
  return bytes;
}
