/** Readers of structured header values. All of them give undefined for what they can't read; none throws. */
import { decodeValue } from '../../esl/wire.ts';

/** Splits at a separator outside of quotes and angle brackets (RFC 3261 section 7.3.1). */
export function splitOutsideQuotes(value: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  let depth = 0;
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index];
    if (quoted) {
      if (character === '\\') index += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '<') depth += 1;
    else if (character === '>') depth = Math.max(0, depth - 1);
    else if (character === separator && depth === 0) {
      parts.push(value.slice(from, index).trim());
      from = index + 1;
    }
  }
  parts.push(value.slice(from).trim());
  return parts;
}

/** The members of a comma-separated header that may also come on several lines. */
export function listValues(lines: readonly string[]): string[] {
  const all: string[] = [];
  for (const line of lines) {
    for (const part of splitOutsideQuotes(line, ',')) if (part !== '') all.push(part);
  }
  return all;
}

/** `;a=b;c` as a map with lower-case names; a parameter without value is the empty string. */
function parseParameters(parts: readonly string[]): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of parts) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    const value = equals === -1 ? '' : part.slice(equals + 1).trim();
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

/** The text inside double quotes with its escapes undone; anything else as it is. */
export function unquote(value: string): string {
  const trimmed = value.trim();
  if (trimmed.length < 2 || !trimmed.startsWith('"') || !trimmed.endsWith('"')) return trimmed;
  return trimmed.slice(1, -1).replace(/\\(.)/gs, '$1');
}

/** A quoted string (RFC 3261 section 25.1). Line breaks can't stand in it: they become spaces. */
export function quote(value: string): string {
  return `"${value.replace(/[\r\n\0]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}

const QUOTED_STRING = /^"(?:[^"\\]|\\.)*"$/s;

export interface NameAddress {
  readonly displayName: string;
  readonly uri: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** From, To, Contact, Route (RFC 3261 section 20.10): `"name" <uri>;params` or `uri;params`. */
export function parseNameAddress(value: string): NameAddress | undefined {
  const pieces = splitOutsideQuotes(value, ';');
  const head = pieces[0] ?? '';
  const close = head.endsWith('>') ? head.length - 1 : -1;
  if (close !== -1) {
    const open = head.lastIndexOf('<');
    if (open === -1) return undefined;
    const uri = head.slice(open + 1, close).trim();
    const name = head.slice(0, open).trim();
    if (uri === '' || (name.startsWith('"') && !QUOTED_STRING.test(name))) return undefined;
    return { displayName: unquote(name), uri, parameters: parseParameters(pieces.slice(1)) };
  }
  // Without angle brackets the parameters belong to the header, not to the URI (section 20).
  // A URI with ? or a comma must stand inside of them: nobody could tell whose the rest is (section 20.10).
  if (head === '' || /[\s<>"?,]/.test(head)) return undefined;
  return { displayName: '', uri: head, parameters: parseParameters(pieces.slice(1)) };
}

export interface SipUri {
  readonly scheme: string;
  /** With its escapes undone; empty when there is none. */
  readonly user: string;
  /** Without brackets for IPv6. */
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]@]+))(?::(\d{1,5}))?$/;

/** Reads `host`, `host:port`, `[v6]:port`. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  const match = HOST_PORT.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined) return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  return { host, port };
}

/** A sip or sips URI (RFC 3261 section 19.1); `tel:` gives its number as user and an empty host. */
export function parseUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  const rest = text.slice(colon + 1);
  if (/[\s<>"]/.test(rest)) return undefined;
  if (scheme === 'tel') {
    const [number = '', ...parameters] = rest.split(';');
    return { scheme, user: number, host: '', port: undefined, parameters: parseParameters(parameters) };
  }
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  // The user part may hold ; and ?, so the host begins after the last @.
  const at = rest.lastIndexOf('@');
  const userInfo = at === -1 ? '' : rest.slice(0, at);
  const [hostPort = '', ...parameters] = (rest.slice(at + 1).split('?')[0] ?? '').split(';');
  const place = parseHostPort(hostPort);
  if (place === undefined) return undefined;
  const rawUser = (userInfo.split(':')[0] ?? '').split(';')[0] ?? '';
  const decoded = decodeValue(rawUser);
  // An escaped NUL stays escaped: users that differ in it stay apart, and no database takes the naked one.
  const user = decoded.includes('\0') ? rawUser : decoded;
  return { scheme, user, host: place.host, port: place.port, parameters: parseParameters(parameters) };
}

export interface Via {
  /** Upper-case: UDP, TCP. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

/** One Via value (RFC 3261 section 20.42). Its version may be another one: a request of SIP/7.0 is answered as well. */
export function parseVia(value: string): Via | undefined {
  const pieces = splitOutsideQuotes(value, ';');
  const match = /^SIP\s*\/\s*\d\.\d\s*\/\s*(\w+)\s+(\S+)$/i.exec(pieces[0] ?? '');
  const transport = match?.[1];
  const place = match?.[2] === undefined ? undefined : parseHostPort(match[2]);
  if (transport === undefined || place === undefined) return undefined;
  return {
    transport: transport.toUpperCase(),
    host: place.host,
    port: place.port,
    parameters: parseParameters(pieces.slice(1)),
  };
}

/** RFC 3261 section 8.1.1.5: the number is below 2^31. */
const MAX_CSEQ = 2 ** 31 - 1;

/** A CSeq value. */
export function parseCSeq(value: string): { number: number; method: string } | undefined {
  const match = /^(\d{1,10})\s+([A-Za-z0-9\-.!%*_+`'~]+)$/.exec(value.trim());
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const number = Number(match[1]);
  return number <= MAX_CSEQ ? { number, method: match[2] } : undefined;
}

/** A host as it stands in a URI or Via: IPv6 in brackets. */
export function hostInUri(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

const UNRESERVED_USER = /[^A-Za-z0-9\-_.!~*'()&=+$,/]/;

/** The user part of a URI with its escapes (RFC 3261 section 25.1). */
export function escapeUser(user: string): string {
  if (!UNRESERVED_USER.test(user)) return user;
  let escaped = '';
  for (const byte of Buffer.from(user, 'utf8')) {
    const character = String.fromCharCode(byte);
    escaped +=
      byte < 0x80 && !UNRESERVED_USER.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
