/** Matches messages to transactions (RFC 3261 sections 17.1.3 and 17.2.3) and makes new ones. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../kernel/clock.ts';
import { type ClientHandlers, ClientTransaction } from './client-transaction.ts';
import type { Flow } from './flow.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { ServerTransaction } from './server-transaction.ts';
import { listValues, parseCSeq, parseNameAddress, parseVia } from './values.ts';

/** RFC 3261 section 8.1.1.7: branches that begin so are unique by themselves. */
export const MAGIC_COOKIE = 'z9hG4bK';
/** With more at once the switch is far beyond what it can serve; new requests are answered 503 without memory. */
const MAX_TRANSACTIONS = 20_000;

export interface LayerHandlers {
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that belongs to no transaction of ours: that of a 2xx. */
  onAck(request: SipRequest, flow: Flow): void;
  /** A request from there was refused without being remembered. */
  onRefused(flow: Flow): void;
  /** The sender of a request has proved who he is. */
  onTrusted(flow: Flow): void;
}

/** A fresh tag or branch: 72 random bits are unguessable and unique (section 19.3 asks for 32). */
export function randomToken(): string {
  return randomBytes(9).toString('base64url');
}

export class TransactionLayer {
  readonly #clock: Clock;
  readonly #handlers: LayerHandlers;
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #clients = new Map<string, ClientTransaction>();
  /** Call-ID, From tag and CSeq of INVITEs being served, to find merged ones (section 8.2.2.2). */
  readonly #invites = new Map<string, ServerTransaction>();

  constructor(clock: Clock, handlers: LayerHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
  }

  get size(): number {
    return this.#servers.size + this.#clients.size;
  }

  #serverKey(request: SipRequest, method: string): string {
    const top = listValues(request.headers.all('via').slice(0, 1))[0] ?? '';
    const via = parseVia(top);
    const branch = via?.parameters.get('branch') ?? '';
    // The cookie alone is no branch: all requests of such a peer would be one (RFC 4475 section 3.2.1).
    if (branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length) {
      return `${branch}|${via?.host ?? ''}:${via?.port ?? 5060}|${method}`;
    }
    // RFC 2543 peers: what else makes a request unlike others (section 17.2.3).
    const number = parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 0;
    return `${top}|${request.headers.get('call-id') ?? ''}|${number}|${request.headers.get('from') ?? ''}|${method}`;
  }

  #mergeKey(request: SipRequest): string {
    const fromTag = parseNameAddress(request.headers.get('from') ?? '')?.parameters.get('tag') ?? '';
    return `${request.headers.get('call-id') ?? ''}|${fromTag}|${request.headers.get('cseq') ?? ''}`;
  }

  /** Takes a sound request. `replyFlow` is where its responses go. */
  receiveRequest(request: SipRequest, replyFlow: Flow): void {
    const key = this.#serverKey(request, request.method === 'ACK' ? 'INVITE' : request.method);
    const existing = this.#servers.get(key);
    if (request.method === 'ACK') {
      if (existing?.state === 'completed') existing.receiveAck();
      else if (existing?.state !== 'confirmed') this.#handlers.onAck(request, replyFlow);
      return;
    }
    if (existing !== undefined) {
      existing.receiveRetransmission();
      return;
    }
    const transaction = this.#serve(request, replyFlow, key);
    if (this.size > MAX_TRANSACTIONS) transaction.respondOnce(503, { headers: [['Retry-After', '5']] });
    else if (request.method === 'CANCEL') this.#cancel(transaction);
    else if (request.method === 'INVITE' && !this.#noteInvite(transaction)) transaction.respond(482);
    else this.#hand(transaction);
  }

  #hand(transaction: ServerTransaction): void {
    try {
      this.#handlers.onRequest(transaction);
    } catch (error) {
      // The endpoint logs it; the far end gets an answer instead of its own time-out.
      transaction.respond(500);
      throw error;
    }
  }

  #serve(request: SipRequest, flow: Flow, key: string): ServerTransaction {
    const transaction = new ServerTransaction({
      request,
      flow,
      clock: this.#clock,
      localTag: randomToken(),
      onRefused: () => this.#handlers.onRefused(flow),
      onTrusted: () => this.#handlers.onTrusted(flow),
      onTerminated: () => {
        this.#servers.delete(key);
        if (request.method !== 'INVITE') return;
        const mergeKey = this.#mergeKey(request);
        if (this.#invites.get(mergeKey) === transaction) this.#invites.delete(mergeKey);
      },
    });
    this.#servers.set(key, transaction);
    return transaction;
  }

  /** False when the same INVITE came on another way already; it would ring twice. */
  #noteInvite(transaction: ServerTransaction): boolean {
    const mergeKey = this.#mergeKey(transaction.request);
    if (this.#invites.has(mergeKey)) return false;
    this.#invites.set(mergeKey, transaction);
    return true;
  }

  #cancel(transaction: ServerTransaction): void {
    const invite = this.#servers.get(this.#serverKey(transaction.request, 'INVITE'));
    if (invite === undefined) {
      transaction.respondOnce(481);
      return;
    }
    // The CANCEL itself succeeds even when the INVITE has been answered: it then has no effect (section 9.2).
    transaction.respond(200);
    if (!invite.answered) invite.onCancel?.();
  }

  /** Sends a request in a new client transaction; the Via is put in front here. */
  send(request: SipRequest, flow: Flow, viaSentBy: string, handlers: ClientHandlers): ClientTransaction {
    const branch = `${MAGIC_COOKIE}${randomToken()}`;
    return this.#startClient(request, flow, viaSentBy, branch, handlers);
  }

  /** Sends the CANCEL of an INVITE: same branch, same CSeq number (section 9.1). */
  sendCancel(invite: ClientTransaction, cancel: SipRequest, handlers: ClientHandlers): void {
    const key = `${parseVia(invite.request.headers.get('via') ?? '')?.parameters.get('branch') ?? ''}|CANCEL`;
    cancel.headers.prepend('Via', invite.request.headers.get('via') ?? '');
    this.#register(key, cancel, invite.flow, handlers);
  }

  #startClient(
    request: SipRequest,
    flow: Flow,
    viaSentBy: string,
    branch: string,
    handlers: ClientHandlers,
  ): ClientTransaction {
    // rport asks the far end to answer to where the request came from (RFC 3581).
    request.headers.prepend('Via', `SIP/2.0/${flow.protocol.toUpperCase()} ${viaSentBy};branch=${branch};rport`);
    return this.#register(`${branch}|${request.method}`, request, flow, handlers);
  }

  #register(key: string, request: SipRequest, flow: Flow, handlers: ClientHandlers): ClientTransaction {
    const transaction = new ClientTransaction({
      request,
      flow,
      clock: this.#clock,
      handlers,
      onTerminated: () => this.#clients.delete(key),
    });
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  /** Takes a sound response; one that belongs to nothing of ours is dropped (section 18.1.2). */
  receiveResponse(response: SipResponse): boolean {
    const via = parseVia(listValues(response.headers.all('via').slice(0, 1))[0] ?? '');
    const method = parseCSeq(response.headers.get('cseq') ?? '')?.method ?? '';
    const transaction = this.#clients.get(`${via?.parameters.get('branch') ?? ''}|${method}`);
    transaction?.receive(response);
    return transaction !== undefined;
  }
}
