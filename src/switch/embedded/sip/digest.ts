/** Digest authentication for SIP (RFC 3261 section 22, RFC 7616, RFC 8760): MD5 and SHA-256, qop=auth. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { splitOutsideQuotes, unquote } from './values.ts';

export type DigestAlgorithm = 'MD5' | 'SHA-256';

const hashNames: Readonly<Record<DigestAlgorithm, string>> = { MD5: 'md5', 'SHA-256': 'sha256' };

function digestHash(algorithm: DigestAlgorithm, text: string): string {
  return createHash(hashNames[algorithm]).update(text, 'utf8').digest('hex');
}

/** The secret half of the digest: hash of `user:realm:password`, lower-case hex. */
export function digestHa1(algorithm: DigestAlgorithm, user: string, realm: string, password: string): string {
  return digestHash(algorithm, `${user}:${realm}:${password}`);
}

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly ha1: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** With qop=auth; both absent for RFC 2069 style. */
  readonly qop?: { readonly nc: string; readonly cnonce: string };
}

/** The `response` of an Authorization header (RFC 7616 section 3.4.1), lower-case hex. */
export function digestResponse(input: DigestInput): string {
  const ha2 = digestHash(input.algorithm, `${input.method}:${input.uri}`);
  const middle = input.qop === undefined ? '' : `${input.qop.nc}:${input.qop.cnonce}:auth:`;
  return digestHash(input.algorithm, `${input.ha1}:${input.nonce}:${middle}${ha2}`);
}

export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  readonly qop: { readonly nc: string; readonly cnonce: string } | undefined;
}

/** Reads an Authorization or Proxy-Authorization value; undefined when it is none that we can check. */
export function parseDigestCredentials(value: string): DigestCredentials | undefined {
  const match = /^Digest\s+(.*)$/is.exec(value.trim());
  if (match?.[1] === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const part of splitOutsideQuotes(match[1], ',')) {
    const equals = part.indexOf('=');
    if (equals > 0) fields.set(part.slice(0, equals).trim().toLowerCase(), unquote(part.slice(equals + 1)));
  }
  const algorithm = (fields.get('algorithm') ?? 'MD5').toUpperCase();
  if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return undefined;
  const [username, realm, nonce] = [fields.get('username'), fields.get('realm'), fields.get('nonce')];
  const [uri, response] = [fields.get('uri'), fields.get('response')];
  if (username === undefined || realm === undefined || nonce === undefined) return undefined;
  if (uri === undefined || response === undefined) return undefined;
  const [qopWord, nc, cnonce] = [fields.get('qop'), fields.get('nc'), fields.get('cnonce')];
  if (qopWord !== undefined && (qopWord !== 'auth' || nc === undefined || cnonce === undefined)) return undefined;
  const qop = nc !== undefined && cnonce !== undefined && qopWord !== undefined ? { nc, cnonce } : undefined;
  return { username, realm, nonce, uri, response, algorithm, qop };
}

/** Compares without telling by its duration how much was right. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = createHash('sha256').update(a, 'utf8').digest();
  const right = createHash('sha256').update(b, 'utf8').digest();
  return timingSafeEqual(left, right);
}

/** Whether the credentials prove that the sender knows the password behind `ha1`. */
export function credentialsMatch(credentials: DigestCredentials, method: string, ha1: string): boolean {
  const expected = digestResponse({
    algorithm: credentials.algorithm,
    ha1: ha1.toLowerCase(),
    method,
    uri: credentials.uri,
    nonce: credentials.nonce,
    ...(credentials.qop === undefined ? {} : { qop: credentials.qop }),
  });
  return equalInConstantTime(expected, credentials.response.toLowerCase());
}

export type NonceVerdict = 'fresh' | 'stale' | 'foreign';

/** After this time a client must take a new nonce; it gets one with stale=true and need not ask the person again. */
const NONCE_LIFETIME_MS = 300_000;
/** How many nonces' counters are remembered against replays; the oldest are forgotten (they are then stale). */
const MAX_TRACKED_NONCES = 20_000;

/** Makes nonces that carry their own time and signature, and watches that no request is replayed. */
export class NonceKeeper {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  /** The highest nonce count (RFC 7616 section 3.4) seen for each nonce in use. */
  readonly #counts = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  #sign(payload: string): string {
    return createHmac('sha256', this.#key).update(payload).digest('base64url').slice(0, 27);
  }

  issue(): string {
    const payload = `${this.#now().toString(36)}.${randomBytes(9).toString('base64url')}`;
    return `${payload}.${this.#sign(payload)}`;
  }

  /** Looks at a nonce before the password is checked: ours at all, and still young? */
  judge(nonce: string): NonceVerdict {
    const lastDot = nonce.lastIndexOf('.');
    const payload = nonce.slice(0, Math.max(0, lastDot));
    if (lastDot === -1 || !equalInConstantTime(this.#sign(payload), nonce.slice(lastDot + 1))) return 'foreign';
    const issuedAt = Number.parseInt(payload.split('.')[0] ?? '', 36);
    return this.#now() - issuedAt <= NONCE_LIFETIME_MS ? 'fresh' : 'stale';
  }

  /** Books one use of a nonce; false when this count was used before, which is a replay. */
  use(nonce: string, nc: string | undefined): boolean {
    const count = nc === undefined ? 1 : Number.parseInt(nc, 16);
    const last = this.#counts.get(nonce) ?? 0;
    if (!(count > last)) return false;
    this.#counts.delete(nonce);
    this.#counts.set(nonce, count);
    if (this.#counts.size > MAX_TRACKED_NONCES) {
      const oldest = this.#counts.keys().next().value;
      if (oldest !== undefined) this.#counts.delete(oldest);
    }
    return true;
  }
}

/** A WWW-Authenticate or Proxy-Authenticate value. */
export function challengeValue(realm: string, nonce: string, algorithm: DigestAlgorithm, stale: boolean): string {
  const tail = stale ? ', stale=true' : '';
  return `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${tail}`;
}
