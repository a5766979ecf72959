/** Client transactions (RFC 3261 section 17.1, with RFC 6026 for 2xx). */
import type { Clock, Timer } from '../../../kernel/clock.ts';
import type { Flow } from './flow.ts';
import { SipHeaders, type SipRequest, type SipResponse, serialiseMessage } from './message.ts';
import { T1_MS, T2_MS, T4_MS, TIMER_D_MS, TRANSACTION_TIMEOUT_MS } from './timers.ts';

export interface ClientHandlers {
  /** Every provisional response, the final one once; of an INVITE also each further 2xx. */
  onResponse(response: SipResponse): void;
  /** `timeout`: nobody answered (timers B, F). `transport`: it could not be sent. Told at most once, nothing follows. */
  onFailure(why: 'timeout' | 'transport'): void;
}

export interface ClientTransactionOptions {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly clock: Clock;
  readonly handlers: ClientHandlers;
  /** Told when the transaction is over and may be forgotten. */
  onTerminated(): void;
}

type ClientState = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';

export class ClientTransaction {
  readonly request: SipRequest;
  readonly #options: ClientTransactionOptions;
  readonly #bytes: Buffer;
  readonly #isInvite: boolean;
  #state: ClientState = 'calling';
  #retransmit: Timer | undefined;
  #timeout: Timer | undefined;
  #ack: Buffer | undefined;

  constructor(options: ClientTransactionOptions) {
    this.#options = options;
    this.request = options.request;
    this.#isInvite = options.request.method === 'INVITE';
    this.#bytes = serialiseMessage(options.request);
  }

  get state(): ClientState {
    return this.#state;
  }

  get flow(): Flow {
    return this.#options.flow;
  }

  /** Sends the request and begins to wait. */
  start(): void {
    const { clock } = this.#options;
    // Timer B (INVITE) or F: the whole time that an answer may take.
    this.#timeout = clock.setTimer(TRANSACTION_TIMEOUT_MS, () => this.#fail('timeout'));
    this.#send(this.#bytes);
    // Timer A or E: only datagrams get lost.
    if (this.#options.flow.protocol === 'udp') this.#armRetransmit(T1_MS);
  }

  #send(bytes: Buffer): void {
    this.#options.flow.send(bytes, () => this.#fail('transport'));
  }

  #armRetransmit(delayMs: number): void {
    this.#retransmit = this.#options.clock.setTimer(delayMs, () => {
      this.#send(this.#bytes);
      // INVITE doubles without end (17.1.1.2), the others up to T2, and at T2 once a 1xx came (17.1.2.2).
      const next = this.#isInvite ? delayMs * 2 : this.#state === 'proceeding' ? T2_MS : Math.min(delayMs * 2, T2_MS);
      this.#armRetransmit(next);
    });
  }

  #fail(why: 'timeout' | 'transport'): void {
    if (this.#state !== 'calling' && this.#state !== 'proceeding') return;
    this.#terminate();
    this.#options.handlers.onFailure(why);
  }

  /** Takes a response that the layer has matched to this transaction. */
  receive(response: SipResponse): void {
    if (this.#state === 'terminated') return;
    if (response.status < 200) {
      if (this.#state !== 'calling' && this.#state !== 'proceeding') return;
      this.#state = 'proceeding';
      if (this.#isInvite) {
        // From now on the phone rings as long as it likes: the caller's own time limit rules, not timer B.
        this.#retransmit?.cancel();
        this.#timeout?.cancel();
      }
      this.#options.handlers.onResponse(response);
      return;
    }
    if (this.#isInvite) this.#receiveInviteFinal(response);
    else this.#receiveFinal(response);
  }

  #receiveFinal(response: SipResponse): void {
    if (this.#state === 'completed') return;
    this.#complete(this.#options.flow.protocol === 'udp' ? T4_MS : 0);
    this.#options.handlers.onResponse(response);
  }

  #receiveInviteFinal(response: SipResponse): void {
    if (response.status < 300) {
      if (this.#state === 'completed') return;
      if (this.#state !== 'accepted') {
        this.#state = 'accepted';
        this.#clearTimers();
        // Timer M (RFC 6026): retransmitted or forked 2xx still find their way up, where each is acknowledged.
        this.#timeout = this.#options.clock.setTimer(TRANSACTION_TIMEOUT_MS, () => this.#terminate());
      }
      this.#options.handlers.onResponse(response);
      return;
    }
    if (this.#state === 'accepted') return;
    const first = this.#state !== 'completed';
    this.#ack ??= serialiseMessage(this.#makeAck(response));
    // The same ACK again for every retransmission of the response (17.1.1.2).
    this.#options.flow.send(this.#ack);
    if (!first) return;
    this.#complete(this.#options.flow.protocol === 'udp' ? TIMER_D_MS : 0);
    this.#options.handlers.onResponse(response);
  }

  /** Gives it up without telling anybody. */
  abandon(): void {
    this.#terminate();
  }

  #complete(lingerMs: number): void {
    this.#state = 'completed';
    this.#clearTimers();
    if (lingerMs === 0) this.#terminate();
    else this.#timeout = this.#options.clock.setTimer(lingerMs, () => this.#terminate());
  }

  /** The ACK of a refused INVITE belongs to the transaction: same Via, same Route (17.1.1.3). */
  #makeAck(response: SipResponse): SipRequest {
    const { headers, uri } = this.request;
    const ack = new SipHeaders()
      .add('Via', headers.get('via') ?? '')
      .add('Max-Forwards', '70')
      .add('From', headers.get('from') ?? '')
      .add('To', response.headers.get('to') ?? headers.get('to') ?? '')
      .add('Call-ID', headers.get('call-id') ?? '')
      .add('CSeq', `${(headers.get('cseq') ?? '1').split(' ')[0] ?? '1'} ACK`);
    for (const route of headers.all('route')) ack.add('Route', route);
    return { kind: 'request', method: 'ACK', uri, headers: ack, body: '' };
  }

  #clearTimers(): void {
    this.#retransmit?.cancel();
    this.#timeout?.cancel();
  }

  #terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#clearTimers();
    this.#options.onTerminated();
  }
}
