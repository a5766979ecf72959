/** A call that our own INVITE begins: our side is the UAC (RFC 3261 section 13.2). */
import type { Clock } from '../../../kernel/clock.ts';
import type { LocalMedia, SipCall, SipCallHandlers, SipEnd } from './call.ts';
import { readReason, reasonHeader } from './call.ts';
import type { ClientTransaction } from './client-transaction.ts';
import { Dialog, tagOf } from './dialog.ts';
import { DialogUsage, LocalSession } from './dialog-usage.ts';
import type { Flow } from './flow.ts';
import { SipHeaders, type SipRequest, type SipResponse } from './message.ts';
import { readSdp } from './sdp.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { offeredHeaders, raised, type SessionTimerPolicy } from './session-timer.ts';
import { TRANSACTION_TIMEOUT_MS } from './timers.ts';
import { randomToken } from './transaction-layer.ts';
import type { DialogParty, SipUserAgent } from './user-agent.ts';

export interface OutboundCallOptions {
  readonly agent: SipUserAgent;
  readonly clock: Clock;
  readonly flow: Flow;
  /** Request-URI. */
  readonly uri: string;
  /** From and To values without tags. */
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly extraHeaders: ReadonlyArray<readonly [string, string]>;
  readonly media: LocalMedia;
  readonly handlers: SipCallHandlers;
}

export class OutboundCall implements SipCall, DialogParty {
  readonly callId: string;
  readonly localTag = randomToken();
  readonly #options: OutboundCallOptions;
  readonly #session = new LocalSession();
  #invite: ClientTransaction | undefined;
  #usage: DialogUsage | undefined;
  #sawProvisional = false;
  #cancelling = false;
  #cancelSent = false;
  #rang = false;
  #early = false;
  #over = false;
  /** The CSeq of the INVITE that counts: of the second one when the first was too short for the far end. */
  #sequence = 0;
  #timerPolicy: SessionTimerPolicy;

  constructor(options: OutboundCallOptions) {
    this.#options = options;
    this.callId = options.callId;
    this.#timerPolicy = options.agent.timerPolicy;
  }

