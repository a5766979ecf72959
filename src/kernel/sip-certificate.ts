/** The certificate with which the switch shows who it is, in the files that FreeSWITCH too reads (`tls-cert-dir`). */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { errorChain, SetupError } from './errors.ts';

/** Private key and certificate, in one file. */
const OWN_FILE = 'agent.pem';
/** Whom the switch believes when it connects by itself, and what stands between our certificate and a known root. */
const TRUSTED_FILE = 'cafile.pem';

export interface SwitchCertificate {
  readonly context: SecureContextOptions;
  readonly validToMs: number;
}

/**
 * Reads and checks the folder of SIP_TLS_FOLDER.
 * @throws SetupError that names the setting, the file and what is wrong with it.
 */
export function readCertificate(folder: string): SwitchCertificate {
  const own = readText(folder, OWN_FILE);
  const trusted = readText(folder, TRUSTED_FILE);
  const certificate = check(folder, OWN_FILE, 'holds no certificate (PEM)', () => new X509Certificate(own));
  const key = check(folder, OWN_FILE, 'holds no private key (PEM, without a password)', () => createPrivateKey(own));
  check(folder, TRUSTED_FILE, 'holds no certificate (PEM)', () => new X509Certificate(trusted));
  if (!certificate.checkPrivateKey(key)) throw wrong(folder, OWN_FILE, 'holds a key that is not its certificate’s');
  return {
    context: { key: own, cert: own, ca: trusted, minVersion: 'TLSv1.2' },
    validToMs: Date.parse(certificate.validTo),
  };
}

const readText = (folder: string, name: string): string =>
  check(folder, name, 'can’t be read', () => readFileSync(join(folder, name), 'utf8'));

function check<T>(folder: string, name: string, problem: string, does: () => T): T {
  try {
    return does();
  } catch (error) {
    throw wrong(folder, name, `${problem}: ${errorChain(error)}`, error);
  }
}

const wrong = (folder: string, name: string, problem: string, cause?: unknown): SetupError =>
  new SetupError(`SIP_TLS_FOLDER: ${join(folder, name)} ${problem}`, cause === undefined ? {} : { cause });
