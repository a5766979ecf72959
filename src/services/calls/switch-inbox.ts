import type { Logger } from '../../kernel/log.ts';
import type { LinkEvent, SwitchEvent } from '../../switch/port.ts';

type LinkUp = Extract<LinkEvent, { type: 'linkUp' }>;

/** What is done with the switch's news. */
export interface InboxHandler {
  leg(event: SwitchEvent): void;
  /** Brings calls and legs to agree; takes as long as store and switch do. */
  agree(event: LinkUp): Promise<void>;
}

type Held =
  | { readonly leg: SwitchEvent }
  | { readonly link: LinkUp; readonly done: () => void; readonly failed: (error: unknown) => void };

/** Far more than a switch tells in the seconds that it takes to agree with it. */
const heldLimit = 20_000;

/**
 * The switch's news in their order. While calls and legs are being brought to agree, later news wait: an event of a leg
 * whose call is still on its way out of the store would be taken for a stranger's.
 */
export class SwitchInbox {
  readonly #handler: InboxHandler;
  readonly #log: Logger;
  readonly #held: Held[] = [];
  #agreeing = false;

  constructor(handler: InboxHandler, log: Logger) {
    this.#handler = handler;
    this.#log = log;
  }

  leg(event: SwitchEvent): void {
    if (!this.#agreeing) this.#handler.leg(event);
    else if (this.#held.length < heldLimit) this.#held.push({ leg: event });
    else this.#log.error({ leg: event.leg, limit: heldLimit }, 'event refused: too many wait for the calls’ return');
  }

  /** Resolves when calls and legs agree; rejects when they could not be brought to. */
  linkUp(link: LinkUp): Promise<void> {
    return new Promise((done, failed) => {
      this.#held.push({ link, done, failed });
      if (!this.#agreeing) void this.#work();
    });
  }

  /** Never rejects: a failed agreement is told to whoever asked for it. */
  async #work(): Promise<void> {
    this.#agreeing = true;
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) {
      if ('leg' in next) this.#handler.leg(next.leg);
      else await this.#handler.agree(next.link).then(next.done, next.failed);
    }
    this.#agreeing = false;
  }
}
