/** One SIP side of the switch (a "profile"): its sockets, its transactions and the first checks of every request. */
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../../kernel/clock.ts';
import { errorChain } from '../../../kernel/errors.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { SwitchCertificate } from '../../../kernel/sip-certificate.ts';
import { allowHeader } from './allow.ts';
import type { ClientHandlers, ClientTransaction } from './client-transaction.ts';
import type { Flow, SipProtocol, TransportHandlers } from './flow.ts';
import { type SipRequest, serialiseMessage } from './message.ts';
import { parseMessage } from './parse.ts';
import { ServerTransaction } from './server-transaction.ts';
import { SourceLimit } from './source-limit.ts';
import { TcpTransport } from './tcp.ts';
import { MAGIC_COOKIE, randomToken, TransactionLayer } from './transaction-layer.ts';
import { UdpTransport } from './udp.ts';
import { hostInUri, listValues, parseVia, splitOutsideQuotes } from './values.ts';

export interface EndpointOptions {
  /** `trunk` or `agents`. */
  readonly name: string;
  readonly bindAddress: string;
  /** 0 takes any free port, the same for UDP and TCP. */
  readonly port: number;
  /** With it, TLS is spoken on a port of its own. */
  readonly tls?: { readonly port: number; readonly certificate: SwitchCertificate };
  /** Whether its far ends may transfer calls by REFER: phones of seats, never carriers. */
  readonly takesRefer?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface EndpointHandlers {
  onRequest(transaction: ServerTransaction): void;
  onAck(request: SipRequest, flow: Flow): void;
}

/** How often a free port is looked for that both UDP and TCP can have. */
const FREE_PORT_ATTEMPTS = 20;
/** Twenty calls from outside the ACL are as bad as five hundred challenges. */
const STRANGER_WEIGHT = 24;
const WILDCARDS = new Set(['0.0.0.0', '::']);

/** What the sockets have seen, for `status`. */
export interface EndpointCounters {
  received: number;
  malformed: number;
  strayResponses: number;
  /** Not read at all: their source had been refused too often. */
  dropped: number;
}

export class SipEndpoint {
  readonly name: string;
  readonly counters: EndpointCounters = { received: 0, malformed: 0, strayResponses: 0, dropped: 0 };
  readonly #options: EndpointOptions;
  readonly #layer: TransactionLayer;
  readonly #sources: SourceLimit;
  readonly #handlers: TransportHandlers = {
    onMessage: (bytes, flow) => this.#receive(bytes, flow),
    onGarbage: (reason, flow) => this.#noteMalformed(reason, flow),
  };
  #udp: UdpTransport | undefined;
  #tcp: TcpTransport | undefined;
  #tls: TcpTransport | undefined;

