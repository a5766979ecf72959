/** G.711 for the test phone, straight from the segment rules of ITU-T G.711. */
export type Law = 'PCMA' | 'PCMU';

const ulawBias = 0x84;

function encodeUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32635) + ulawBias;
  const exponent = Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function decodeUlaw(code: number): number {
  const inverted = ~code & 0xff;
  const exponent = (inverted >> 4) & 7;
  const magnitude = ((((inverted & 0x0f) << 3) + ulawBias) << exponent) - ulawBias;
  return inverted & 0x80 ? -magnitude : magnitude;
}

function encodeAlaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = Math.min(sample >= 0 ? sample : -sample - 1, 32767);
  const exponent = magnitude < 256 ? 0 : Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

function decodeAlaw(code: number): number {
  const plain = code ^ 0x55;
  const exponent = (plain >> 4) & 7;
  const low = ((plain & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? low : (low + 0x100) << (exponent - 1);
  return plain & 0x80 ? magnitude : -magnitude;
}

const decodeTables: Readonly<Record<Law, Int16Array>> = {
  PCMU: Int16Array.from({ length: 256 }, (_, code) => decodeUlaw(code)),
  PCMA: Int16Array.from({ length: 256 }, (_, code) => decodeAlaw(code)),
};

export function encodeG711(law: Law, samples: Int16Array): Buffer {
  const encode = law === 'PCMU' ? encodeUlaw : encodeAlaw;
  return Buffer.from(Array.from(samples, encode));
}

export function decodeG711(law: Law, bytes: Uint8Array): Int16Array {
  const table = decodeTables[law];
  return Int16Array.from(bytes, (code) => table[code] ?? 0);
}
