/** Bytes to SIP messages (RFC 3261 sections 7 and 25). Bounded, tolerant of folded and compact headers, never throws. */
import { SipHeaders, type SipMessage, type SipRequest } from './message.ts';
import { listValues, parseCSeq, parseNameAddress, parseVia } from './values.ts';

/** Far beyond every honest message; what is longer is an attack or a mistake. */
export const MAX_HEAD_BYTES = 32 * 1024;
export const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_LINES = 256;

export type ParseResult =
  | { readonly kind: 'message'; readonly message: SipMessage }
  /** `request` is given when it holds enough to be answered with 400. */
  | { readonly kind: 'bad'; readonly reason: string; readonly request?: SipRequest };

export interface Head {
  /** Where the header text ends. */
  readonly textEnd: number;
  /** Where the body begins. */
  readonly bodyStart: number;
}

/** Finds the empty line that ends the head; CRLF as it should be, or bare LF as some send it. */
export function findHead(data: Buffer, from = 0): Head | undefined {
  let at = data.indexOf(0x0a, from);
  while (at !== -1) {
    if (data[at + 1] === 0x0a) return { textEnd: at, bodyStart: at + 2 };
    if (data[at + 1] === 0x0d && data[at + 2] === 0x0a) return { textEnd: at, bodyStart: at + 3 };
    at = data.indexOf(0x0a, at + 1);
  }
  return undefined;
}

/** Joins folded lines (RFC 3261 section 7.3.1: a line that begins with white space goes on from the one before). */
function unfold(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const clean = line.endsWith('\r') ? line.slice(0, -1) : line;
    if ((clean.startsWith(' ') || clean.startsWith('\t')) && lines.length > 0) {
      lines[lines.length - 1] += ` ${clean.trim()}`;
    } else {
      lines.push(clean);
    }
  }
  return lines;
}

/** The headers of the head's text, or why not. Shared with the TCP framing, which needs Content-Length first. */
export function parseHeaders(lines: readonly string[]): SipHeaders | string {
  if (lines.length > MAX_HEADER_LINES) return 'too many headers';
  const headers = new SipHeaders();
  for (const line of lines) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = colon === -1 ? '' : line.slice(0, colon).trimEnd();
    if (!/^[A-Za-z0-9\-.!%*_+`'~]+$/.test(name)) return 'a line that is no header';
    headers.add(name, line.slice(colon + 1).trim());
  }
  return headers;
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]{1,64}$/;
/** No URI holds angle brackets or quotes: those belong to headers (RFC 4475 section 3.1.2.7). */
const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]{1,64}) ([^\s<>"]{1,2048}) (SIP\/\d\.\d)$/i;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i;

/** What makes a message unusable; undefined when it is sound. */
function findFault(message: SipMessage): string | undefined {
  const { headers } = message;
  for (const key of ['via', 'from', 'to', 'call-id', 'cseq']) {
    if (headers.get(key) === undefined) return `no ${key}`;
  }
  for (const via of listValues(headers.all('via'))) if (parseVia(via) === undefined) return 'via unreadable';
  const cseq = parseCSeq(headers.get('cseq') ?? '');
  if (cseq === undefined) return 'cseq unreadable';
  if (message.kind === 'request' && cseq.method !== message.method) return 'cseq names another method';
  for (const key of ['from', 'to', 'call-id', 'cseq', 'max-forwards']) {
    // Two of these contradict each other, and whichever we took, another element could take the other.
    if (headers.all(key).length > 1) return `more than one ${key}`;
  }
  if (headers.get('call-id') === '') return 'call-id unreadable';
  const from = parseNameAddress(headers.get('from') ?? '');
  const to = parseNameAddress(headers.get('to') ?? '');
  if (from === undefined || to === undefined) return 'from or to unreadable';
  const maxForwards = headers.get('max-forwards');
  // Leading zeros are allowed, values above 255 are not (RFC 3261 section 20.22).
  if (maxForwards !== undefined && !/^0*([01]?\d?\d|2[0-4]\d|25[0-5])$/.test(maxForwards)) {
    return 'max-forwards unreadable';
  }
  return undefined;
}

/** The length that the headers announce: undefined when they don't, NaN when it is no number or two differ. */
export function announcedLength(headers: SipHeaders): number | undefined {
  const [value, ...more] = headers.all('content-length');
  if (value === undefined) return undefined;
  return /^\d{1,8}$/.test(value) && more.every((other) => other === value) ? Number(value) : Number.NaN;
}

/**
 * A request whose first line has white space where none may be (RFC 4475 sections 3.1.2.8 to 3.1.2.10): it can't be
 * served, but its sender can be told.
 */
function readLooseStart(line: string, headers: SipHeaders, body: string): SipRequest | undefined {
  const words = line.trim().split(' ');
  const method = words[0] ?? '';
  if (words.length < 3 || !TOKEN.test(method) || !/^SIP\/\d\.\d$/i.test(words.at(-1) ?? '')) return undefined;
  return { kind: 'request', method, uri: words.slice(1, -1).join(' '), headers, body };
}

function readStart(line: string, headers: SipHeaders, body: string): SipMessage | undefined {
  const status = STATUS_LINE.exec(line);
  if (status?.[1] !== undefined) {
    return { kind: 'response', status: Number(status[1]), reason: status[2] ?? '', headers, body };
  }
  const request = REQUEST_LINE.exec(line);
  if (request?.[1] === undefined || request[2] === undefined) return undefined;
  return { kind: 'request', method: request[1], uri: request[2], headers, body };
}

function bad(reason: string, message?: SipMessage): ParseResult {
  // Without a readable topmost Via nobody knows where an answer should go (RFC 3261 section 18.2.2).
  const via = message === undefined ? undefined : listValues(message.headers.all('via'))[0];
  const answerable = message?.kind === 'request' && message.method !== 'ACK' && parseVia(via ?? '') !== undefined;
  return answerable ? { kind: 'bad', reason, request: message } : { kind: 'bad', reason };
}

/** Reads one whole message: a datagram, or what the TCP framing has cut out of its stream. */
export function parseMessage(data: Buffer): ParseResult {
  const head = findHead(data);
  if (head === undefined) return bad('no end of headers');
  if (head.textEnd > MAX_HEAD_BYTES) return bad('headers too long');
  // A quoted string may hold an escaped NUL (RFC 4475 section 3.1.1.2). Nobody can say or store it: it becomes a space.
  const text = data.toString('utf8', 0, head.textEnd).replaceAll('\\\0', '\\ ');
  if (text.includes('\0')) return bad('a NUL among the headers');
  const lines = unfold(text);
  const headers = parseHeaders(lines.slice(1));
  if (typeof headers === 'string') return bad(headers);

  const length = announcedLength(headers);
  const available = data.length - head.bodyStart;
  const taken = length === undefined || Number.isNaN(length) ? available : Math.min(length, available);
  if (taken > MAX_BODY_BYTES) return bad('body too long');
  const body = data.toString('utf8', head.bodyStart, head.bodyStart + taken);
  const start = lines[0] ?? '';
  const message = readStart(start, headers, body);
  if (message === undefined) return bad('no start line', readLooseStart(start, headers, body));
  // RFC 3261 section 18.3: a datagram that ends before its body does is answered with 400.
  if (length !== undefined && (Number.isNaN(length) || length > available)) return bad('body cut short', message);
  if (message.kind === 'request' && !/ SIP\/2\.0$/i.test(start)) return bad('SIP version unknown', message);
  const fault = findFault(message);
  return fault === undefined ? { kind: 'message', message } : bad(fault, message);
}
