/** A call that the test phone makes. */
import { type CallEnd, type CallParts, TestCall } from './call.ts';
import { digestAnswer } from './digest.ts';
import { header, type SipMessage, summary } from './sip-message.ts';

const finalMs = 60_000;

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export class OutgoingCall extends TestCall {
  #cancelled = false;
  #invite: SipMessage;

  constructor(parts: CallParts, invite: SipMessage) {
    super(parts, invite);
    this.#invite = invite;
  }

  /** Sends the INVITE and follows it to its final response; credentials answer one challenge. */
  start(credentials: Credentials | undefined): void {
    this.#follow(credentials).catch((error: unknown) => {
      this.parts.watch.note(`INVITE failed: ${String(error)}`);
    });
  }

  /** Sends CANCEL. If the 200 was quicker, the call is ended with BYE at once (RFC 3261, section 9.1). */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    if (this.isAnswered) return;
    const response = await this.parts.transactions.request(this.parts.dialog.follow('CANCEL', this.#invite), 5000);
    this.parts.watch.note(`CANCEL was answered ${summary(response)}`);
  }

  override async giveUp(): Promise<void> {
    if (this.isAnswered || this.isEnded) await super.giveUp();
    else await this.cancel();
  }

  async #follow(credentials: Credentials | undefined): Promise<void> {
    const { dialog, transactions } = this.parts;
    let response = await this.#send();
    const challenge = header(response, 'Proxy-Authenticate') || header(response, 'WWW-Authenticate');
    if ((response.status === 401 || response.status === 407) && credentials !== undefined && challenge !== '') {
      transactions.sendOnly(dialog.follow('ACK', this.#invite, response));
      dialog.forgetPeer();
      const name = response.status === 407 ? 'Proxy-Authorization' : 'Authorization';
      const line = { method: 'INVITE', uri: this.#invite.uri ?? '' };
      const again = dialog.request(
        'INVITE',
        [
          [name, digestAnswer(challenge, line, credentials)],
          ['Content-Type', 'application/sdp'],
        ],
        this.#invite.body,
      );
      this.#invite = { ...again, uri: line.uri };
      response = await this.#send();
    }
    transactions.sendOnly(dialog.follow('ACK', this.#invite, response));
    if ((response.status ?? 0) >= 300) {
      const by = this.#cancelled ? 'us' : 'them';
      const end: CallEnd = {
        by,
        sipStatus: response.status,
        method: this.#cancelled ? 'CANCEL' : 'response',
        reason: header(response, 'Reason'),
      };
      this.finish(end);
      return;
    }
    this.markAnswered();
    if (this.#cancelled) await this.hangup();
  }

  async #send(): Promise<SipMessage> {
    const { dialog, transactions } = this.parts;
    const invite = this.#invite;
    const response = await transactions.request(invite, finalMs, {
      onProvisional: (provisional) => this.noteResponse(provisional),
      onRepeated: (repeated) => transactions.sendOnly(dialog.follow('ACK', invite, repeated)),
    });
    this.noteResponse(response);
    return response;
  }
}
