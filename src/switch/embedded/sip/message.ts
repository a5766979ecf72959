/** SIP messages as data (RFC 3261 section 7). */

/** RFC 3261 section 7.3.3 and the extensions' own compact names. */
const COMPACT_NAMES: Readonly<Record<string, string>> = {
  b: 'referred-by',
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
};

/** The lower-case long name of a header. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (COMPACT_NAMES[lower] ?? lower) : lower;
}

interface HeaderEntry {
  readonly key: string;
  readonly name: string;
  value: string;
}

/** The header fields of one message, in order. Keys of look-ups are lower-case long names. */
export class SipHeaders {
  #entries: HeaderEntry[] = [];

  /** The first value of a header. */
  get(key: string): string | undefined {
    for (const entry of this.#entries) if (entry.key === key) return entry.value;
    return undefined;
  }

  /** All values of a header, one per header line. */
  all(key: string): string[] {
    const values: string[] = [];
    for (const entry of this.#entries) if (entry.key === key) values.push(entry.value);
    return values;
  }

  add(name: string, value: string): this {
    this.#entries.push({ key: canonicalName(name), name, value });
    return this;
  }

  /** Puts a header before all others (Via of a request that is sent on). */
  prepend(name: string, value: string): this {
    this.#entries.unshift({ key: canonicalName(name), name, value });
    return this;
  }

  /** Replaces the first header of that name, or adds it. */
  set(name: string, value: string): this {
    const key = canonicalName(name);
    for (const entry of this.#entries) {
      if (entry.key === key) {
        entry.value = value;
        return this;
      }
    }
    return this.add(name, value);
  }

  remove(key: string): void {
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
  }

  *[Symbol.iterator](): IterableIterator<readonly [name: string, value: string, key: string]> {
    for (const entry of this.#entries) yield [entry.name, entry.value, entry.key];
  }

  get size(): number {
    return this.#entries.length;
  }
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: SipHeaders;
  readonly body: string;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: SipHeaders;
  readonly body: string;
}

export type SipMessage = SipRequest | SipResponse;

/** The bytes of a message. Content-Length is written from the body; one that is among the headers is left out. */
export function serialiseMessage(message: SipMessage): Buffer {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`;
  let head = start;
  for (const [name, value, key] of message.headers) {
    if (key !== 'content-length') head += `${name}: ${value}\r\n`;
  }
  return Buffer.from(
    `${head}Content-Length: ${Buffer.byteLength(message.body, 'utf8')}\r\n\r\n${message.body}`,
    'utf8',
  );
}

/** The words that go with a status (RFC 3261 section 21). */
export const reasonPhrases: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  422: 'Session Interval Too Small',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  484: 'Address Incomplete',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  491: 'Request Pending',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  505: 'Version Not Supported',
  603: 'Decline',
};
