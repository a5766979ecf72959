/** A call that comes to the test phone. */
import { type CallParts, TestCall } from './call.ts';
import { responseTo } from './dialog.ts';
import { displayNameOf, header, type SipMessage, userOf } from './sip-message.ts';
import type { Reply } from './transport.ts';

const phrases: Readonly<Record<number, string>> = {
  180: 'Ringing',
  183: 'Session Progress',
  302: 'Moved Temporarily',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  422: 'Session Interval Too Small',
  480: 'Temporarily Unavailable',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  500: 'Server Internal Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  600: 'Busy Everywhere',
  603: 'Decline',
};

export class IncomingCall extends TestCall {
  readonly #reply: Reply;
  readonly #tag: string;
  #stopRepeating: () => void = () => undefined;

  constructor(parts: CallParts, invite: SipMessage, reply: Reply, tag: string) {
    super(parts, invite);
    this.#reply = reply;
    this.#tag = tag;
    if (invite.body.startsWith('v=0')) this.useRemoteSdp(invite.body);
  }

  get callerNumber(): string {
    return userOf(header(this.invite, 'From'));
  }

  get callerName(): string {
    return displayNameOf(header(this.invite, 'From'));
  }

  /** A header of the INVITE. */
  header(name: string): string {
    return header(this.invite, name);
  }

  /** 180, without media. */
  ring(): void {
    this.#respond(180);
  }

  /** 183 with SDP: early media. */
  progress(): void {
    this.#respond(183, this.localSdp());
  }

  /** 200 with SDP, sent again until its ACK comes. */
  answer(headers: readonly (readonly [string, string])[] = []): void {
    if (this.isEnded) throw new Error('the call has ended already');
    const body = this.localSdp();
    this.#respond(200, body, headers);
    this.#stopRepeating = this.parts.transactions.repeatUntilAcked(() => this.#respond(200, body, headers));
    this.markAnswered();
  }

  /** Refuses with a final status. */
  reject(status: number, headers: readonly (readonly [string, string])[] = []): void {
    this.#respond(status, '', headers);
    this.finish({ by: 'us', sipStatus: status, method: 'response', reason: '' });
  }

  override async giveUp(): Promise<void> {
    if (this.isAnswered || this.isEnded) await super.giveUp();
    else this.reject(480);
  }

  override handleRequest(request: SipMessage, reply: Reply): void {
    if (request.method === 'ACK') this.#stopRepeating();
    if (request.method === 'CANCEL') {
      this.parts.transactions.respond(request, reply, responseTo(request, 200, 'OK', { tag: this.#tag }));
      if (!this.isAnswered && !this.isEnded) {
        this.#respond(487);
        this.finish({ by: 'them', sipStatus: 487, method: 'CANCEL', reason: header(request, 'Reason') });
      }
      return;
    }
    super.handleRequest(request, reply);
  }

  /** Stops what repeats by itself; for a phone that is switched off in the middle of a call. */
  override async abandon(): Promise<void> {
    this.#stopRepeating();
    await super.abandon();
  }

  #respond(status: number, body = '', headers: readonly (readonly [string, string])[] = []): void {
    const type: [string, string][] = body === '' ? [] : [['Content-Type', 'application/sdp']];
    const contact: [string, string] = ['Contact', this.parts.dialog.contact];
    const response = responseTo(this.invite, status, phrases[status] ?? 'Status', {
      tag: this.#tag,
      headers: [contact, ...type, ...headers],
      body,
    });
    this.parts.transactions.respond(this.invite, this.#reply, response);
    this.parts.watch.note(`sent ${status}`);
  }
}
