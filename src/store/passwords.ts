import { createHash, randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Secret } from '../config/secret.ts';

/** OWASP's least values for Argon2id, which is the library's default algorithm: 19 MiB, 2 rounds; about 20 ms. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Without letters and digits that are taken for one another when read aloud or off a screen. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A random password of `length` characters, a little below 5 bits each. */
export function newPassword(length: number): Secret {
  return new Secret(Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(''));
}

/** The hash under which a web password is stored (Argon2id, in the PHC string format). */
export async function hashPassword(password: Secret): Promise<Secret> {
  return new Secret(await hash(password.reveal(), cost));
}

export function verifyPassword(passwordHash: Secret, password: Secret): Promise<boolean> {
  return verify(passwordHash.reveal(), password.reveal());
}

/** What a registrar keeps instead of a phone's password: MD5 of `user:domain:password` (RFC 7616, section 3.4.2). */
export function sipHa1Md5(user: string, domain: string, password: Secret): Secret {
  return new Secret(createHash('md5').update(`${user}:${domain}:${password.reveal()}`).digest('hex'));
}
