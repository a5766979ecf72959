/** A telephone for tests: a SIP user agent over real sockets that a test calls with, and listens with. */
import type { TestCertificate } from '../certificate.ts';
import { Watch } from '../watch.ts';
import type { CallParts, TestCall, Waiting } from './call.ts';
import type { Codec } from './codecs.ts';
import { Dialog, nameAddress, responseTo, token, viaOf } from './dialog.ts';
import { digestAnswer } from './digest.ts';
import { IncomingCall } from './incoming-call.ts';
import { PhoneMedia } from './media.ts';
import { type Credentials, OutgoingCall } from './outgoing-call.ts';
import { addressOf, header, parameterOf, type SipMessage, summary, userOf } from './sip-message.ts';
import { newSrtpKey } from './srtp.ts';
import { newBranch, Transactions } from './transactions.ts';
import { openTransport, type Reply, type SipTransport, type SocketAddress, type TransportKind } from './transport.ts';

export interface PhoneOptions {
  /** The SIP side of the switch that all requests go to. */
  readonly server: SocketAddress;
  /** Name of the address of record and of the digest; also the calling number. */
  readonly user: string;
  readonly password?: string;
  /** Domain of the address of record; the server's address when left out. */
  readonly domain?: string;
  readonly transport?: TransportKind;
  /** For TLS: what the phone shows where it is called, and whom it trusts. */
  readonly certificate?: TestCertificate;
  /** Any address of 127.0.0.0/8 is local, so a phone can come from an address that no list knows. */
  readonly localAddress?: string;
  /** For a phone that a gateway of the switch points at; any free port when left out. */
  readonly localPort?: number;
  /** In the order of preference; PCMA alone when left out. */
  readonly codecs?: readonly Codec[];
  /** All sound is SRTP with keys in the description; plain sound is neither sent nor heard. */
  readonly srtp?: boolean;
  /** Says 180 at once and 200 after this delay to every call. */
  readonly autoAnswerMs?: number;
  /** Told of every call that comes; without it calls wait for `nextInvite`. */
  readonly onCall?: (call: IncomingCall) => void;
  /** What the phone says on every call, until a test says otherwise. */
  readonly toneHz?: number;
}

export interface CallOptions {
  readonly fromName?: string;
  readonly headers?: readonly (readonly [string, string])[];
}

const requestMs = 5000;

/** Opens the sockets; nothing is sent yet. Close the phone at the end of the test. */
export async function createPhone(options: PhoneOptions): Promise<TestPhone> {
  let phone: TestPhone | undefined;
  const watch = new Watch(`phone ${options.user}`);
  const transport = await openTransport(
    options.transport ?? 'udp',
    { host: options.localAddress ?? '127.0.0.1', port: options.localPort ?? 0 },
    (message, reply) => phone?.receive(message, reply),
    (trouble) => watch.note(trouble),
    options.certificate,
  );
  phone = new TestPhone(options, transport, watch);
  return phone;
}

export class TestPhone {
  readonly watch: Watch;
  readonly #options: PhoneOptions;
  readonly #transport: SipTransport;
  readonly #transactions: Transactions;
  readonly #calls = new Map<string, TestCall>();
  readonly #waitingInvites: IncomingCall[] = [];
  readonly #registerCallId = token();
  #registerCseq = 0;
  #closed = false;

  constructor(options: PhoneOptions, transport: SipTransport, watch: Watch) {
    this.watch = watch;
    this.#options = options;
    this.#transport = transport;
    this.#transactions = new Transactions(transport, options.server);
  }

  get local(): SocketAddress {
    return this.#transport.local;
  }

