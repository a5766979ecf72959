/** Server transactions (RFC 3261 section 17.2, with RFC 6026 for 2xx). */
import type { Clock, Timer } from '../../../kernel/clock.ts';
import type { Flow } from './flow.ts';
import { reasonPhrases, SipHeaders, type SipRequest, type SipResponse, serialiseMessage } from './message.ts';
import { T1_MS, T2_MS, T4_MS, TRANSACTION_TIMEOUT_MS } from './timers.ts';

export interface ResponseOptions {
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]>;
  readonly contentType?: string;
  readonly body?: string;
  readonly reason?: string;
}

export interface ServerTransactionOptions {
  readonly request: SipRequest;
  /** Where responses go (RFC 3261 section 18.2.2, RFC 3581). */
  readonly flow: Flow;
  readonly clock: Clock;
  /** The tag that our responses put into To when the request has none. */
  readonly localTag: string;
  onTerminated(): void;
  /** A refusal was sent that is not remembered. */
  onRefused?(): void;
  /** The sender has proved who he is. */
  onTrusted?(): void;
}

/** What every response takes from its request (RFC 3261 section 8.2.6.2). */
const COPIED = [
  ['from', 'From'],
  ['to', 'To'],
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
] as const;

type ServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

export class ServerTransaction {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly localTag: string;
  /** The one who must know that a CANCEL came; set by whoever handles the INVITE. */
  onCancel: (() => void) | undefined;
  /** Told when nobody acknowledged a 2xx in time (RFC 3261 section 13.3.1.4). */
  onNoAck: (() => void) | undefined;
  readonly #options: ServerTransactionOptions;
  readonly #isInvite: boolean;
  #state: ServerState = 'proceeding';
  #lastResponse: Buffer | undefined;
  #retransmit: Timer | undefined;
  #timeout: Timer | undefined;

  constructor(options: ServerTransactionOptions) {
    this.#options = options;
    this.request = options.request;
    this.flow = options.flow;
    this.localTag = options.localTag;
    this.#isInvite = options.request.method === 'INVITE';
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Whether a final response has been sent. */
  get answered(): boolean {
    return this.#state !== 'proceeding';
  }

  /** The same request came again: say again what was said last. */
  receiveRetransmission(): void {
    // While a 2xx is out, its own timer repeats it; a further copy does no harm and helps an impatient caller.
    if (this.#lastResponse !== undefined && this.#state !== 'confirmed' && this.#state !== 'terminated') {
      this.flow.send(this.#lastResponse);
    }
  }

  /** Sends a response. Does nothing once a final one has been sent. */
  respond(status: number, options: ResponseOptions = {}): void {
    if (this.#state !== 'proceeding') return;
    this.#lastResponse = serialiseMessage(this.#build(status, options));
    this.flow.send(this.#lastResponse);
    if (status < 200) return;
    const { clock } = this.#options;
    const udp = this.flow.protocol === 'udp';
    if (!this.#isInvite) {
      // Timer J: a retransmitted request still gets its answer.
      this.#state = 'completed';
      if (udp) this.#timeout = clock.setTimer(TRANSACTION_TIMEOUT_MS, () => this.#terminate());
      else this.#terminate();
      return;
    }
    this.#state = status < 300 ? 'accepted' : 'completed';
    // A 2xx is repeated on every transport because only the ACK proves it arrived (13.3.1.4); others over UDP (timer G).
    if (udp || status < 300) this.#armRetransmit(T1_MS);
    // Timer H, or the wait for the ACK of a 2xx.
    this.#timeout = clock.setTimer(TRANSACTION_TIMEOUT_MS, () => {
      const unheard = this.#state === 'accepted' && this.#retransmit !== undefined;
      this.#terminate();
      if (unheard) this.onNoAck?.();
    });
  }

  /**
   * Answers and forgets, as a stateless server does (RFC 3261 section 8.2.7): nothing is repeated, and a request that
   * comes again is answered anew. So those whom nobody knows can't fill our memory, however many they are.
   */
  respondOnce(status: number, options: ResponseOptions = {}): void {
    if (this.#state !== 'proceeding') return;
    this.flow.send(serialiseMessage(this.#build(status, options)));
    this.#terminate();
    if (status >= 300) this.#options.onRefused?.();
  }

  /** The sender has proved who he is. */
  trust(): void {
    this.#options.onTrusted?.();
  }

  #armRetransmit(delayMs: number): void {
    this.#retransmit = this.#options.clock.setTimer(delayMs, () => {
      if (this.#lastResponse !== undefined) this.flow.send(this.#lastResponse);
      this.#armRetransmit(Math.min(delayMs * 2, T2_MS));
    });
  }

  /** An ACK came: of a refusal it ends the transaction (timer I), of a 2xx it ends the repeating. */
  receiveAck(): void {
    this.#retransmit?.cancel();
    this.#retransmit = undefined;
    if (this.#state !== 'completed') return;
    this.#state = 'confirmed';
    this.#timeout?.cancel();
    if (this.flow.protocol === 'udp') this.#timeout = this.#options.clock.setTimer(T4_MS, () => this.#terminate());
    else this.#terminate();
  }

  #build(status: number, options: ResponseOptions): SipResponse {
    const source = this.request.headers;
    const headers = new SipHeaders();
    for (const via of source.all('via')) headers.add('Via', via);
    for (const [key, name] of COPIED) {
      const value = source.get(key);
      // A broken request may lack one: its refusal then lacks it too, instead of having it empty.
      if (value === undefined) continue;
      // Every response but 100 names our half of the dialog (RFC 3261 section 8.2.6.2).
      const tagged = key !== 'to' || status === 100 || /;\s*tag\s*=/i.test(value);
      headers.add(name, tagged ? value : `${value};tag=${this.localTag}`);
    }
    if (status > 100 && status < 300)
      for (const route of source.all('record-route')) headers.add('Record-Route', route);
    for (const [name, value] of options.headers ?? []) headers.add(name, value);
    if (options.body !== undefined) headers.add('Content-Type', options.contentType ?? 'application/sdp');
    const reason = options.reason ?? reasonPhrases[status] ?? 'Unknown';
    return { kind: 'response', status, reason, headers, body: options.body ?? '' };
  }

  #terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#retransmit?.cancel();
    this.#retransmit = undefined;
    this.#timeout?.cancel();
    this.#options.onTerminated();
  }
}
