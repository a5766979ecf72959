/**
 * SIP messages for the test phone (RFC 3261, section 7), written apart from the switch's own code so that a mistake
 * in one doesn't hide the same mistake in the other.
 */
export interface SipMessage {
  /** Set on requests. */
  readonly method?: string;
  readonly uri?: string;
  /** Set on responses. */
  readonly status?: number;
  readonly phrase?: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const compactForms: Readonly<Record<string, string>> = {
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  f: 'from',
  t: 'to',
  v: 'via',
  k: 'supported',
};

const canonical = (name: string): string => compactForms[name.toLowerCase()] ?? name.toLowerCase();

/** All values of a header in their order. */
export function headerValues(message: SipMessage, name: string): string[] {
  const wanted = canonical(name);
  return message.headers.filter(([key]) => canonical(key) === wanted).map(([, value]) => value);
}

/** The first value of a header, or an empty text. */
export function header(message: SipMessage, name: string): string {
  return headerValues(message, name)[0] ?? '';
}

/** The value of a `;name=value` parameter. */
export function parameterOf(value: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*("[^"]*"|[^;,\\s>]+)`, 'i').exec(value);
  return match?.[1]?.replace(/^"|"$/g, '');
}

/** What stands between `<` and `>`, or the bare address without its parameters. */
export function addressOf(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0]?.trim() ?? '';
}

/** The user part of a `sip:user@host` address. */
export function userOf(value: string): string {
  return decodeURIComponent(/sips?:([^@;>]*)@/.exec(addressOf(value))?.[1] ?? '');
}

/** The display name in front of an address, unquoted. */
export function displayNameOf(value: string): string {
  const raw = value.slice(0, Math.max(0, value.indexOf('<'))).trim();
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(raw)?.[1];
  return quoted === undefined ? raw : quoted.replace(/\\(.)/gs, '$1');
}

/** Quotes a display name (RFC 3261, section 25.1: quoted-string). */
export function quoted(name: string): string {
  return `"${name.replace(/[\\"]/g, '\\$&')}"`;
}

/** @returns undefined for anything that is not a whole SIP message (keep-alives, garbage). */
export function parseSip(text: string): SipMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const lines = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const start = lines[0] ?? '';
  const headers = lines.slice(1).map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  const body = text.slice(end + 4);
  const response = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(start);
  if (response) return { status: Number(response[1]), phrase: response[2] ?? '', headers, body };
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(start);
  if (request) return { method: request[1] ?? '', uri: request[2] ?? '', headers, body };
  return undefined;
}

/** Writes a message with its Content-Length. */
export function writeSip(message: SipMessage): Buffer {
  const start =
    message.method === undefined
      ? `SIP/2.0 ${message.status} ${message.phrase ?? ''}`
      : `${message.method} ${message.uri} SIP/2.0`;
  const body = Buffer.from(message.body, 'utf8');
  const lines = message.headers.map(([name, value]) => `${name}: ${value}`);
  const head = [start, ...lines, `Content-Length: ${body.length}`, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'utf8'), body]);
}

/** One line about a message, for notes and errors. */
export function summary(message: SipMessage): string {
  const cseq = header(message, 'CSeq');
  return message.method === undefined
    ? `${message.status} ${message.phrase} (${cseq})`
    : `${message.method} ${message.uri}`;
}

/** Cuts a TCP byte stream into messages by Content-Length (RFC 3261, section 18.3). */
export class SipStream {
  #pending = Buffer.alloc(0);

  push(chunk: Buffer): SipMessage[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const messages: SipMessage[] = [];
    for (;;) {
      while (this.#pending[0] === 13 || this.#pending[0] === 10) this.#pending = this.#pending.subarray(1);
      const headEnd = this.#pending.indexOf('\r\n\r\n');
      if (headEnd < 0) return messages;
      const head = this.#pending.toString('utf8', 0, headEnd + 4);
      const length = Number(/\r\n(?:content-length|l)\s*:\s*(\d+)/i.exec(head)?.[1] ?? 0);
      if (this.#pending.length < headEnd + 4 + length) return messages;
      const whole = this.#pending.toString('utf8', 0, headEnd + 4 + length);
      this.#pending = this.#pending.subarray(headEnd + 4 + length);
      const message = parseSip(whole);
      if (message !== undefined) messages.push(message);
    }
  }
}
