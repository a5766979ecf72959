/** One call of the test phone, seen from a test: what it does and what it waits for. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Watch } from '../watch.ts';
import type { Codec } from './codecs.ts';
import { type Dialog, responseTo, token } from './dialog.ts';
import type { PhoneMedia } from './media.ts';
import { type CryptoLine, type Direction, readSdp, writeSdp } from './sdp.ts';
import { header, parameterOf, type SipMessage, summary } from './sip-message.ts';
import type { Transactions } from './transactions.ts';
import type { Reply, SocketAddress } from './transport.ts';

const requestMs = 5000;
const defaultWaitMs = 5000;

/** How a call ended, as this phone saw it. */
export interface CallEnd {
  readonly by: 'us' | 'them';
  /** The request or response that ended it: BYE, CANCEL, or the status of a refusal. */
  readonly sipStatus: number | undefined;
  readonly method: 'BYE' | 'CANCEL' | 'response';
  /** The Reason header, if any (RFC 3326). */
  readonly reason: string;
}

export interface Waiting {
  readonly withinMs?: number;
}

export interface CallParts {
  readonly dialog: Dialog;
  readonly transactions: Transactions;
  readonly media: PhoneMedia;
  readonly watch: Watch;
  readonly mediaHost: string;
  readonly codecs: readonly Codec[];
  /** The phone takes no plain sound: our key for what we send. */
  readonly srtpKey: string | undefined;
}

export class TestCall {
  readonly parts: CallParts;
  /** The INVITE that began the call, ours or theirs. */
  readonly invite: SipMessage;
  readonly #responses: SipMessage[] = [];
  readonly #inDialog: SipMessage[] = [];
  #answered = false;
  #forgotten = false;
  #end: CallEnd | undefined;
  #sdpVersion = 1;
  #remoteDirection: Direction = 'sendrecv';
  #remoteMedia: SocketAddress | undefined;
  #cryptoTag = 1;

  constructor(parts: CallParts, invite: SipMessage) {
    this.parts = parts;
    this.invite = invite;
  }

  get callId(): string {
    return this.parts.dialog.callId;
  }

