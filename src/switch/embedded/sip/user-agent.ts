/** Sorts the requests of one SIP side: inside a dialog to its call, outside to the switch. */
import type { Clock } from '../../../kernel/clock.ts';
import { tagOf } from './dialog.ts';
import { type EndpointOptions, SipEndpoint } from './endpoint.ts';
import type { SipRequest } from './message.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { SessionTimerPolicy } from './session-timer.ts';
import { parseUri } from './values.ts';

/** One end of a dialog. */
export interface DialogParty {
  readonly callId: string;
  readonly localTag: string;
  matches(request: SipRequest): boolean;
  receive(transaction: ServerTransaction): void;
  receiveAck(request: SipRequest): void;
}

export interface UserAgentHandlers {
  /** Whether requests from that address are served at all; false is answered 403. */
  admits(address: string): boolean;
  onInvite(transaction: ServerTransaction): void;
  /** Undefined where nobody registers (405). */
  readonly onRegister: ((transaction: ServerTransaction) => void) | undefined;
}

function partyKey(callId: string, localTag: string): string {
  return `${callId}\n${localTag}`;
}

export class SipUserAgent {
  readonly endpoint: SipEndpoint;
  readonly clock: Clock;
  readonly timerPolicy: SessionTimerPolicy;
  readonly #handlers: UserAgentHandlers;
  readonly #parties = new Map<string, DialogParty>();
  readonly #idleWaiters: Array<() => void> = [];

  constructor(options: EndpointOptions, timerPolicy: SessionTimerPolicy, handlers: UserAgentHandlers) {
    this.clock = options.clock;
    this.timerPolicy = timerPolicy;
    this.#handlers = handlers;
    this.endpoint = new SipEndpoint(options, {
      onRequest: (transaction) => this.#receive(transaction),
      onAck: (request) => this.#find(request)?.receiveAck(request),
    });
  }

  /** How many dialogs are open, or still ending. */
  get dialogs(): number {
    return this.#parties.size;
  }

  add(party: DialogParty): void {
    this.#parties.set(partyKey(party.callId, party.localTag), party);
  }

  remove(party: DialogParty): void {
    this.#parties.delete(partyKey(party.callId, party.localTag));
    if (this.#parties.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Resolves when no dialog is open any more. */
  whenIdle(): Promise<void> {
    if (this.#parties.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  #find(request: SipRequest): DialogParty | undefined {
    const toTag = tagOf(request.headers.get('to'));
    if (toTag === '') return undefined;
    const party = this.#parties.get(partyKey(request.headers.get('call-id') ?? '', toTag));
    return party?.matches(request) === true ? party : undefined;
  }

  #receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.headers.get('max-forwards') === '0' && request.method !== 'OPTIONS') {
      // RFC 3261 section 16.3: we are an end, but a loop of switches must come to its own end as well.
      transaction.respondOnce(483);
      return;
    }
    if (tagOf(request.headers.get('to')) !== '') {
      const party = this.#find(request);
      if (party === undefined) transaction.respondOnce(481);
      else party.receive(transaction);
      return;
    }
    if (!this.#handlers.admits(transaction.flow.remoteAddress)) {
      this.endpoint.noteStranger(transaction.flow.remoteAddress);
      transaction.respondOnce(403);
      return;
    }
    this.#receiveOutOfDialog(transaction);
  }

  #receiveOutOfDialog(transaction: ServerTransaction): void {
    const { request } = transaction;
    const required = request.headers.all('require').join(', ');
    if (parseUri(request.uri) === undefined) transaction.respondOnce(416);
    else if (required !== '') transaction.respondOnce(420, { headers: [['Unsupported', required]] });
    else if (request.method === 'OPTIONS') {
      transaction.respondOnce(200, { headers: [this.endpoint.allow, ['Accept', 'application/sdp']] });
    } else if (request.method === 'INVITE') this.#handlers.onInvite(transaction);
    else if (request.method === 'REGISTER' && this.#handlers.onRegister !== undefined) {
      this.#handlers.onRegister(transaction);
    } else if (request.method === 'BYE' || request.method === 'INFO') transaction.respondOnce(481);
    else transaction.respondOnce(405, { headers: [this.endpoint.allow] });
  }
}
