import type { Clock, Timer } from '../../kernel/clock.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { FallbackMessage } from './fallback-messages.ts';

export interface MessageCollectorOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** All messages that the dialplan has taken so far. */
  readonly find: () => Promise<readonly FallbackMessage[]>;
  /** Resolves when the calls are stored as they are now. */
  readonly stored: () => Promise<void>;
  /** Puts those who are owed a call on the list, each once. @returns how many were new */
  readonly add: (messages: readonly FallbackMessage[]) => Promise<number>;
}

const retryMs = 30_000;

/**
 * Citizens whom the dialplan treated alone go on the call-back list. One collection runs at a time; one that was asked
 * for meanwhile follows it, and one that failed (the database is gone) is tried again.
 */
export class MessageCollector {
  readonly #options: MessageCollectorOptions;
  #running = false;
  #again = false;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: MessageCollectorOptions) {
    this.#options = options;
  }

  /** Never waits; what goes wrong is logged and tried again. */
  collect(): void {
    this.#retry?.cancel();
    this.#again = true;
    if (!this.#running && !this.#closed) void this.#work();
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    const { clock, log } = this.#options;
    this.#running = true;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#collectOnce();
      } catch (error) {
        if (this.#closed) break;
        const words = 'messages of the dialplan could not be collected; tried again in a moment';
        log.error({ error: errorChain(error), retryMs }, words);
        this.#retry?.cancel();
        this.#retry = clock.setTimer(retryMs, () => this.collect());
      }
    }
    this.#running = false;
  }

  async #collectOnce(): Promise<void> {
    const { find, stored, add, log } = this.#options;
    await stored();
    const added = await add(await find());
    if (added === 0) return;
    const words = 'citizens left messages while control did not take their calls; they are on the call-back list';
    log.warn({ added }, words);
  }
}
