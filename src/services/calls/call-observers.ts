import type { AgentPart, Call, CallEvent } from '../../domain/call/call.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';

/** Who watches calls: the desks, the metrics. Called after each step, in the call's own order; must not throw or wait. */
export interface CallObserver {
  onCall(before: Call | undefined, after: Call, event: CallEvent | undefined): void;
  onOffer(call: Call, agent: AgentPart): void;
  onOfferGone(call: Call, agent: AgentPart, reason: string): void;
  onConsult(call: Call): void;
  /** One line for the call's agent, or for the person `to`. */
  onNotice(call: Call, text: string, to?: string): void;
}

/** All who watch. One watcher's mistake is logged and can't stop a call. */
export class CallObservers {
  readonly #all: CallObserver[] = [];
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(observer: CallObserver): void {
    this.#all.push(observer);
  }

  tell(tell: (observer: CallObserver) => void): void {
    for (const observer of this.#all) {
      try {
        tell(observer);
      } catch (error) {
        this.#log.error({ error: errorChain(error) }, 'a call observer failed');
      }
    }
  }
}
