/** Cuts a TCP stream into SIP messages by Content-Length (RFC 3261 section 18.3). */
import { announcedLength, findHead, MAX_BODY_BYTES, MAX_HEAD_BYTES, parseHeaders } from './parse.ts';

const EMPTY = Buffer.alloc(0);

export interface StreamRead {
  readonly messages: readonly Buffer[];
  /** How many double line ends came between messages: each asks for one in return (RFC 5626 section 4.4.1). */
  readonly pings: number;
  /** The stream can't be followed any more: close it. */
  readonly error?: string;
}

/**
 * Holds at most one message's worth of bytes. A peer that sends byte by byte costs no more than one that sends all at
 * once: nothing is copied or searched twice.
 */
export class SipStreamReader {
  /** What has come and isn't cut out yet: a part of `#store` where there is one. */
  #data: Buffer = EMPTY;
  /** Has room behind `#data`, so that most pieces are only added. */
  #store: Buffer = EMPTY;
  #storeEnd = 0;
  #wanted = 1;
  /** Up to here there is no end of the head. */
  #searched = 0;

  push(chunk: Buffer): StreamRead {
    this.#append(chunk);
    const messages: Buffer[] = [];
    let pings = 0;
    while (this.#data.length >= this.#wanted) {
      const lineEnds = this.#skipLineEnds();
      pings += Math.floor(lineEnds / 4);
      if (this.#data.length === 0) break;
      const end = this.#findEnd();
      if (typeof end === 'string') return { messages, pings, error: end };
      if (end === undefined) break;
      if (end > this.#data.length) {
        this.#wanted = end;
        break;
      }
      messages.push(this.#data.subarray(0, end));
      this.#data = this.#data.subarray(end);
      this.#wanted = 1;
      this.#searched = 0;
    }
    return { messages, pings };
  }

  #append(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#data.length === 0) {
      this.#data = chunk;
      this.#store = EMPTY;
      this.#storeEnd = 0;
      return;
    }
    const size = this.#data.length + chunk.length;
    if (this.#store.length - this.#storeEnd < chunk.length) {
      this.#store = Buffer.allocUnsafe(size * 2);
      this.#storeEnd = this.#data.copy(this.#store);
    }
    // Messages that were given out lie before `#storeEnd`: they are never written over.
    this.#storeEnd += chunk.copy(this.#store, this.#storeEnd);
    this.#data = this.#store.subarray(this.#storeEnd - size, this.#storeEnd);
  }

  #skipLineEnds(): number {
    let count = 0;
    while (this.#data[count] === 0x0d || this.#data[count] === 0x0a) count += 1;
    if (count > 0) {
      this.#data = this.#data.subarray(count);
      this.#searched = 0;
    }
    return count;
  }

  /** Where the first message ends; undefined while its head isn't complete; a word when it never will be. */
  #findEnd(): number | undefined | string {
    const head = findHead(this.#data, this.#searched);
    if (head === undefined) {
      // The end may straddle two pieces: its last bytes are looked at again.
      this.#searched = Math.max(0, this.#data.length - 2);
      return this.#data.length > MAX_HEAD_BYTES ? 'headers too long' : undefined;
    }
    if (head.textEnd > MAX_HEAD_BYTES) return 'headers too long';
    const lines = this.#data.toString('utf8', 0, head.textEnd).split(/\r?\n/);
    const headers = parseHeaders(lines.slice(1).filter((line) => !/^[ \t]/.test(line)));
    if (typeof headers === 'string') return headers;
    const length = announcedLength(headers) ?? 0;
    if (Number.isNaN(length) || length > MAX_BODY_BYTES) return 'Content-Length unreadable or too big';
    return head.bodyStart + length;
  }
}
