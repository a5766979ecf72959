/**
 * The framing of FreeSWITCH's Event Socket, as both ends speak it: a block of `Name: value` lines ended by an empty
 * line, then as many bytes of body as its `Content-Length` says. Values inside events are URL-encoded UTF-8.
 */

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The first two of these are FreeSWITCH's own unsafe set; everything outside printable ASCII is encoded as well. */
const NEEDS_ENCODING = /[^A-Za-z0-9\-_.!~*'()/$,]/;

/** URL-encodes a header value (UTF-8). Never throws: a lone surrogate becomes U+FFFD. */
export function encodeValue(value: string): string {
  if (!NEEDS_ENCODING.test(value)) return value;
  // A round trip through bytes replaces lone surrogates, the one thing that encodeURIComponent can't take.
  const wellFormed = Buffer.from(value, 'utf8').toString('utf8');
  return encodeURIComponent(wellFormed).replaceAll('%2F', '/').replaceAll('%2C', ',').replaceAll('%24', '$');
}

/** The value of each hexadecimal digit by its character code; -1 for everything else. */
const HEX_VALUES = Int8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

/** The byte that the two characters after a `%` stand for; -1 when they are no hexadecimal digits. */
function hexPair(value: string, at: number): number {
  // Beyond the end charCodeAt gives NaN, which as an index gives undefined.
  const high = HEX_VALUES[value.charCodeAt(at)] ?? -1;
  const low = HEX_VALUES[value.charCodeAt(at + 1)] ?? -1;
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** Decoding needs room only while it runs; most values fit in here. */
const scratch = Buffer.alloc(8192);

/**
 * Decodes a URL-encoded value. Never throws: a `%` that begins no valid code stays as it is, and bytes that are no
 * UTF-8 become U+FFFD. Byte by byte, because this runs for every value that control reads of every event.
 */
export function decodeValue(value: string): string {
  let at = value.indexOf('%');
  if (at === -1) return value;
  const bytes = value.length * 3 <= scratch.length ? scratch : Buffer.alloc(value.length * 3);
  let size = bytes.write(value.slice(0, at), 0, 'utf8');
  while (at < value.length) {
    const code = value.charCodeAt(at);
    const byte = code === 0x25 ? hexPair(value, at + 1) : code;
    if (byte >= 0 && (byte < 0x80 || code === 0x25)) {
      bytes[size] = byte;
      size += 1;
      at += code === 0x25 ? 3 : 1;
    } else {
      // A lone `%`, or text that came unencoded: it goes on as it is up to the next `%`.
      const next = value.indexOf('%', at + 1);
      const end = next === -1 ? value.length : next;
      size += bytes.write(value.slice(at, end), size, 'utf8');
      at = end;
    }
  }
  return bytes.toString('utf8', 0, size);
}

/**
 * A block of `Name: value` lines. Of most events few values are read and of many none, so lines are indexed at the
 * first question that the first line can't answer, and values are decoded when they are asked for.
 */
export class HeaderBlock {
  readonly #text: string;
  #index: Map<string, string> | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first line as it came; for a command it is the command itself. */
  get firstLine(): string {
    return this.#text.slice(0, lineEnd(this.#text, 0));
  }

  /** The value as it came, still encoded; names are compared exactly, then without regard to case. */
  raw(name: string): string | undefined {
    const exact = this.#find(name);
    if (exact !== undefined) return exact;
    const lower = name.toLowerCase();
    for (const [key, value] of this.#indexed()) if (key.toLowerCase() === lower) return value;
    return undefined;
  }

  /** The URL-decoded value, or undefined when there is no such header. */
  get(name: string): string | undefined {
    const value = this.#find(name);
    return value === undefined ? undefined : decodeValue(value);
  }

  /** All names, in the order in which they came. */
  names(): IterableIterator<string> {
    return this.#indexed().keys();
  }

  /** All lines in their order, values decoded; a name that came twice is there twice. */
  *entries(): Generator<[string, string], void, undefined> {
    for (const [name, value] of headerLines(this.#text)) yield [name, decodeValue(value)];
  }

  /** All headers, decoded. */
  toObject(): Record<string, string> {
    const result: Record<string, string> = {};
    for (const [name, value] of this.#indexed()) result[name] = decodeValue(value);
    return result;
  }

  #find(name: string): string | undefined {
    // What an event is called stands in its first line: an event that nobody reads further is never indexed.
    if (this.#index === undefined && this.#text.startsWith(`${name}: `)) {
      return this.#text.slice(name.length + 2, lineEnd(this.#text, 0));
    }
    return this.#indexed().get(name);
  }

  #indexed(): Map<string, string> {
    if (this.#index !== undefined) return this.#index;
    const index = new Map<string, string>();
    for (const [name, value] of headerLines(this.#text)) {
      // The first of several equal names counts, as in FreeSWITCH's own reader.
      if (!index.has(name)) index.set(name, value);
    }
    this.#index = index;
    return index;
  }
}

/** Where the line that begins at `from` ends, without its line break. */
function lineEnd(text: string, from: number): number {
  const found = text.indexOf('\n', from);
  const end = found === -1 ? text.length : found;
  return end > from && text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
}

/** The names and still encoded values of all lines that have both. */
function headerLines(text: string): [string, string][] {
  const lines: [string, string][] = [];
  for (let from = 0; from < text.length; ) {
    const to = lineEnd(text, from);
    const colon = text.indexOf(':', from);
    if (colon > from && colon < to) {
      const valueFrom = text.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1;
      lines.push([text.slice(from, colon), text.slice(valueFrom, to)]);
    }
    from = text.charCodeAt(to) === CARRIAGE_RETURN ? to + 2 : to + 1;
  }
  return lines;
}

/** One message of the socket. The body is empty when there is none. */
export interface WireFrame {
  readonly headers: HeaderBlock;
  readonly body: Buffer;
}

/** Sizes beyond which a peer is taken for broken, in bytes. */
export interface WireLimits {
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
}

/** Generous for every answer of a real switch: `show channels` of thousands of calls is a few megabytes. */
export const defaultWireLimits: WireLimits = { maxHeaderBytes: 64 * 1024, maxBodyBytes: 64 * 1024 * 1024 };

/** What one read brought. After an `error` the stream can't be understood any more: close it. */
export interface WireReadResult {
  readonly frames: readonly WireFrame[];
  readonly error?: string;
}

const EMPTY = Buffer.alloc(0);

/** Where the empty line after a header block ends and begins, searched from `from`; undefined when it isn't there. */
function findBlockEnd(data: Buffer, from: number): { textEnd: number; next: number } | undefined {
  let at = data.indexOf(LINE_FEED, from);
  while (at !== -1) {
    if (data[at + 1] === LINE_FEED) return { textEnd: at, next: at + 2 };
    if (data[at + 1] === CARRIAGE_RETURN && data[at + 2] === LINE_FEED) return { textEnd: at, next: at + 3 };
    at = data.indexOf(LINE_FEED, at + 1);
  }
  return undefined;
}

function parseLength(raw: string | undefined, max: number): number | undefined {
  if (raw === undefined) return 0;
  const trimmed = raw.trim();
  if (!/^\d{1,12}$/.test(trimmed)) return undefined;
  const length = Number(trimmed);
  return length <= max ? length : undefined;
}

/** Cuts a byte stream into frames, however the bytes are fragmented. Holds at most one frame's worth of bytes. */
export class FrameReader {
  readonly #limits: WireLimits;
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** How many bytes must be there before another look makes sense. */
  #wanted = 1;
  #scanned = 0;
  #headers: HeaderBlock | undefined;
  #bodyBytes = 0;
  #error: string | undefined;

  constructor(limits: WireLimits = defaultWireLimits) {
    this.#limits = limits;
  }

  /** Takes the next bytes of the stream and gives the frames that they complete. */
  push(chunk: Uint8Array): WireReadResult {
    if (this.#error !== undefined) return { frames: [], error: this.#error };
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#buffered += chunk.byteLength;
    if (this.#buffered < this.#wanted) return { frames: [] };
    let data = this.#chunks.length === 1 ? (this.#chunks[0] ?? EMPTY) : Buffer.concat(this.#chunks);
    const frames: WireFrame[] = [];
    for (;;) {
      const rest = this.#step(data, frames);
      if (rest === undefined) break;
      data = rest;
    }
    this.#chunks = data.length > 0 ? [data] : [];
    this.#buffered = data.length;
    return this.#error === undefined ? { frames } : { frames, error: this.#error };
  }

  /** Takes one header block or one body from the front; undefined when more bytes are needed or all is lost. */
  #step(data: Buffer, frames: WireFrame[]): Buffer | undefined {
    if (this.#headers !== undefined) {
      if (data.length < this.#bodyBytes) {
        this.#wanted = this.#bodyBytes;
        return undefined;
      }
      frames.push({ headers: this.#headers, body: data.subarray(0, this.#bodyBytes) });
      this.#headers = undefined;
      this.#wanted = 1;
      return data.subarray(this.#bodyBytes);
    }
    return this.#stepHeaders(data, frames);
  }

  #stepHeaders(data: Buffer, frames: WireFrame[]): Buffer | undefined {
    let start = 0;
    // Empty lines between frames mean nothing; people who type by hand leave them.
    while (data[start] === LINE_FEED || data[start] === CARRIAGE_RETURN) start += 1;
    if (start > 0) {
      this.#scanned = 0;
      return data.subarray(start);
    }
    const end = findBlockEnd(data, this.#scanned);
    if (end === undefined || end.textEnd > this.#limits.maxHeaderBytes) {
      if (data.length > this.#limits.maxHeaderBytes) this.#error = 'header block too long';
      // The end may straddle two chunks: look at the last bytes again.
      this.#scanned = Math.max(0, data.length - 2);
      this.#wanted = data.length + 1;
      return undefined;
    }
    this.#scanned = 0;
    this.#wanted = 1;
    const headers = new HeaderBlock(data.toString('utf8', 0, end.textEnd));
    const length = parseLength(headers.raw('Content-Length'), this.#limits.maxBodyBytes);
    if (length === undefined) {
      this.#error = 'Content-Length is not a number or too big';
      return undefined;
    }
    if (length === 0) {
      frames.push({ headers, body: EMPTY });
    } else {
      this.#headers = headers;
      this.#bodyBytes = length;
    }
    return data.subarray(end.next);
  }
}

/** Reads the body of a `text/event-plain` frame: the event's own headers and, where it has one, its own body. */
export function parsePlainEvent(frameBody: Buffer): WireFrame {
  const end = findBlockEnd(frameBody, 0);
  if (end === undefined) return { headers: new HeaderBlock(frameBody.toString('utf8')), body: EMPTY };
  const headers = new HeaderBlock(frameBody.toString('utf8', 0, end.textEnd));
  // Most events end here; looking for their length would mean to index every one of them.
  if (end.next >= frameBody.length) return { headers, body: EMPTY };
  const length = parseLength(headers.raw('Content-Length'), frameBody.length - end.next);
  return { headers, body: length === undefined ? EMPTY : frameBody.subarray(end.next, end.next + length) };
}

/** Whether a command argument would break the line protocol (contract: refused, never escaped). */
export function hasForbiddenCharacters(argument: string): boolean {
  for (let index = 0; index < argument.length; index += 1) {
    const code = argument.charCodeAt(index);
    if (code === LINE_FEED || code === CARRIAGE_RETURN || code === 0) return true;
  }
  return false;
}

/** A frame of `Name: value` lines, values as they are, with a body when one is given. */
export function encodeFrame(headers: ReadonlyArray<readonly [string, string]>, body?: Buffer | string): Buffer {
  let text = '';
  for (const [name, value] of headers) text += `${name}: ${value}\n`;
  if (body === undefined) return Buffer.from(`${text}\n`, 'utf8');
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  return Buffer.concat([Buffer.from(`Content-Length: ${bytes.length}\n${text}\n`, 'utf8'), bytes]);
}

/** An event as `text/event-plain`, ready for the socket: serialised once for all who listen. */
export function encodePlainEvent(headers: Iterable<readonly [string, string]>, body?: string): Buffer {
  let inner = '';
  for (const [name, value] of headers) inner += `${name}: ${encodeValue(value)}\n`;
  if (body !== undefined) inner += `Content-Length: ${Buffer.byteLength(body, 'utf8')}\n`;
  return encodeFrame([['Content-Type', 'text/event-plain']], `${inner}\n${body ?? ''}`);
}
