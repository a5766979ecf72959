/** SIP over UDP (RFC 3261 section 18). */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Logger } from '../../../kernel/log.ts';
import type { Flow, TransportHandlers } from './flow.ts';

/** Datagrams of a burst of calls wait in the kernel while the loop is busy with media. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
/** Shorter datagrams are keep-alives of phones behind NAT (RFC 5626, CRLF) or nothing at all. */
const MIN_MESSAGE_BYTES = 20;

export class UdpTransport {
  readonly #socket: Socket;

  private constructor(socket: Socket, handlers: TransportHandlers, log: Logger) {
    this.#socket = socket;
    socket.on('message', (bytes, remote) => {
      if (bytes.length < MIN_MESSAGE_BYTES) return;
      handlers.onMessage(bytes, this.flowTo(remote.address, remote.port));
    });
    // An ICMP "port unreachable" of an earlier datagram lands here; the transaction's own timer decides about it.
    socket.on('error', (error) => log.debug({ err: error }, 'UDP socket reports an error'));
  }

  /** @throws Error of `bind`, e.g. EADDRINUSE. */
  static bind(address: string, port: number, handlers: TransportHandlers, log: Logger): Promise<UdpTransport> {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        socket.close();
        reject(error);
      };
      socket.once('error', fail);
      socket.bind(port, address, () => {
        socket.off('error', fail);
        socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
        resolve(new UdpTransport(socket, handlers, log));
      });
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  flowTo(remoteAddress: string, remotePort: number): Flow {
    const socket = this.#socket;
    return {
      protocol: 'udp',
      remoteAddress,
      remotePort,
      open: true,
      send(bytes, onError) {
        socket.send(bytes, remotePort, remoteAddress, (error) => {
          if (error !== null) onError?.(error);
        });
      },
    };
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
