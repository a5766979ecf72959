/**
 * One UDP socket for any number of light phones: requests are repeated until they are answered, repeated requests
 * get the same answer again (RFC 3261, section 17), and no more. What a phone does is up to its owner.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { header, parameterOf, parseSip, type SipMessage, writeSip } from '../../test/support/phone/sip-message.ts';
import type { SocketAddress } from '../../test/support/phone/transport.ts';

const host = '127.0.0.1';
const repeatMs = 500;
const repeats = 10;
/** Answers are kept for repeated requests; on loopback those come soon or not at all. */
const keptAnswers = 2000;

type Headers = readonly (readonly [string, string])[];

interface Sent {
  readonly onResponse: (response: SipMessage) => void;
  readonly timer: NodeJS.Timeout;
}

/** A request that came; `answer` may be called several times, the last one is what a repetition gets. */
export type OnRequest = (request: SipMessage, answer: (response: SipMessage) => void) => void;

export const randomToken = (): string => randomBytes(8).toString('hex');

export class SipPort {
  readonly #socket: Socket;
  readonly #sent = new Map<string, Sent>();
  readonly #answers = new Map<string, Buffer>();
  readonly #onRequest: OnRequest;

  private constructor(socket: Socket, onRequest: OnRequest) {
    this.#socket = socket;
    this.#onRequest = onRequest;
    socket.on('message', (datagram, from) => this.#receive(datagram, { host: from.address, port: from.port }));
    // An ICMP error of the far side; the request is repeated anyway.
    socket.on('error', () => undefined);
  }

  static async open(onRequest: OnRequest): Promise<SipPort> {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: 1 << 20,
      // Addresses are numeric: the system's resolver would only cost a thread's time.
      lookup: (address, _options, callback) => callback(null, address, 4),
    });
    // The numeric look-up answers at once, so the listener must be there first.
    const listening = once(socket, 'listening');
    socket.bind(0, host);
    await listening;
    return new SipPort(socket, onRequest);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  contact(user: string): string {
    return `<sip:${user}@${host}:${this.port}>`;
  }

  /** Sends a request to `to` and hears all its responses; repeated until the first one. */
  request(message: SipMessage, to: SocketAddress, onResponse: (response: SipMessage) => void): void {
    const { branch, bytes } = this.#withVia(message);
    let left = repeats;
    const timer = setInterval(() => {
      left -= 1;
      if (left <= 0) clearInterval(timer);
      this.#send(bytes, to);
    }, repeatMs);
    this.#sent.set(`${branch} ${message.method}`, { onResponse, timer });
    this.#send(bytes, to);
  }

  /** Sends an ACK, which has no response. */
  sendOnly(message: SipMessage, to: SocketAddress): void {
    this.#send(this.#withVia(message).bytes, to);
  }

  close(): void {
    for (const { timer } of this.#sent.values()) clearInterval(timer);
    this.#socket.close();
  }

  #withVia(message: SipMessage): { branch: string; bytes: Buffer } {
    const branch = `z9hG4bK${randomToken()}`;
    const via: [string, string] = ['Via', `SIP/2.0/UDP ${host}:${this.port};branch=${branch};rport`];
    const headers: Headers = [via, ['Max-Forwards', '70'], ...message.headers];
    return { branch, bytes: writeSip({ ...message, headers }) };
  }

  #send(bytes: Buffer, to: SocketAddress): void {
    this.#socket.send(bytes, to.port, to.host);
  }

  #receive(datagram: Buffer, from: SocketAddress): void {
    const message = parseSip(datagram.toString('utf8'));
    if (message === undefined) return;
    const branch = parameterOf(header(message, 'Via'), 'branch') ?? '';
    if (message.method === undefined) {
      const sent = this.#sent.get(`${branch} ${header(message, 'CSeq').split(' ')[1] ?? ''}`);
      if (sent === undefined) return;
      clearInterval(sent.timer);
      sent.onResponse(message);
      return;
    }
    const key = `${branch} ${message.method}`;
    const answered = this.#answers.get(key);
    if (answered !== undefined) {
      this.#send(answered, from);
      return;
    }
    this.#onRequest(message, (response) => {
      const bytes = writeSip(response);
      this.#answers.set(key, bytes);
      if (this.#answers.size > keptAnswers) this.#answers.delete(this.#answers.keys().next().value ?? '');
      this.#send(bytes, from);
    });
  }
}

/** A response with what it must repeat of its request (RFC 3261, section 8.2.6). */
export function responseOf(
  request: SipMessage,
  status: number,
  phrase: string,
  toTag: string,
  extra: Headers = [],
  body = '',
): SipMessage {
  const copied = request.headers.filter(([name]) => /^(via|from|call-id|cseq|v|f|i|record-route)$/i.test(name));
  const to = header(request, 'To');
  const tagged = parameterOf(to, 'tag') === undefined ? `${to};tag=${toTag}` : to;
  return { status, phrase, headers: [...copied, ['To', tagged], ...extra], body };
}

/** Where requests inside a dialog go: the far side's contact. */
export function addressIn(uri: string): SocketAddress {
  const found = /^sips?:(?:[^@]*@)?([^:;>]+)(?::(\d+))?/.exec(uri);
  return { host: found?.[1] ?? host, port: Number(found?.[2] ?? 5060) };
}