  /** What another call's Refer-To names to have this one replaced (RFC 3891, section 3), escaped for a URI. */
  get replaces(): string {
    const { local, remote } = this.parts.dialog;
    const tags = `to-tag=${parameterOf(remote, 'tag') ?? ''};from-tag=${parameterOf(local, 'tag') ?? ''}`;
    return encodeURIComponent(`${this.callId};${tags}`);
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  get isAnswered(): boolean {
    return this.#answered;
  }

  /** Responses that came to our INVITE, oldest first. */
  get responses(): readonly SipMessage[] {
    return this.#responses;
  }

  /** Requests that came inside the dialog (re-INVITE, INFO, BYE …). */
  get requests(): readonly SipMessage[] {
    return this.#inDialog;
  }

  /** Digits heard as telephone events. */
  get digits(): string {
    return this.parts.media.digits;
  }

  /** The direction that the far side's last SDP said. */
  get remoteDirection(): Direction {
    return this.#remoteDirection;
  }

  /** Where the far side wants our sound, from its last SDP. */
  get remoteMedia(): SocketAddress {
    if (this.#remoteMedia === undefined) throw new Error('no SDP has come yet');
    return this.#remoteMedia;
  }

  /** Resolves with the first 180 or 183. */
  ringing({ withinMs = defaultWaitMs }: Waiting = {}): Promise<SipMessage> {
    return this.#until('180 or 183', withinMs, () =>
      this.#responses.find((response) => response.status === 180 || response.status === 183),
    );
  }

  /** Resolves when the call has been answered by either side. */
  async answered({ withinMs = defaultWaitMs }: Waiting = {}): Promise<void> {
    await this.#until('the answer', withinMs, () => (this.#answered ? true : undefined));
  }

  ended({ withinMs = defaultWaitMs }: Waiting = {}): Promise<CallEnd> {
    return this.#until('the end of the call', withinMs, () => this.#end);
  }

  hears(hz: number, { withinMs = defaultWaitMs }: Waiting = {}): Promise<void> {
    return this.parts.media.hears(hz, withinMs);
  }

  hearsOnly(tones: readonly number[], { withinMs = defaultWaitMs }: Waiting = {}): Promise<void> {
    return this.parts.media.hearsOnly(tones, withinMs);
  }

  /** A tone above telephone band, where the codec has room for it. */
  hearsWide(hz: number, { withinMs = defaultWaitMs }: Waiting = {}): Promise<void> {
    return this.parts.media.hearsWide(hz, withinMs);
  }

  /** Resolves when there is sound of whatever kind. */
  hearsSomething({ withinMs = defaultWaitMs }: Waiting = {}): Promise<void> {
    return this.parts.media.hearsSomething(withinMs);
  }

  hearsNothing({ withinMs = defaultWaitMs }: Waiting = {}): Promise<void> {
    return this.parts.media.hearsNothing(withinMs);
  }

  /** Resolves when these digits have come as telephone events. */
  async receivesDigits(digits: string, { withinMs = defaultWaitMs }: Waiting = {}): Promise<void> {
    await this.#until(`the digits ${digits}`, withinMs, () => (this.digits === digits ? true : undefined));
  }

  /** From now on the phone says this tone; undefined is silence. */
  says(hz: number | undefined): void {
    this.parts.media.setTone(hz);
  }

  /** Presses a key: as telephone event (RFC 4733) or by INFO with application/dtmf-relay. */
  async sendDigit(digit: string, how: 'rfc4733' | 'info' = 'rfc4733'): Promise<void> {
    if (how === 'rfc4733') {
      this.parts.media.sendDigit(digit);
      return;
    }
    const body = `Signal=${digit}\r\nDuration=160\r\n`;
    await this.request('INFO', [['Content-Type', 'application/dtmf-relay']], body);
  }

  /** Puts the far side on hold: re-INVITE with `sendonly`, and no more sound (RFC 3264, section 8.4). */
  async hold(): Promise<void> {
    await this.reinvite(this.localSdp('sendonly'));
    this.parts.media.setMuted(true);
  }

  async resume(): Promise<void> {
    await this.reinvite(this.localSdp());
    this.parts.media.setMuted(false);
  }

  /** Sends the whole description anew: hold in one of its forms, or the end of it. @throws Error when refused. */
  async reinvite(sdp: string, extra: readonly (readonly [string, string])[] = []): Promise<SipMessage> {
    let response = await this.tryReinvite(sdp, extra);
    // Both have asked at once: whoever did not begin the call waits up to 2 s and asks again (RFC 3261, section 14.1).
    for (let again = 1; response.status === 491 && again <= 3; again += 1) {
      await pause(again * 300);
      response = await this.tryReinvite(sdp, extra);
    }
    if (response.status !== 200) throw new Error(`the re-INVITE was refused: ${summary(response)}`);
    if (response.body.startsWith('v=0')) this.useRemoteSdp(response.body);
    return response;
  }

  /** A re-INVITE and its ACK; the answer is returned whatever it is. */
  async tryReinvite(sdp: string, extra: readonly (readonly [string, string])[] = []): Promise<SipMessage> {
    const { dialog, transactions } = this.parts;
    const invite = dialog.request('INVITE', [['Content-Type', 'application/sdp'], ...extra], sdp);
    const response = await transactions.request(invite, requestMs);
    transactions.sendOnly(dialog.follow('ACK', invite, response));
    return response;
  }

  /** A request inside the dialog; resolves with its final response, whatever it is. */
  async request(method: string, extra: readonly (readonly [string, string])[] = [], body = ''): Promise<SipMessage> {
    const request = this.parts.dialog.request(method, extra, body);
    const response = await this.parts.transactions.request(request, requestMs);
    this.parts.watch.note(`${method} was answered ${summary(response)}`);
    return response;
  }

  /** Ends an answered call with BYE; the wait is for the 200. */
  async hangup(): Promise<void> {
    this.finish({ by: 'us', sipStatus: undefined, method: 'BYE', reason: '' });
    await this.request('BYE');
  }

  /** Ends the call in whatever state it is, at the end of a test. */
  async giveUp(): Promise<void> {
    if (this.isAnswered && !this.isEnded) await this.hangup();
  }

  /** Notes the end; the first one counts. */
  finish(end: CallEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.parts.watch.note(`call ended by ${end.by}: ${end.method} ${end.sipStatus ?? ''} ${end.reason}`);
  }

  /** From now on every request in the call gets 481, as from a phone that was started anew. */
  forgetsDialog(): void {
    this.#forgotten = true;
  }

  /** Forgets the call without a word to the far side, as a phone that lost its power. */
  async abandon(): Promise<void> {
    await this.parts.media.close();
  }

  /** Takes a response to our INVITE. */
  noteResponse(response: SipMessage): void {
    this.#responses.push(response);
    this.parts.dialog.learn(response);
    if (response.body.startsWith('v=0')) this.useRemoteSdp(response.body);
    this.parts.watch.note(`got ${summary(response)}`);
  }

  markAnswered(): void {
    this.#answered = true;
    this.parts.watch.note('answered');
  }

  useRemoteSdp(body: string): void {
    const remote = readSdp(body);
    this.#remoteDirection = remote.direction;
    this.#remoteMedia = remote.address;
    this.#useCrypto(remote.crypto);
    const codec = this.parts.codecs.find((ours) => remote.codecs.includes(ours));
    if (codec === undefined) this.parts.watch.note(`no common codec in ${remote.codecs.join(',')}`);
    else
      this.parts.media.sendTo(
        remote.address,
        remote.codecs.find((theirs) => this.parts.codecs.includes(theirs)) ?? codec,
      );
  }

  #useCrypto(crypto: CryptoLine | undefined): void {
    const { srtpKey, media, watch } = this.parts;
    if (srtpKey === undefined) return;
    if (crypto === undefined) {
      watch.note('the far side offers no SRTP that we have');
      return;
    }
    // RFC 4568, section 5.1.2: the answer names the line of the offer that it takes.
    this.#cryptoTag = crypto.tag;
    media.secure(srtpKey, crypto.inline);
  }

