/** Requests and their answers (RFC 3261, section 17): sends again over UDP, answers repeated requests once more. */
import { randomBytes } from 'node:crypto';
import { header, parameterOf, type SipMessage, summary } from './sip-message.ts';
import type { Reply, SipTransport, SocketAddress } from './transport.ts';

const t1Ms = 500;
const t2Ms = 4000;
const keptAnswers = 200;

interface Pending {
  onResponse(response: SipMessage): void;
}

export interface ResponseListeners {
  onProvisional?(response: SipMessage): void;
  onRepeated?(response: SipMessage): void;
}

export const newBranch = (): string => `z9hG4bK${randomBytes(8).toString('hex')}`;

export class Transactions {
  readonly #transport: SipTransport;
  readonly #server: SocketAddress;
  readonly #pending = new Map<string, Pending>();
  /** Last answer to each request that came in, so that a repeated request gets it again. */
  readonly #answers = new Map<string, SipMessage>();
  readonly #repeats = new Set<NodeJS.Timeout>();
  readonly #limits = new Set<NodeJS.Timeout>();

  constructor(transport: SipTransport, server: SocketAddress) {
    this.#transport = transport;
    this.#server = server;
  }

  /** Sends without waiting for anything: ACK, and whatever a test wants to send broken. */
  sendOnly(message: SipMessage): void {
    this.#transport.send(message, this.#server);
  }

  /**
   * Sends a request whose top Via holds a fresh branch.
   * @returns the final response. Provisional ones, and repetitions of the final one, go to the listeners.
   * @throws Error when no final response came within `withinMs`.
   */
  request(message: SipMessage, withinMs: number, listeners: ResponseListeners = {}): Promise<SipMessage> {
    const key = `${parameterOf(header(message, 'Via'), 'branch')} ${message.method}`;
    const asked = new Error(`no final response to ${summary(message)} within ${withinMs} ms`);
    return new Promise((resolve, reject) => {
      const stopRepeating = this.#repeat(
        () => this.#transport.send(message, this.#server),
        message.method === 'INVITE',
      );
      const limit = setTimeout(() => {
        this.#limits.delete(limit);
        stopRepeating();
        this.#pending.delete(key);
        reject(asked);
      }, withinMs);
      this.#limits.add(limit);
      let ended = false;
      this.#pending.set(key, {
        onResponse: (response) => {
          stopRepeating();
          if ((response.status ?? 0) < 200) {
            listeners.onProvisional?.(response);
            return;
          }
          // An INVITE's entry stays: a repeated final response needs its ACK again.
          if (ended) listeners.onRepeated?.(response);
          ended = true;
          clearTimeout(limit);
          this.#limits.delete(limit);
          if (message.method !== 'INVITE') this.#pending.delete(key);
          resolve(response);
        },
      });
      this.#transport.send(message, this.#server);
    });
  }

  /** Answers a request and remembers the answer for repetitions. */
  respond(request: SipMessage, reply: Reply, response: SipMessage): void {
    this.#answers.set(serverKey(request), response);
    if (this.#answers.size > keptAnswers) this.#answers.delete(this.#answers.keys().next().value ?? '');
    reply(response);
  }

  /** Sends a 200 to an INVITE again and again until its ACK came (RFC 3261, section 13.3.1.4). */
  repeatUntilAcked(send: () => void): () => void {
    return this.#repeat(send, false);
  }

  /** @returns true when the message was a response or a repeated request and is dealt with. */
  handled(message: SipMessage, reply: Reply): boolean {
    if (message.method === undefined) {
      const key = `${parameterOf(header(message, 'Via'), 'branch')} ${header(message, 'CSeq').split(' ')[1]}`;
      this.#pending.get(key)?.onResponse(message);
      return true;
    }
    const answered = message.method === 'ACK' ? undefined : this.#answers.get(serverKey(message));
    if (answered !== undefined) reply(answered);
    return answered !== undefined;
  }

  close(): void {
    for (const timer of this.#repeats) clearTimeout(timer);
    this.#repeats.clear();
    for (const limit of this.#limits) clearTimeout(limit);
    this.#limits.clear();
  }

  #repeat(send: () => void, doubleForEver: boolean): () => void {
    if (this.#transport.kind !== 'udp') return () => undefined;
    let delayMs = t1Ms;
    let stopped = false;
    let timer: NodeJS.Timeout;
    const arm = () => {
      timer = setTimeout(() => {
        this.#repeats.delete(timer);
        if (stopped) return;
        send();
        delayMs = doubleForEver ? delayMs * 2 : Math.min(delayMs * 2, t2Ms);
        arm();
      }, delayMs);
      this.#repeats.add(timer);
    };
    arm();
    return () => {
      stopped = true;
      clearTimeout(timer);
      this.#repeats.delete(timer);
    };
  }
}

const serverKey = (request: SipMessage): string =>
  `${parameterOf(header(request, 'Via'), 'branch')} ${request.method} ${header(request, 'CSeq')}`;
