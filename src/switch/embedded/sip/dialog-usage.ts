/** Serves the requests that come inside an INVITE's dialog: re-INVITE, BYE, INFO and the rest. */

import type { Clock } from '../../../kernel/clock.ts';
import type { LocalMedia, SipCallHandlers, SipEnd } from './call.ts';
import { readReason, reasonHeader, SESSION_EXPIRED } from './call.ts';
import type { Dialog } from './dialog.ts';
import { tagOf } from './dialog.ts';
import type { SipEndpoint } from './endpoint.ts';
import type { SipRequest } from './message.ts';
import { readRefer } from './refer.ts';
import { type ReadSdp, readSdp, writeAnswer, writeOffer } from './sdp.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { SessionKeeper } from './session-keeper.ts';
import { isTooShort, type SessionTimerPolicy, tooShortHeaders } from './session-timer.ts';
import { parseCSeq } from './values.ts';

/** Key presses of an INFO without a length, and the longest that is believed. */
const DEFAULT_DIGIT_MS = 100;
const MAX_DIGIT_MS = 10_000;

/** The digit in an INFO body: `application/dtmf-relay` (Signal=5, Duration=160) or `application/dtmf` (5). */
export function readInfoDigit(contentType: string, body: string): { digit: string; durationMs: number } | undefined {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  if (type === 'application/dtmf') {
    const digit = /^\s*([0-9A-Da-d*#])\s*$/.exec(body)?.[1];
    return digit === undefined ? undefined : { digit: digit.toUpperCase(), durationMs: DEFAULT_DIGIT_MS };
  }
  if (type !== 'application/dtmf-relay') return undefined;
  const digit = /^\s*Signal\s*=\s*([0-9A-Da-d*#])\s*$/im.exec(body)?.[1];
  const duration = Number(/^\s*Duration\s*=\s*(\d{1,6})\s*$/im.exec(body)?.[1] ?? DEFAULT_DIGIT_MS);
  return digit === undefined ? undefined : { digit: digit.toUpperCase(), durationMs: Math.min(duration, MAX_DIGIT_MS) };
}

/** Our side's session description over the life of a dialog. */
export class LocalSession {
  readonly #sessionId = Date.now();
  #version = 0;
  #last = '';

  /** The description that was sent last. */
  get last(): string {
    return this.#last;
  }

  answer(media: LocalMedia, offer: ReadSdp): string {
    this.#version += 1;
    this.#last = writeAnswer({ ...media, sessionId: this.#sessionId, version: this.#version }, offer);
    return this.#last;
  }

  offer(media: LocalMedia): string {
    this.#version += 1;
    this.#last = writeOffer({ ...media, sessionId: this.#sessionId, version: this.#version });
    return this.#last;
  }
}

export interface DialogUsageOptions {
  readonly endpoint: SipEndpoint;
  readonly dialog: Dialog;
  readonly session: LocalSession;
  readonly handlers: SipCallHandlers;
  readonly clock: Clock;
  readonly timerPolicy: SessionTimerPolicy;
  localMedia(): LocalMedia | undefined;
  /** The far side said BYE. */
  onBye(q850: number | undefined): void;
  /** The session was not refreshed in time, or the refresh got a status that ends it; the BYE is on its way. */
  onExpired(end: SipEnd): void;
  /** Nobody acknowledged our 2xx to a re-INVITE. */
  onNoAck(): void;
}

export class DialogUsage {
  readonly #options: DialogUsageOptions;
  /** The re-INVITE whose 2xx waits for its ACK, and whether that ACK must bring an answer. */
  #pending: { readonly transaction: ServerTransaction; readonly lateOffer: boolean } | undefined;
  #ended = false;
  readonly keeper: SessionKeeper;

  constructor(options: DialogUsageOptions) {
    this.#options = options;
    this.keeper = new SessionKeeper({
      endpoint: options.endpoint,
      dialog: options.dialog,
      clock: options.clock,
      policy: options.timerPolicy,
      description: () => options.session.last,
      busy: () => this.#pending !== undefined,
      onRemoteMedia: (remote) => options.handlers.onRemoteMedia(remote),
      onExpired: (status) => this.#expire(status),
    });
  }

  get dialog(): Dialog {
    return this.#options.dialog;
  }

  /** Whether a request names both ends of this dialog. */
  matches(request: SipRequest): boolean {
    return tagOf(request.headers.get('from')) === this.#options.dialog.remoteTag;
  }

  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (this.#ended) {
      transaction.respond(481);
    } else if (!this.#options.dialog.acceptSequence(request)) {
      // RFC 3261 section 12.2.2: a number below the last one is out of order.
      transaction.respond(500);
    } else if (request.method === 'BYE') {
      this.#end();
      transaction.respond(200);
      this.#options.onBye(readReason(request.headers.all('reason')));
    } else if (request.method === 'INVITE') this.#receiveReinvite(transaction);
    else if (request.method === 'UPDATE') this.#receiveUpdate(transaction);
    else if (request.method === 'INFO') this.#receiveInfo(transaction);
    else if (request.method === 'OPTIONS') transaction.respond(200, { headers: [this.#options.endpoint.allow] });
    else if (request.method === 'REFER' && this.#options.endpoint.takesRefer) this.#receiveRefer(transaction);
    else transaction.respond(405, { headers: [this.#options.endpoint.allow] });
  }

  #end(): void {
    this.#ended = true;
    this.keeper.stop();
  }

  /** RFC 4028 section 10: the end of a session that nobody refreshed. The Reason is FreeSWITCH's. */
  #expire(status: number | undefined): void {
    if (this.#ended) return;
    this.#sayBye(['Reason', 'SIP;cause=408;text="Session timeout"'], () => undefined);
    this.#options.onExpired(status === undefined ? SESSION_EXPIRED : { disposition: 'recv_refuse', status });
  }

  /** Refuses an interval below ours (RFC 4028 section 9); true when it did. */
  #refuseShort(transaction: ServerTransaction): boolean {
    const { timerPolicy } = this.#options;
    const short = isTooShort(transaction.request.headers, timerPolicy);
    if (short) transaction.respond(422, { headers: tooShortHeaders(timerPolicy) });
    return short;
  }

  /** RFC 3311: a refresh without an offer, or a new description that is answered at once. */
  #receiveUpdate(transaction: ServerTransaction): void {
    const { request } = transaction;
    const { endpoint, dialog, session, handlers } = this.#options;
    if (this.#refuseShort(transaction)) return;
    const media = this.#options.localMedia();
    const offer = request.body === '' ? undefined : readSdp(request.body);
    if (request.body !== '' && (offer === undefined || media === undefined)) {
      transaction.respond(488);
      return;
    }
    if (offer !== undefined && (this.#pending !== undefined || this.keeper.refreshing)) {
      // RFC 3311 section 5.2: two offers at once.
      transaction.respond(491);
      return;
    }
    dialog.refreshTarget(request.headers, transaction.flow);
    if (offer !== undefined) handlers.onRemoteMedia(offer.remote);
    const contact = ['Contact', endpoint.contact(transaction.flow)] as const;
    const headers = [contact, endpoint.allow, ...this.keeper.answer(request.headers)];
    if (offer === undefined || media === undefined) transaction.respond(200, { headers });
    else transaction.respond(200, { headers, body: session.answer(media, offer) });
  }

  #receiveReinvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    const { endpoint, dialog, session, handlers } = this.#options;
    const media = this.#options.localMedia();
    if (this.#refuseShort(transaction)) return;
    if (this.keeper.refreshing) {
      // Section 14.2: ours is on its way.
      transaction.respond(491);
      return;
    }
    if (this.#pending !== undefined || media === undefined) {
      // Section 14.2: a second INVITE before the first is through.
      transaction.respond(500, { headers: [['Retry-After', '1']] });
      return;
    }
    const lateOffer = request.body === '';
    const offer = lateOffer ? undefined : readSdp(request.body);
    if (!lateOffer && offer === undefined) {
      // The session stays as it was (section 14.2).
      transaction.respond(488);
      return;
    }
    dialog.refreshTarget(request.headers, transaction.flow);
    this.#pending = { transaction, lateOffer };
    transaction.onNoAck = () => {
      this.#pending = undefined;
      if (!this.#ended) this.#options.onNoAck();
    };
    if (offer !== undefined) handlers.onRemoteMedia(offer.remote);
    const body = offer === undefined ? session.offer(media) : session.answer(media, offer);
    const contact = ['Contact', endpoint.contact(transaction.flow)] as const;
    transaction.respond(200, { headers: [contact, endpoint.allow, ...this.keeper.answer(request.headers)], body });
  }

  /** RFC 3515: accepted, and the outcome told by one NOTIFY, as FreeSWITCH does. */
  #receiveRefer(transaction: ServerTransaction): void {
    const { endpoint, dialog, handlers } = this.#options;
    const { headers } = transaction.request;
    const refer = readRefer(headers.all('refer-to'));
    if (refer === undefined) {
      // Section 2.4.1: exactly one Refer-To.
      transaction.respond(400, { reason: 'Bad Refer-To' });
      return;
    }
    const contact = ['Contact', endpoint.contact(transaction.flow)] as const;
    transaction.respond(202, { headers: [contact, ['Expires', '60']] });
    const event = `refer;id=${parseCSeq(headers.get('cseq') ?? '')?.number ?? 0}`;
    handlers.onRefer(refer, (outcome) => {
      if (this.#ended) return;
      const notify = dialog.makeRequest('NOTIFY', [
        ['Contact', endpoint.contact(dialog.flow)],
        ['Event', event],
        ['Subscription-State', 'terminated;reason=noresource'],
        ['Content-Type', 'message/sipfrag;version=2.0'],
      ]);
      const done = (): void => undefined;
      const told = { ...notify, body: `SIP/2.0 ${outcome}\r\n` };
      // What the phone thinks of it changes nothing.
      endpoint.request(told, dialog.nextHop(endpoint), { onResponse: done, onFailure: done });
    });
  }

  #receiveInfo(transaction: ServerTransaction): void {
    const { request } = transaction;
    const contentType = request.headers.get('content-type') ?? '';
    const press = readInfoDigit(contentType, request.body);
    if (press === undefined && request.body !== '') {
      transaction.respond(415, { headers: [['Accept', 'application/dtmf-relay, application/dtmf']] });
      return;
    }
    // An INFO without a body is a keep-alive of some phones.
    transaction.respond(200);
    if (press !== undefined) this.#options.handlers.onInfoDigit(press.digit, press.durationMs);
  }

  /** The ACK of a 2xx to a re-INVITE; false when it belongs to another INVITE. */
  receiveAck(request: SipRequest): boolean {
    const pending = this.#pending;
    if (pending === undefined) return false;
    const number = parseCSeq(request.headers.get('cseq') ?? '')?.number;
    if (number !== parseCSeq(pending.transaction.request.headers.get('cseq') ?? '')?.number) return false;
    this.#pending = undefined;
    pending.transaction.receiveAck();
    const answer = pending.lateOffer ? readSdp(request.body) : undefined;
    if (answer !== undefined && !this.#ended) this.#options.handlers.onRemoteMedia(answer.remote);
    return true;
  }

  /** Says BYE, once. What the far end answers changes nothing any more. */
  bye(q850: number, word: string, onDone: () => void): void {
    if (this.#ended) {
      onDone();
      return;
    }
    this.#sayBye(reasonHeader(q850, word), onDone);
  }

  #sayBye(reason: readonly [string, string], onDone: () => void): void {
    this.#end();
    const { endpoint, dialog } = this.#options;
    const request = dialog.makeRequest('BYE', [reason]);
    endpoint.request(request, dialog.nextHop(endpoint), {
      onResponse: (response) => {
        if (response.status >= 200) onDone();
      },
      onFailure: onDone,
    });
  }
}