  /** Sends the INVITE. */
  start(): void {
    const { agent, flow, uri, from, to, media } = this.#options;
    this.#sequence += 1;
    this.#sawProvisional = false;
    const headers = new SipHeaders()
      .add('Max-Forwards', '70')
      .add('From', `${from};tag=${this.localTag}`)
      .add('To', to)
      .add('Call-ID', this.callId)
      .add('CSeq', `${this.#sequence} INVITE`)
      .add('Contact', agent.endpoint.contact(flow))
      .add(...agent.endpoint.allow);
    for (const [name, value] of offeredHeaders(this.#timerPolicy)) headers.add(name, value);
    for (const [name, value] of this.#options.extraHeaders) headers.add(name, value);
    headers.add('Content-Type', 'application/sdp');
    const request: SipRequest = { kind: 'request', method: 'INVITE', uri, headers, body: this.#session.offer(media) };
    agent.add(this);
    this.#invite = agent.endpoint.request(request, flow, {
      onResponse: (response) => this.#receiveResponse(request, response),
      onFailure: (why) => {
        if (why === 'timeout') this.#end({ disposition: 'none', timedOut: true });
        else this.#end({ disposition: 'none', status: 503 });
      },
    });
  }

  #receiveResponse(request: SipRequest, response: SipResponse): void {
    if (response.status < 200) this.#receiveProvisional(response);
    else if (response.status < 300) this.#receiveSuccess(request, response);
    else {
      const policy = response.status === 422 ? raised(this.#timerPolicy, response.headers) : undefined;
      if (policy !== undefined && !this.#cancelling && !this.#over) {
        // RFC 4028 section 7.3: once more, with the interval that the far end can live with.
        this.#timerPolicy = policy;
        this.start();
        return;
      }
      const q850 = readReason(response.headers.all('reason'));
      this.#end({ disposition: 'recv_refuse', status: response.status, ...(q850 === undefined ? {} : { q850 }) });
    }
  }

  #receiveProvisional(response: SipResponse): void {
    this.#sawProvisional = true;
    if (this.#cancelling) {
      this.#sendCancel();
      return;
    }
    if (this.#over) return;
    if (response.body !== '' && !this.#early) {
      this.#early = true;
      this.#options.handlers.onEarlyMedia(readSdp(response.body)?.remote);
    }
    if (response.status === 180 && !this.#rang) {
      this.#rang = true;
      this.#options.handlers.onRinging();
    }
  }

  #receiveSuccess(request: SipRequest, response: SipResponse): void {
    const { agent, flow, handlers } = this.#options;
    const known = this.#usage?.dialog;
    if (known !== undefined && known.remoteTag === tagOf(response.headers.get('to'))) {
      // The same 200 once more: our ACK was lost on the way.
      this.#sendAck(known);
      return;
    }
    const dialog = Dialog.fromResponse(request, response, flow);
    const usage = this.#makeUsage(dialog);
    this.#sendAck(dialog);
    if (this.#over || known !== undefined) {
      // CANCEL and 200 crossed, or a second phone of a forked call answered: end what began (section 13.2.2.4).
      usage.bye(16, 'NORMAL_CLEARING', () => {
        if (this.#over) this.#forget();
      });
      return;
    }
    this.#usage = usage;
    usage.keeper.answered(response.headers);
    const answer = readSdp(response.body);
    if (answer !== undefined) {
      handlers.onAnswered(answer.remote);
      return;
    }
    this.#over = true;
    usage.bye(88, 'INCOMPATIBLE_DESTINATION', () => agent.remove(this));
    handlers.onEnded({ disposition: 'send_bye', q850: 88 });
  }

  #makeUsage(dialog: Dialog): DialogUsage {
    const { agent, handlers, media } = this.#options;
    return new DialogUsage({
      endpoint: agent.endpoint,
      dialog,
      session: this.#session,
      handlers,
      clock: this.#options.clock,
      timerPolicy: this.#timerPolicy,
      localMedia: () => media,
      onBye: (q850) => this.#end({ disposition: 'recv_bye', status: 200, ...(q850 === undefined ? {} : { q850 }) }),
      onExpired: (end) => this.#end(end),
      onNoAck: () => {
        this.#usage?.bye(102, 'RECOVERY_ON_TIMER_EXPIRE', () => this.#forget());
        this.#end({ disposition: 'send_bye', timedOut: true });
      },
    });
  }

  #sendAck(dialog: Dialog): void {
    const { endpoint } = this.#options.agent;
    endpoint.sendAck(dialog.makeAck(this.#sequence), dialog.nextHop(endpoint));
  }

  hangup(cause: { readonly sipStatus: number; readonly q850: number; readonly word: string }): SipEnd {
    if (this.#over) return { disposition: 'none' };
    this.#over = true;
    if (this.#usage !== undefined) {
      this.#usage.bye(cause.q850, cause.word, () => this.#forget());
      return { disposition: 'send_bye' };
    }
    this.#cancelling = true;
    // Section 9.1: a CANCEL may only follow a provisional response; until one comes it waits.
    if (this.#sawProvisional) this.#sendCancel(cause);
    return { disposition: 'send_cancel', status: 487 };
  }

  #sendCancel(cause: { readonly q850: number; readonly word: string } = { q850: 16, word: 'NORMAL_CLEARING' }): void {
    const invite = this.#invite;
    if (this.#cancelSent || invite === undefined) return;
    this.#cancelSent = true;
    const source = invite.request.headers;
    const headers = new SipHeaders()
      .add('Max-Forwards', '70')
      .add('From', source.get('from') ?? '')
      .add('To', source.get('to') ?? '')
      .add('Call-ID', this.callId)
      .add('CSeq', `${this.#sequence} CANCEL`)
      .add(...reasonHeader(cause.q850, cause.word));
    // Section 9.1: with the Route of the INVITE, or it would take another way.
    for (const route of source.all('route')) headers.add('Route', route);
    const request: SipRequest = { kind: 'request', method: 'CANCEL', uri: invite.request.uri, headers, body: '' };
    this.#options.agent.endpoint.cancel(invite, request, {
      onResponse: () => undefined,
      onFailure: () => invite.abandon(),
    });
    // Section 9.1: a far end that never ends the INVITE after a CANCEL is not waited for.
    this.#options.clock.setTimer(TRANSACTION_TIMEOUT_MS, () => {
      invite.abandon();
      this.#forget();
    });
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
    return this.#usage?.matches(request) === true;
  }

  receive(transaction: ServerTransaction): void {
    if (this.#usage === undefined || (this.#over && transaction.request.method !== 'BYE')) transaction.respond(481);
    else this.#usage.receive(transaction);
  }

  receiveAck(request: SipRequest): void {
    this.#usage?.receiveAck(request);
  }
}