  /** Registers; the wait is for the final answer, which is returned whatever it is. */
  async tryRegister(expiresS = 300): Promise<SipMessage> {
    const first = await this.#transactions.request(this.#registerRequest(expiresS), requestMs);
    this.watch.note(`REGISTER was answered ${summary(first)}`);
    const challenge = header(first, 'WWW-Authenticate');
    const credentials = this.#credentials();
    if (first.status !== 401 || credentials === undefined) return first;
    const uri = `sip:${this.#domain()}`;
    const answer = digestAnswer(challenge, { method: 'REGISTER', uri }, credentials);
    const second = await this.#transactions.request(this.#registerRequest(expiresS, answer), requestMs);
    this.watch.note(`REGISTER was answered ${summary(second)}`);
    return second;
  }

  /** Registers. @throws Error when the switch refuses. */
  async register({ expiresS = 300 }: { readonly expiresS?: number } = {}): Promise<void> {
    const response = await this.tryRegister(expiresS);
    if (response.status !== 200) throw new Error(`phone ${this.#options.user}: REGISTER got ${summary(response)}`);
  }

  async unregister(): Promise<void> {
    await this.register({ expiresS: 0 });
  }

  /** Calls a number. Returns at once; wait on the call for ringing, answer or end. */
  async call(number: string, options: CallOptions = {}): Promise<OutgoingCall> {
    const domain = this.#domain();
    const target = `sip:${number}@${this.#options.server.host}:${this.#options.server.port}${this.#transportParameter()}`;
    const dialog = new Dialog(this.#transport, {
      callId: `${token()}@${this.local.host}`,
      local: nameAddress(this.#options.user, domain, options.fromName, token()),
      remote: nameAddress(number, domain),
      remoteTarget: target,
      user: this.#options.user,
    });
    const parts = await this.#parts(dialog, `call ${this.#options.user} -> ${number}`);
    const type: [string, string] = ['Content-Type', 'application/sdp'];
    const draft = new OutgoingCall(parts, { method: 'INVITE', uri: target, headers: [], body: '' });
    const invite = dialog.request('INVITE', [type, ...(options.headers ?? [])], draft.localSdp());
    const call = new OutgoingCall(parts, invite);
    this.#calls.set(dialog.callId, call);
    call.start(this.#credentials());
    return call;
  }

  /** The next INVITE that came and was not yet taken. */
  nextInvite({ withinMs = 5000 }: Waiting = {}): Promise<IncomingCall> {
    return this.watch.until('an INVITE', withinMs, () => this.#waitingInvites.shift());
  }

  /** Sends a message of the test's own making and waits for its final response. */
  send(message: SipMessage, withinMs = requestMs): Promise<SipMessage> {
    return this.#transactions.request(message, withinMs);
  }

  /** A request outside any dialog, with every header that must be there. */
  newRequest(method: string, extra: readonly (readonly [string, string])[] = [], body = ''): SipMessage {
    const { user } = this.#options;
    const domain = this.#domain();
    return {
      method,
      uri: `sip:${domain}`,
      headers: [
        ['Via', viaOf(this.#transport, newBranch())],
        ['Max-Forwards', '70'],
        ['From', nameAddress(user, domain, undefined, token())],
        ['To', nameAddress(user, domain)],
        ['Call-ID', token()],
        ['CSeq', `1 ${method}`],
        ['Contact', this.#contact()],
        ...extra,
      ],
      body,
    };
  }

  /** Takes one message from the socket. */
  receive(message: SipMessage, reply: Reply): void {
    if (this.#closed || this.#transactions.handled(message, reply)) return;
    const call = this.#calls.get(header(message, 'Call-ID'));
    // An INVITE without a To tag begins a dialog, also under a Call-ID that was refused before (RFC 4028, section 7.3).
    const begins = message.method === 'INVITE' && parameterOf(header(message, 'To'), 'tag') === undefined;
    if (call !== undefined && !begins) call.handleRequest(message, reply);
    else if (message.method === 'INVITE') this.#ring(message, reply);
    else if (message.method !== 'ACK') reply(responseTo(message, message.method === 'OPTIONS' ? 200 : 481, 'Answer'));
  }

  /** Ends what still talks and closes the sockets. */
  async close(): Promise<void> {
    if (this.#closed) return;
    for (const call of this.#calls.values()) {
      await call.giveUp().catch((error: unknown) => this.watch.note(`at the end: ${String(error)}`));
    }
    await this.vanish();
  }

  /** Closes the sockets without a word, as a phone whose power was cut. */
  async vanish(): Promise<void> {
    this.#closed = true;
    this.#transactions.close();
    for (const call of this.#calls.values()) await call.abandon();
    await this.#transport.close();
  }

  #ring(invite: SipMessage, reply: Reply): void {
    this.watch.note(`got ${summary(invite)}`);
    this.#transactions.respond(invite, reply, responseTo(invite, 100, 'Trying'));
    const tag = token();
    const dialog = new Dialog(this.#transport, {
      callId: header(invite, 'Call-ID'),
      local: `${header(invite, 'To')};tag=${tag}`,
      remote: header(invite, 'From'),
      remoteTarget: addressOf(header(invite, 'Contact')),
      user: this.#options.user,
    });
    dialog.learn(invite);
    const accept = async () => {
      const who = `call ${userOf(header(invite, 'From'))} -> ${this.#options.user}`;
      const call = new IncomingCall(await this.#parts(dialog, who), invite, reply, tag);
      this.#calls.set(dialog.callId, call);
      if (this.#options.autoAnswerMs !== undefined) this.#autoAnswer(call, this.#options.autoAnswerMs);
      if (this.#options.onCall !== undefined) {
        this.#options.onCall(call);
        return;
      }
      this.#waitingInvites.push(call);
      this.watch.changed();
    };
    accept().catch((error: unknown) => this.watch.note(`the INVITE could not be taken: ${String(error)}`));
  }

  #autoAnswer(call: IncomingCall, delayMs: number): void {
    call.ring();
    setTimeout(() => {
      if (!this.#closed && !call.isEnded) call.answer();
    }, delayMs);
  }

  async #parts(dialog: Dialog, who: string): Promise<CallParts> {
    const watch = new Watch(who);
    const media = await PhoneMedia.open(this.local.host, watch);
    media.setTone(this.#options.toneHz);
    const codecs = this.#options.codecs ?? ['PCMA'];
    const srtpKey = this.#options.srtp === true ? newSrtpKey() : undefined;
    if (srtpKey !== undefined) media.secure(srtpKey);
    return { dialog, transactions: this.#transactions, media, watch, mediaHost: this.local.host, codecs, srtpKey };
  }

  #registerRequest(expiresS: number, authorization?: string): SipMessage {
    const { user } = this.#options;
    const domain = this.#domain();
    this.#registerCseq += 1;
    const extra: [string, string][] = authorization === undefined ? [] : [['Authorization', authorization]];
    return {
      method: 'REGISTER',
      uri: `sip:${domain}`,
      headers: [
        ['Via', viaOf(this.#transport, newBranch())],
        ['Max-Forwards', '70'],
        ['From', nameAddress(user, domain, undefined, this.#registerCallId)],
        ['To', nameAddress(user, domain)],
        ['Call-ID', this.#registerCallId],
        ['CSeq', `${this.#registerCseq} REGISTER`],
        ['Contact', this.#contact()],
        ['Expires', String(expiresS)],
        ...extra,
      ],
      body: '',
    };
  }

  #contact(): string {
    return `<sip:${this.#options.user}@${this.local.host}:${this.local.port}${this.#transportParameter()}>`;
  }

  #transportParameter(): string {
    const { kind } = this.#transport;
    return kind === 'udp' ? '' : `;transport=${kind}`;
  }

  #domain(): string {
    return this.#options.domain ?? `${this.#options.server.host}:${this.#options.server.port}`;
  }

  #credentials(): Credentials | undefined {
    const { user, password } = this.#options;
    return password === undefined ? undefined : { user, password };
  }
}
