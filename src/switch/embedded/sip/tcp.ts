/** SIP over TCP (RFC 3261 section 18): connections are shared by all transactions to the same far end. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../../../kernel/log.ts';
import type { Flow, TransportHandlers } from './flow.ts';
import { SipStreamReader } from './tcp-framing.ts';

/** More at once are refused: each costs a descriptor, and phones use one each. */
const MAX_CONNECTIONS = 2_000;
const CONNECT_DEADLINE_MS = 5_000;
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

  private constructor(handlers: TransportHandlers, log: Logger) {
    this.#handlers = handlers;
    this.#log = log;
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      this.#adopt(socket, plainAddress(socket.remoteAddress), socket.remotePort ?? 0);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws Error of `listen`, e.g. EADDRINUSE. */
  static listen(address: string, port: number, handlers: TransportHandlers, log: Logger): Promise<TcpTransport> {
    const transport = new TcpTransport(handlers, log);
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

  /** The open connection to that far end, or a new one. */
  flowTo(address: string, port: number): Flow {
    const existing = this.#flows.get(addressKey(address, port));
    if (existing?.open) return existing;
    const socket = connect({ host: address, port, noDelay: true, keepAlive: true, timeout: CONNECT_DEADLINE_MS });
    socket.once('timeout', () => socket.destroy(new Error('no connection in time')));
    socket.once('connect', () => socket.setTimeout(0));
    return this.#adopt(socket, address, port);
  }

  #adopt(socket: Socket, address: string, port: number): Flow {
    const reader = new SipStreamReader();
    const flow: Flow = {
      protocol: 'tcp',
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
        if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy(new Error('peer does not read'));
        socket.write(bytes, (error) => {
          if (error !== null && error !== undefined) onError?.(error);
        });
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
