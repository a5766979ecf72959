/** SIP over TCP and TLS (RFC 3261 section 18): connections are shared by all transactions to the same far end. */
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import {
  connect as connectTls,
  createServer as createTlsServer,
  type SecureContextOptions,
  Server as TlsServer,
} from 'node:tls';
import type { Logger } from '../../../kernel/log.ts';
import type { Flow, TransportHandlers } from './flow.ts';
import { plainOutbox, vouchedOutbox } from './outbox.ts';
import { SipStreamReader } from './tcp-framing.ts';

/** More at once are refused: each costs a descriptor, and phones use one each. */
const MAX_CONNECTIONS = 2_000;
const CONNECT_DEADLINE_MS = 5_000;
/** Whoever does not even get so far holds a descriptor for nothing. */
const HANDSHAKE_DEADLINE_MS = 5_000;
/** A peer that does not read this much is gone or hostile. */
const MAX_UNSENT_BYTES = 1024 * 1024;
const PONG = Buffer.from('\r\n');

function addressKey(address: string, port: number): string {
  return `${address} ${port}`;
}

/** Node shows IPv4 peers of a dual-stack socket as ::ffff:1.2.3.4. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/, '');
}

export class TcpTransport {
  readonly #server: Server;
  readonly #handlers: TransportHandlers;
  readonly #log: Logger;
  readonly #sockets = new Set<Socket>();
  readonly #flows = new Map<string, Flow>();
  #secure: SecureContextOptions | undefined;

  private constructor(handlers: TransportHandlers, log: Logger, secure: SecureContextOptions | undefined) {
    this.#handlers = handlers;
    this.#log = log;
    this.#secure = secure;
    const options = { noDelay: true, keepAlive: true };
    const accept = (socket: Socket): void => {
      this.#adopt(socket, plainAddress(socket.remoteAddress), socket.remotePort ?? 0);
    };
    this.#server =
      secure === undefined
        ? createServer(options, accept)
        : createTlsServer({ ...options, ...secure, handshakeTimeout: HANDSHAKE_DEADLINE_MS }, accept);
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // Plain text, an old version, or nothing more in time, in which case Node leaves the connection open.
    this.#server.on('tlsClientError', (error: Error, socket: Socket) => {
      this.#log.debug(
        { err: error, address: plainAddress(socket.remoteAddress) },
        'a TLS connection did not come about',
      );
      socket.destroy();
    });
  }

  /**
   * @param secure with it, all connections are of TLS.
   * @throws Error of `listen`, e.g. EADDRINUSE.
   */
  static listen(
    address: string,
    port: number,
    handlers: TransportHandlers,
    log: Logger,
    secure?: SecureContextOptions,
  ): Promise<TcpTransport> {
    const transport = new TcpTransport(handlers, log, secure);
    return new Promise((resolve, reject) => {
      transport.#server.once('error', reject);
      transport.#server.listen(port, address, () => {
        transport.#server.off('error', reject);
        transport.#server.on('error', (error) => log.warn({ err: error }, 'SIP listener reports an error'));
        resolve(transport);
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** Shows another certificate on connections to come; those that stand go on. */
  renew(secure: SecureContextOptions): void {
    this.#secure = secure;
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(secure);
  }

  /**
   * The open connection to that far end, or a new one. Over TLS its certificate must be vouched for, and be that of
   * `name` (of the address where there is none): RFC 5922.
   */
  flowTo(address: string, port: number, name = address): Flow {
    const existing = this.#flows.get(addressKey(address, port));
    if (existing?.open) return existing;
    const options = { host: address, port, noDelay: true, keepAlive: true, timeout: CONNECT_DEADLINE_MS };
    const socket =
      this.#secure === undefined
        ? connect(options)
        : connectTls({ ...options, ...this.#secure, ...(isIP(name) === 0 ? { servername: name } : {}) });
    socket.once('timeout', () => socket.destroy(new Error('no connection in time')));
    socket.once(this.#secure === undefined ? 'connect' : 'secureConnect', () => socket.setTimeout(0));
    return this.#adopt(socket, address, port, this.#secure === undefined ? plainOutbox(socket) : vouchedOutbox(socket));
  }

  #adopt(socket: Socket, address: string, port: number, outbox = plainOutbox(socket)): Flow {
    const reader = new SipStreamReader();
    const flow: Flow = {
      protocol: this.#secure === undefined ? 'tcp' : 'tls',
      remoteAddress: address,
      remotePort: port,
      get open() {
        return !socket.destroyed && socket.writable;
      },
      send(bytes, onError) {
        if (socket.destroyed || !socket.writable) {
          onError?.(new Error('connection is closed'));
          return;
        }
        if (outbox.length > MAX_UNSENT_BYTES) socket.destroy(new Error('peer does not read'));
        outbox.write(bytes, onError);
      },
    };
    this.#sockets.add(socket);
    this.#flows.set(addressKey(address, port), flow);
    socket.on('data', (chunk: Buffer) => this.#read(reader, chunk, socket, flow));
    socket.on('error', (error) => this.#log.debug({ err: error, address, port }, 'SIP connection failed'));
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#flows.get(addressKey(address, port)) === flow) this.#flows.delete(addressKey(address, port));
    });
    return flow;
  }

  #read(reader: SipStreamReader, chunk: Buffer, socket: Socket, flow: Flow): void {
    const result = reader.push(chunk);
    for (const message of result.messages) this.#handlers.onMessage(message, flow);
    if (result.pings > 0 && socket.writable) socket.write(PONG);
    if (result.error !== undefined) {
      this.#handlers.onGarbage(result.error, flow);
      socket.destroy();
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}
