/** What waits to be written to one client: bounded, so that a slow reader costs itself and nobody else. */
import type { Socket } from 'node:net';

/** So many waiting events mean that the client does not read (FreeSWITCH's own queue is as deep). */
export const MAX_QUEUED_EVENTS = 100_000;
/** Waiting frames are joined into writes of about this size. */
const WRITE_BATCH_BYTES = 256 * 1024;

export class Outbox {
  readonly #socket: Socket;
  readonly #onOverflow: () => void;
  #waiting: Buffer[] = [];
  #blocked = false;
  #overflown = false;

  /** `onOverflow` is called once; nothing is written after it. */
  constructor(socket: Socket, onOverflow: () => void) {
    this.#socket = socket;
    this.#onOverflow = onOverflow;
    socket.on('drain', () => this.#drain());
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  push(frame: Buffer): void {
    if (this.#overflown || !this.#socket.writable) return;
    if (!this.#blocked) {
      this.#blocked = !this.#socket.write(frame);
      return;
    }
    if (this.#waiting.length >= MAX_QUEUED_EVENTS) {
      this.#overflown = true;
      this.#waiting = [];
      this.#onOverflow();
      return;
    }
    this.#waiting.push(frame);
  }

  #drain(): void {
    this.#blocked = false;
    let from = 0;
    while (!this.#blocked && from < this.#waiting.length) {
      let bytes = 0;
      let to = from;
      while (to < this.#waiting.length && bytes < WRITE_BATCH_BYTES) {
        bytes += this.#waiting[to]?.length ?? 0;
        to += 1;
      }
      this.#blocked = !this.#socket.write(Buffer.concat(this.#waiting.slice(from, to)));
      from = to;
    }
    this.#waiting = from === this.#waiting.length ? [] : this.#waiting.slice(from);
  }
}
