/** The two companding laws of ITU-T G.711, as tables: one look-up per sample. */
export type G711Law = 'PCMA' | 'PCMU';

/** A-law byte of a 16-bit sample (G.711 table 1): 13 bits, eight segments, even bits inverted. */
function encodeAlawSample(sample: number): number {
  const negative = sample < 0;
  const magnitude = (negative ? -sample - 1 : sample) >> 3;
  const mask = negative ? 0x55 : 0xd5;
  // Segments 0 and 1 have the same step; from there on every segment doubles it.
  const segment = Math.max(0, 27 - Math.clz32(magnitude));
  const mantissa = (segment < 2 ? magnitude >> 1 : magnitude >> segment) & 0x0f;
  return ((segment << 4) | mantissa) ^ mask;
}

function decodeAlawByte(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code >> 4) & 0x07;
  const step = ((code & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}

const MULAW_BIAS = 132;
const MULAW_CLIP = 32_635;

/** Mu-law byte of a 16-bit sample (G.711 table 2): 14 bits with a bias, all bits inverted. */
function encodeMulawSample(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), MULAW_CLIP) + MULAW_BIAS;
  const segment = 24 - Math.clz32(magnitude);
  return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

function decodeMulawByte(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + MULAW_BIAS) << ((code >> 4) & 0x07)) - MULAW_BIAS;
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}

function encoder(encodeSample: (sample: number) => number): Uint8Array {
  const table = new Uint8Array(65_536);
  for (let bits = 0; bits < 65_536; bits += 1) table[bits] = encodeSample((bits << 16) >> 16);
  return table;
}

function decoder(decodeByte: (byte: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, byte) => decodeByte(byte));
}

/** 16-bit sample of every code byte. */
export const decodeTables: Readonly<Record<G711Law, Int16Array>> = {
  PCMA: decoder(decodeAlawByte),
  PCMU: decoder(decodeMulawByte),
};

/** Code byte of every 16-bit sample, indexed by `sample & 0xffff`. */
export const encodeTables: Readonly<Record<G711Law, Uint8Array>> = {
  PCMA: encoder(encodeAlawSample),
  PCMU: encoder(encodeMulawSample),
};

function crossTable(from: G711Law, to: G711Law): Uint8Array {
  return Uint8Array.from(decodeTables[from], (sample) => encodeTables[to][sample & 0xffff] ?? 0);
}

const alawToMulaw = crossTable('PCMA', 'PCMU');
const mulawToAlaw = crossTable('PCMU', 'PCMA');

/** Rewrites the bytes [start, end) from one law to the other, in place. */
export function transcodeInPlace(bytes: Uint8Array, start: number, end: number, from: G711Law, to: G711Law): void {
  if (from === to) return;
  const table = from === 'PCMA' ? alawToMulaw : mulawToAlaw;
  for (let at = start; at < end; at += 1) bytes[at] = table[bytes[at] ?? 0] ?? 0;
}

/** Encodes all of `samples` into `bytes` from `offset` on. */
export function encodeInto(bytes: Uint8Array, offset: number, samples: Int16Array, law: G711Law): void {
  const table = encodeTables[law];
  for (let at = 0; at < samples.length; at += 1) bytes[offset + at] = table[(samples[at] ?? 0) & 0xffff] ?? 0;
}
