import type { Clock, Timer } from '../../kernel/clock.ts';
import { err, ok, type Result } from '../../kernel/result.ts';
import type { SwitchFailure } from '../port.ts';
import { Fifo } from './fifo.ts';

/** The answer to a command: `Reply-Text`, or the body of an `api/response`. */
export type EslReply = Result<string, SwitchFailure>;

interface Waiting {
  /** Undefined once the command's time was up: the entry stays as a tombstone that swallows the late reply. */
  settle: ((reply: EslReply) => void) | undefined;
  readonly timer: Timer;
}

/**
 * Pairs replies with commands. The Event Socket has no reply ids: the n-th reply belongs to the n-th command. So a
 * command whose time is up must keep its place, or its late reply would be taken for the next command's.
 */
export class ReplyQueue {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #waiting = new Fifo<Waiting>();

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Commands without a reply, tombstones included. */
  get size(): number {
    return this.#waiting.size;
  }

  get full(): boolean {
    return this.size >= this.#limit;
  }

  /** Takes the next place; call it in the same turn in which the command is written. */
  expect(what: string, deadlineMs: number): Promise<EslReply> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(deadlineMs, () => {
        entry.settle = undefined;
        resolve(err({ kind: 'deadline', message: `${what}: no reply within ${deadlineMs} ms` }));
      });
      const entry: Waiting = { settle: resolve, timer };
      this.#waiting.push(entry);
    });
  }

  /** Gives a reply to the oldest command; false when none waits (the peer and we are out of step). */
  deliver(text: string): boolean {
    const entry = this.#waiting.take();
    if (entry === undefined) return false;
    entry.timer.cancel();
    entry.settle?.(ok(text));
    return true;
  }

  /** Ends every waiting command: the link is gone and whether they happened is not known. */
  failAll(message: string): void {
    for (const entry of this.#waiting.takeAll()) {
      entry.timer.cancel();
      entry.settle?.(err({ kind: 'link-down', message }));
    }
  }
}