  constructor(options: EndpointOptions, handlers: EndpointHandlers) {
    this.name = options.name;
    this.#options = options;
    this.#sources = new SourceLimit(options.clock);
    this.#layer = new TransactionLayer(options.clock, {
      ...handlers,
      onRefused: (flow) => this.#sources.note(flow.remoteAddress),
      // Its challenge was no refusal: a house full of phones is never held up.
      onTrusted: (flow) => this.#sources.note(flow.remoteAddress, -1),
    });
  }

  get takesRefer(): boolean {
    return this.#options.takesRefer === true;
  }

  /** The Allow header of this side. */
  get allow(): readonly [string, string] {
    return allowHeader(this.takesRefer);
  }

  get port(): number {
    return this.#udp?.port ?? 0;
  }

  get transactions(): number {
    return this.#layer.size;
  }

  /** The port of TLS; 0 without it. */
  get tlsPort(): number {
    return this.#tls?.port ?? 0;
  }

  /**
   * Opens UDP and TCP on the same port.
   * @throws Error of the socket, e.g. EADDRINUSE.
   */
  async open(): Promise<void> {
    const { bindAddress, port, log } = this.#options;
    const handlers = this.#handlers;
    for (let attempt = 1; ; attempt += 1) {
      const tcp = await TcpTransport.listen(bindAddress, port, handlers, log);
      try {
        this.#udp = await UdpTransport.bind(bindAddress, tcp.port, handlers, log);
        this.#tcp = tcp;
        return;
      } catch (error) {
        await tcp.close();
        // With port 0 the number that TCP got may be somebody else's over UDP: take another.
        if (port !== 0 || attempt >= FREE_PORT_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Opens TLS, where the options ask for it.
   * @throws Error of the socket, e.g. EADDRINUSE.
   */
  async openTls(): Promise<void> {
    const { bindAddress, tls, log } = this.#options;
    if (tls === undefined) return;
    this.#tls = await TcpTransport.listen(bindAddress, tls.port, this.#handlers, log, tls.certificate.context);
  }

  /** Shows another certificate from now on. */
  renewCertificate(certificate: SwitchCertificate): void {
    this.#tls?.renew(certificate.context);
  }

  /** The address of ours that a far end at `remote` can reach. */
  localAddressFor(remote: string): string {
    const bound = this.#options.bindAddress;
    if (!WILDCARDS.has(bound)) return bound;
    if (remote.startsWith('127.') || remote === '::1') return remote.includes(':') ? '::1' : '127.0.0.1';
    for (const addresses of Object.values(networkInterfaces())) {
      for (const address of addresses ?? []) if (!address.internal && address.family === 'IPv4') return address.address;
    }
    return '127.0.0.1';
  }

  /** `host:port` of ours as that flow's far end sees it, for Via and Contact. */
  sentBy(flow: Flow): string {
    const port = flow.protocol === 'tls' ? this.tlsPort : this.port;
    return `${hostInUri(this.localAddressFor(flow.remoteAddress))}:${port}`;
  }

  /** The Contact value of our half of a dialog over that flow. */
  contact(flow: Flow): string {
    const transport = flow.protocol === 'udp' ? '' : `;transport=${flow.protocol}`;
    return `<sip:switch@${this.sentBy(flow)}${transport}>`;
  }

  /** @param name of the far end, which its certificate must be for; the address when left out. */
  flowTo(protocol: SipProtocol, address: string, port: number, name?: string): Flow {
    if (protocol === 'tls' && this.#tls === undefined) return closedFlow(address, port);
    const flow =
      protocol === 'udp'
        ? this.#udp?.flowTo(address, port)
        : (protocol === 'tls' ? this.#tls : this.#tcp)?.flowTo(address, port, name);
    if (flow === undefined) throw new Error('endpoint is not open');
    return flow;
  }

  request(request: SipRequest, flow: Flow, handlers: ClientHandlers): ClientTransaction {
    return this.#layer.send(request, flow, this.sentBy(flow), handlers);
  }

  cancel(invite: ClientTransaction, cancel: SipRequest, handlers: ClientHandlers): void {
    this.#layer.sendCancel(invite, cancel, handlers);
  }

  /** Sends the ACK of a 2xx: it is a transaction of its own without any answer (RFC 3261 section 13.2.2.4). */
  sendAck(ack: SipRequest, flow: Flow): void {
    const protocol = flow.protocol.toUpperCase();
    ack.headers.prepend('Via', `SIP/2.0/${protocol} ${this.sentBy(flow)};branch=${MAGIC_COOKIE}${randomToken()};rport`);
    flow.send(serialiseMessage(ack));
  }

  /** Somebody called who may not: nobody does so often by mistake. */
  noteStranger(address: string): void {
    this.#sources.note(address, STRANGER_WEIGHT);
  }

  #noteMalformed(reason: string, flow: Flow): void {
    this.counters.malformed += 1;
    this.#sources.note(flow.remoteAddress);
    this.#options.log.debug({ reason, address: flow.remoteAddress, port: flow.remotePort }, 'malformed SIP message');
  }

  #receive(bytes: Buffer, flow: Flow): void {
    this.counters.received += 1;
    if (this.#sources.isOverrun(flow.remoteAddress)) {
      this.counters.dropped += 1;
      return;
    }
    try {
      this.#dispatch(bytes, flow);
    } catch (error) {
      // One message that trips a fault of ours must not end the calls of all others.
      this.#options.log.error({ error: errorChain(error), address: flow.remoteAddress }, 'SIP message not handled');
    }
  }

  #dispatch(bytes: Buffer, flow: Flow): void {
    const result = parseMessage(bytes);
    if (result.kind === 'bad') {
      this.#noteMalformed(result.reason, flow);
      if (result.request !== undefined) this.#refuseMalformed(result.request, flow, result.reason);
      return;
    }
    const { message } = result;
    if (message.kind === 'response') {
      if (!this.#layer.receiveResponse(message)) this.counters.strayResponses += 1;
      return;
    }
    this.#layer.receiveRequest(message, this.#replyFlow(message, flow));
  }

  /** Answers without a transaction: nothing of a broken request is worth remembering. */
  #refuseMalformed(request: SipRequest, flow: Flow, reason: string): void {
    const once = new ServerTransaction({
      request,
      flow: this.#replyFlow(request, flow),
      clock: { now: () => 0, setTimer: () => ({ cancel: () => undefined }) },
      localTag: randomToken(),
      onTerminated: () => undefined,
    });
    const status = reason === 'SIP version unknown' ? 505 : 400;
    once.respondOnce(status, { reason: status === 400 ? `Bad Request: ${reason}` : 'Version Not Supported' });
  }

  /** Notes the true source in the Via and says where responses go (RFC 3261 section 18.2, RFC 3581 section 4). */
  #replyFlow(request: SipRequest, flow: Flow): Flow {
    const line = request.headers.get('via') ?? '';
    const values = splitOutsideQuotes(line, ',');
    const top = values[0] ?? '';
    const via = parseVia(listValues([top])[0] ?? '');
    if (via === undefined) return flow;
    const wantsRport = via.parameters.has('rport');
    const differs = via.host !== flow.remoteAddress;
    if (wantsRport || differs) {
      const bare = top.replace(/;\s*rport(=[^;]*)?/i, '').replace(/;\s*received=[^;]*/i, '');
      const rport = wantsRport ? `;rport=${flow.remotePort}` : '';
      request.headers.set('Via', [`${bare};received=${flow.remoteAddress}${rport}`, ...values.slice(1)].join(', '));
    }
    if (flow.protocol !== 'udp' || wantsRport) return flow;
    return this.flowTo('udp', flow.remoteAddress, via.port ?? 5060);
  }

  async close(): Promise<void> {
    await Promise.all([this.#udp?.close(), this.#tcp?.close(), this.#tls?.close()]);
  }
}

/** Somebody is to be reached over TLS, which is not set up: what is sent there fails at once, as on a dead connection. */
function closedFlow(remoteAddress: string, remotePort: number): Flow {
  return {
    ...{ protocol: 'tls', remoteAddress, remotePort, open: false },
    send: (_bytes, onError) => onError?.(new Error('TLS is not set up on this side')),
  };
}
