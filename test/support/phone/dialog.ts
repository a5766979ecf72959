/** The addresses and numbers of one SIP dialog (RFC 3261, section 12), and the requests inside it. */
import { randomBytes } from 'node:crypto';
import { addressOf, header, headerValues, parameterOf, quoted, type SipMessage } from './sip-message.ts';
import { newBranch } from './transactions.ts';
import type { SipTransport, SocketAddress } from './transport.ts';

export const token = (): string => randomBytes(6).toString('hex');

export interface DialogStart {
  readonly callId: string;
  /** Our From or To value with our tag. */
  readonly local: string;
  /** Theirs; gets its tag with the first answer that has one. */
  readonly remote: string;
  readonly remoteTarget: string;
  readonly user: string;
}

export class Dialog {
  readonly callId: string;
  readonly local: string;
  remote: string;
  remoteTarget: string;
  /** The way through proxies (section 12.1), the nearest first. */
  #routes: readonly string[] = [];
  readonly #transport: SipTransport;
  readonly #user: string;
  readonly #start: DialogStart;
  #cseq = 0;

  constructor(transport: SipTransport, start: DialogStart) {
    this.#transport = transport;
    this.callId = start.callId;
    this.local = start.local;
    this.remote = start.remote;
    this.remoteTarget = start.remoteTarget;
    this.#user = start.user;
    this.#start = start;
  }

  get contact(): string {
    const { host, port } = this.#transport.local;
    return `<sip:${this.#user}@${host}:${port};transport=${this.#transport.kind}>`;
  }

  /** Takes tag and contact from a response or from a re-INVITE. */
  learn(message: SipMessage): void {
    const recorded = headerValues(message, 'Record-Route');
    if (recorded.length > 0 && this.#routes.length === 0) {
      this.#routes = message.method === undefined ? recorded.toReversed() : recorded;
    }
    const contact = header(message, 'Contact');
    if (contact !== '') this.remoteTarget = addressOf(contact);
    if (message.method === undefined && parameterOf(header(message, 'To'), 'tag') !== undefined) {
      this.remote = header(message, 'To');
    }
  }

  /** Back to before any answer: a challenge was no dialog (RFC 3261, section 22.2). */
  forgetPeer(): void {
    this.remote = this.#start.remote;
    this.remoteTarget = this.#start.remoteTarget;
    this.#routes = [];
  }

  get #route(): [string, string][] {
    return this.#routes.map((hop) => ['Route', hop]);
  }

  /** A new request in the dialog. ACK and CANCEL are made by `follow`. */
  request(method: string, extra: readonly (readonly [string, string])[] = [], body = ''): SipMessage {
    this.#cseq += 1;
    return {
      method,
      uri: this.remoteTarget,
      headers: [
        ['Via', viaOf(this.#transport, newBranch())],
        ['Max-Forwards', '70'],
        ...this.#route,
        ['From', this.local],
        ['To', this.remote],
        ['Call-ID', this.callId],
        ['CSeq', `${this.#cseq} ${method}`],
        ['Contact', this.contact],
        ['User-Agent', 'test phone'],
        ...extra,
      ],
      body,
    };
  }

  /** ACK or CANCEL for an INVITE of ours (RFC 3261, sections 9.1, 13.2.2.4 and 17.1.1.3). */
  follow(method: 'ACK' | 'CANCEL', invite: SipMessage, response?: SipMessage): SipMessage {
    const number = header(invite, 'CSeq').split(' ')[0];
    const positive = method === 'ACK' && (response?.status ?? 0) < 300;
    return {
      method,
      uri: positive ? this.remoteTarget : (invite.uri ?? ''),
      headers: [
        ['Via', positive ? viaOf(this.#transport, newBranch()) : header(invite, 'Via')],
        ['Max-Forwards', '70'],
        ...(positive ? this.#route : []),
        ['From', this.local],
        ['To', response === undefined ? header(invite, 'To') : header(response, 'To')],
        ['Call-ID', this.callId],
        ['CSeq', `${number} ${method}`],
      ],
      body: '',
    };
  }
}

export function viaOf(transport: SipTransport, branch: string): string {
  const { host, port } = transport.local;
  return `SIP/2.0/${transport.kind.toUpperCase()} ${host}:${port};rport;branch=${branch}`;
}

/** A From or To value. */
export function nameAddress(user: string, at: SocketAddress | string, name?: string, tag?: string): string {
  const host = typeof at === 'string' ? at : `${at.host}:${at.port}`;
  const display = name === undefined ? '' : `${quoted(name)} `;
  return `${display}<sip:${user}@${host}>${tag === undefined ? '' : `;tag=${tag}`}`;
}

/** A response with the headers that every response copies (RFC 3261, section 8.2.6.2). */
export function responseTo(
  request: SipMessage,
  status: number,
  phrase: string,
  extra: {
    readonly tag?: string;
    readonly headers?: readonly (readonly [string, string])[];
    readonly body?: string;
  } = {},
): SipMessage {
  const to = header(request, 'To');
  const tagged = extra.tag === undefined || parameterOf(to, 'tag') !== undefined ? to : `${to};tag=${extra.tag}`;
  return {
    status,
    phrase,
    headers: [
      ...headerValues(request, 'Via').map((via): [string, string] => ['Via', via]),
      ...headerValues(request, 'Record-Route').map((hop): [string, string] => ['Record-Route', hop]),
      ['From', header(request, 'From')],
      ['To', tagged],
      ['Call-ID', header(request, 'Call-ID')],
      ['CSeq', header(request, 'CSeq')],
      ...(extra.headers ?? []),
    ],
    body: extra.body ?? '',
  };
}