  /** Our session as SDP, with a version that grows. */
  localSdp(direction: Direction = 'sendrecv'): string {
    const address: SocketAddress = { host: this.parts.mediaHost, port: this.parts.media.port };
    this.#sdpVersion += 1;
    return writeSdp({
      address,
      codecs: this.parts.codecs,
      telephoneEvents: true,
      crypto: this.parts.srtpKey === undefined ? undefined : { tag: this.#cryptoTag, inline: this.parts.srtpKey },
      direction,
      version: this.#sdpVersion,
    });
  }

  /** Answers what comes inside the dialog. */
  handleRequest(request: SipMessage, reply: Reply): void {
    this.#inDialog.push(request);
    this.parts.watch.note(`got ${summary(request)}`);
    const { transactions, dialog } = this.parts;
    if (this.#forgotten && request.method !== 'ACK') {
      transactions.respond(request, reply, responseTo(request, 481, 'Call/Transaction Does Not Exist'));
    } else if (request.method === 'BYE') {
      transactions.respond(request, reply, responseTo(request, 200, 'OK'));
      this.finish({ by: 'them', sipStatus: undefined, method: 'BYE', reason: header(request, 'Reason') });
    } else if (request.method === 'INVITE') {
      dialog.learn(request);
      if (request.body.startsWith('v=0')) this.useRemoteSdp(request.body);
      const mirrored: Record<Direction, Direction> = {
        sendrecv: 'sendrecv',
        sendonly: 'recvonly',
        recvonly: 'sendonly',
        inactive: 'inactive',
      };
      const headers: [string, string][] = [
        ['Contact', dialog.contact],
        ['Content-Type', 'application/sdp'],
      ];
      const body = this.localSdp(mirrored[this.#remoteDirection]);
      transactions.respond(request, reply, responseTo(request, 200, 'OK', { tag: token(), headers, body }));
    } else if (request.method !== 'ACK') {
      transactions.respond(request, reply, responseTo(request, 200, 'OK'));
    }
  }

  #until<T>(what: string, withinMs: number, check: () => T | undefined): Promise<T> {
    return this.parts.watch.until(what, withinMs, check);
  }
}
