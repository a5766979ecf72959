/** A self-signed certificate for tests: X.509 (RFC 5280) in DER, written here because Node reads but can't make one. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface TestCertificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

const dayMs = 24 * 3_600_000;

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
/** Object identifiers, in their coded form. */
const oid = {
  commonName: der(0x06, hex('550403')),
  ecdsaWithSha256: der(0x06, hex('2a8648ce3d040302')),
  subjectAltName: der(0x06, hex('551d11')),
};

const utcTime = (ms: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

function body(address: string, publicKey: KeyObject, nowMs: number): Buffer {
  const algorithm = sequence(oid.ecdsaWithSha256);
  const name = sequence(der(0x31, sequence(oid.commonName, der(0x0c, Buffer.from(address)))));
  const bytes = Buffer.from(address.split('.').map(Number));
  const names = sequence(der(0x87, bytes), der(0x82, Buffer.from('localhost')));
  return sequence(
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, Buffer.concat([hex('01'), randomBytes(8)])),
    algorithm,
    name,
    sequence(utcTime(nowMs - dayMs), utcTime(nowMs + 30 * dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(oid.subjectAltName, der(0x04, names)))),
  );
}

/** For a server at this IPv4 address. */
export function makeCertificate(address = '127.0.0.1'): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = body(address, publicKey, Date.now());
  const signature = sign('sha256', signed, privateKey);
  const bytes = sequence(signed, sequence(oid.ecdsaWithSha256), der(0x03, hex('00'), signature));
  const lines = bytes
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trim();
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

/** The files that a switch wants in its folder; it trusts the same certificate. */
export async function writeCertificate(folder: string, { key, cert }: TestCertificate): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'agent.pem'), key + cert, { mode: 0o600 });
  await writeFile(join(folder, 'cafile.pem'), cert, { mode: 0o600 });
}
