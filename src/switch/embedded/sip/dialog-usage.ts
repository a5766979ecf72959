/** Serves the requests that come inside an INVITE's dialog: re-INVITE, BYE, INFO and the rest. */

import type { LocalMedia, SipCallHandlers } from './call.ts';
import { readReason, reasonHeader } from './call.ts';
import type { Dialog } from './dialog.ts';
import { tagOf } from './dialog.ts';
import type { SipEndpoint } from './endpoint.ts';
import type { SipRequest } from './message.ts';
import { type ReadSdp, readSdp, writeAnswer, writeOffer } from './sdp.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { parseCSeq } from './values.ts';

/** What we understand inside a dialog and out of it (RFC 3261 section 20.5). */
export const ALLOW: readonly [string, string] = ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REGISTER'];
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

  answer(media: LocalMedia, offer: ReadSdp): string {
    this.#version += 1;
    return writeAnswer({ ...media, sessionId: this.#sessionId, version: this.#version }, offer);
  }

  offer(media: LocalMedia): string {
    this.#version += 1;
    return writeOffer({ ...media, sessionId: this.#sessionId, version: this.#version });
  }
}

export interface DialogUsageOptions {
  readonly endpoint: SipEndpoint;
  readonly dialog: Dialog;
  readonly session: LocalSession;
  readonly handlers: SipCallHandlers;
  localMedia(): LocalMedia | undefined;
  /** The far side said BYE. */
  onBye(q850: number | undefined): void;
  /** Nobody acknowledged our 2xx to a re-INVITE. */
  onNoAck(): void;
}

export class DialogUsage {
  readonly #options: DialogUsageOptions;
  /** The re-INVITE whose 2xx waits for its ACK, and whether that ACK must bring an answer. */
  #pending: { readonly transaction: ServerTransaction; readonly lateOffer: boolean } | undefined;
  #ended = false;

  constructor(options: DialogUsageOptions) {
    this.#options = options;
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
      this.#ended = true;
      transaction.respond(200);
      this.#options.onBye(readReason(request.headers.all('reason')));
    } else if (request.method === 'INVITE') this.#receiveReinvite(transaction);
    else if (request.method === 'INFO') this.#receiveInfo(transaction);
    else if (request.method === 'OPTIONS') transaction.respond(200, { headers: [ALLOW] });
    else if (request.method === 'REFER') transaction.respond(603);
    else transaction.respond(405, { headers: [ALLOW] });
  }

  #receiveReinvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    const { endpoint, dialog, session, handlers } = this.#options;
    const media = this.#options.localMedia();
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
    transaction.respond(200, { headers: [['Contact', endpoint.contact(transaction.flow)], ALLOW], body });
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
    this.#ended = true;
    const { endpoint, dialog } = this.#options;
    const request = dialog.makeRequest('BYE', [reasonHeader(q850, word)]);
    endpoint.request(request, dialog.nextHop(endpoint), {
      onResponse: (response) => {
        if (response.status >= 200) onDone();
      },
      onFailure: onDone,
    });
  }
}
