/** A call that somebody else's INVITE began: our side is the UAS (RFC 3261 section 13.3). */
import type { RemoteMedia } from '../media/api.ts';
import type { LocalMedia, SipCall, SipCallHandlers, SipEnd } from './call.ts';
import { readReason, reasonHeader } from './call.ts';
import { Dialog } from './dialog.ts';
import { DialogUsage, LocalSession } from './dialog-usage.ts';
import type { SipRequest } from './message.ts';
import { type ReadSdp, readSdp } from './sdp.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { DialogParty, SipUserAgent } from './user-agent.ts';

export interface InboundCallOptions {
  readonly agent: SipUserAgent;
  readonly transaction: ServerTransaction;
  /** The caller's offer; undefined when there is none that we can use. */
  readonly offer: ReadSdp | undefined;
  readonly handlers: SipCallHandlers;
  readonly onRecvCancel?: () => void;
}

export class InboundCall implements SipCall, DialogParty {
  readonly callId: string;
  readonly localTag: string;
  readonly #options: InboundCallOptions;
  readonly #session = new LocalSession();
  readonly #usage: DialogUsage;
  #media: LocalMedia | undefined;
  #earlyBody: string | undefined;
  #acknowledged = false;
  /** What to do once the ACK is here: a BYE must not overtake it (section 15). */
  #afterAck: (() => void) | undefined;
  #over = false;

  constructor(options: InboundCallOptions) {
    this.#options = options;
    const { agent, transaction, handlers } = options;
    this.callId = transaction.request.headers.get('call-id') ?? '';
    this.localTag = transaction.localTag;
    const dialog = Dialog.fromRequest(transaction.request, transaction.localTag, transaction.flow);
    this.#usage = new DialogUsage({
      endpoint: agent.endpoint,
      dialog,
      session: this.#session,
      handlers,
      clock: agent.clock,
      timerPolicy: agent.timerPolicy,
      localMedia: () => this.#media,
      onBye: (q850) => this.#receiveBye(q850),
      onExpired: (end) => this.#end(end),
      onNoAck: () => this.#loseFarEnd(),
    });
    transaction.onCancel = () => this.#receiveCancel();
    transaction.onNoAck = () => this.#loseFarEnd();
    agent.add(this);
  }

  get #invite(): ServerTransaction {
    return this.#options.transaction;
  }

  get #contact(): ReadonlyArray<readonly [string, string]> {
    const { endpoint } = this.#options.agent;
    return [['Contact', endpoint.contact(this.#invite.flow)], endpoint.allow];
  }

  /** Says 180. */
  ring(): void {
    this.#invite.respond(180, { headers: this.#contact });
  }

  /** Says 183 with our media, so that the caller hears before the answer; needs an offer. */
  startEarlyMedia(media: LocalMedia): void {
    if (this.#options.offer === undefined || this.#invite.answered) return;
    this.#media = media;
    this.#earlyBody ??= this.#session.answer(media, this.#options.offer);
    this.#invite.respond(183, { headers: this.#contact, body: this.#earlyBody });
  }

  /** Says 200. */
  answer(media: LocalMedia): void {
    this.#media = media;
    const { offer } = this.#options;
    const body =
      this.#earlyBody ?? (offer === undefined ? this.#session.offer(media) : this.#session.answer(media, offer));
    const agreed = this.#usage.keeper.answer(this.#invite.request.headers);
    this.#invite.respond(200, { headers: [...this.#contact, ...agreed], body });
  }

  /** Whether it can be answered: by answering a sound offer, or by making one where the INVITE has none. */
  get usable(): boolean {
    return this.#options.offer !== undefined || this.#invite.request.body === '';
  }

  get remote(): RemoteMedia | undefined {
    return this.#options.offer?.remote;
  }

  hangup(cause: { readonly sipStatus: number; readonly q850: number; readonly word: string }): SipEnd {
    if (this.#over) return { disposition: 'none' };
    this.#over = true;
    if (!this.#invite.answered) {
      this.#invite.respond(cause.sipStatus, { headers: [reasonHeader(cause.q850, cause.word)] });
      this.#forget();
      return { disposition: 'send_refuse', status: cause.sipStatus };
    }
    const bye = (): void => this.#usage.bye(cause.q850, cause.word, () => this.#forget());
    if (this.#acknowledged) bye();
    else this.#afterAck = bye;
    return { disposition: 'send_bye' };
  }

  #receiveCancel(): void {
    const q850 = readReason(this.#invite.request.headers.all('reason'));
    this.#invite.respond(487);
    this.#end({ disposition: 'recv_cancel', status: 487, ...(q850 === undefined ? {} : { q850 }) });
  }

  #receiveBye(q850: number | undefined): void {
    // BYE in an early dialog is the caller's other way to give up (section 15).
    if (!this.#invite.answered) this.#invite.respond(487);
    this.#end({ disposition: 'recv_bye', status: 200, ...(q850 === undefined ? {} : { q850 }) });
  }

  /** Our 2xx was never acknowledged: section 13.3.1.4 asks for a BYE. */
  #loseFarEnd(): void {
    this.#usage.bye(102, 'RECOVERY_ON_TIMER_EXPIRE', () => this.#forget());
    if (this.#over) return;
    this.#over = true;
    this.#options.handlers.onEnded({ disposition: 'send_bye', timedOut: true });
  }

  #end(end: SipEnd): void {
    this.#forget();
    if (this.#over) return;
    this.#over = true;
    this.#options.handlers.onEnded(end);
  }

  #forget(): void {
    this.#options.agent.remove(this);
  }

  matches(request: SipRequest): boolean {
    return this.#usage.matches(request);
  }

  receive(transaction: ServerTransaction): void {
    if (this.#over && transaction.request.method !== 'BYE') transaction.respond(481);
    else this.#usage.receive(transaction);
  }

  receiveAck(request: SipRequest): void {
    if (this.#usage.receiveAck(request) || !this.#invite.answered) return;
    this.#invite.receiveAck();
    const first = !this.#acknowledged;
    this.#acknowledged = true;
    if (!first) return;
    if (this.#afterAck !== undefined) {
      this.#afterAck();
      return;
    }
    if (this.#options.offer !== undefined || this.#over) return;
    const answer = readSdp(request.body);
    if (answer !== undefined) {
      this.#options.handlers.onRemoteMedia(answer.remote);
      return;
    }
    // An ACK that owes an answer and brings none leaves nothing to talk over (section 13.2.2.4).
    this.#over = true;
    this.#usage.bye(88, 'INCOMPATIBLE_DESTINATION', () => this.#forget());
    this.#options.handlers.onEnded({ disposition: 'send_bye', q850: 88 });
  }
}
