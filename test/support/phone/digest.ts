/** Digest answers of the test phone (RFC 3261, section 22; RFC 7616). */
import { createHash, randomBytes } from 'node:crypto';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** `user:realm:password` as the switch keeps it. */
export function ha1Of(user: string, realm: string, password: string): string {
  return md5(`${user}:${realm}:${password}`);
}

/** The value of Authorization / Proxy-Authorization for a challenge (MD5, with or without `qop=auth`). */
export function digestAnswer(
  challenge: string,
  request: { readonly method: string; readonly uri: string },
  credentials: { readonly user: string; readonly password: string },
): string {
  const field = (name: string): string | undefined =>
    new RegExp(`(?:^|[\\s,])${name}=(?:"([^"]*)"|([^\\s,]+))`, 'i').exec(challenge)?.slice(1).find(Boolean);
  const realm = field('realm') ?? '';
  const nonce = field('nonce') ?? '';
  const opaque = field('opaque');
  const ha1 = ha1Of(credentials.user, realm, credentials.password);
  const ha2 = md5(`${request.method}:${request.uri}`);
  const base = `Digest username="${credentials.user}", realm="${realm}", nonce="${nonce}", uri="${request.uri}", algorithm=MD5`;
  const tail = opaque === undefined ? '' : `, opaque="${opaque}"`;
  if (!(field('qop') ?? '').split(',').some((word) => word.trim() === 'auth')) {
    return `${base}, response="${md5(`${ha1}:${nonce}:${ha2}`)}"${tail}`;
  }
  const cnonce = randomBytes(8).toString('hex');
  const response = md5(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`);
  return `${base}, qop=auth, nc=00000001, cnonce="${cnonce}", response="${response}"${tail}`;
}
