/** The test phone's socket: UDP, or TCP or TLS as client and server at once. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { TestCertificate } from '../certificate.ts';
import { parseSip, type SipMessage, SipStream, writeSip } from './sip-message.ts';

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

export type TransportKind = 'udp' | 'tcp' | 'tls';

/** Answers a message where it came from. */
export type Reply = (message: SipMessage) => void;

export interface SipTransport {
  readonly kind: TransportKind;
  /** Where the phone can be reached; goes into Via and Contact. */
  readonly local: SocketAddress;
  send(message: SipMessage, to: SocketAddress): void;
  close(): Promise<void>;
}

type OnMessage = (message: SipMessage, reply: Reply) => void;

/** Opens the socket; port 0 takes any free one. */
export function openTransport(
  kind: TransportKind,
  local: SocketAddress,
  onMessage: OnMessage,
  onTrouble: (what: string) => void,
  certificate?: TestCertificate,
): Promise<SipTransport> {
  if (kind === 'udp') return openUdp(local, onMessage, onTrouble);
  if (kind === 'tls' && certificate === undefined) throw new Error('a phone over TLS needs a certificate');
  return openTcp(local, onMessage, onTrouble, kind === 'tls' ? certificate : undefined);
}

async function openUdp(
  { host, port }: SocketAddress,
  onMessage: OnMessage,
  onTrouble: (what: string) => void,
): Promise<SipTransport> {
  const socket = createSocket('udp4');
  socket.bind(port, host);
  await once(socket, 'listening');
  let closed = false;
  const send = (message: SipMessage, to: SocketAddress) => {
    if (!closed) socket.send(writeSip(message), to.port, to.host);
  };
  socket.on('error', (error) => onTrouble(`UDP socket: ${error.message}`));
  socket.on('message', (data, from) => {
    const message = parseSip(data.toString('utf8'));
    if (message !== undefined) onMessage(message, (answer) => send(answer, { host: from.address, port: from.port }));
  });
  return {
    kind: 'udp',
    local: { host, port: socket.address().port },
    send,
    close: async () => {
      closed = true;
      socket.close();
      await once(socket, 'close');
    },
  };
}

async function openTcp(
  { host, port }: SocketAddress,
  onMessage: OnMessage,
  onTrouble: (what: string) => void,
  certificate: TestCertificate | undefined,
): Promise<SipTransport> {
  const kind = certificate === undefined ? 'tcp' : 'tls';
  const connections = new Map<string, Socket>();
  const all = new Set<Socket>();
  const adopt = (socket: Socket) => {
    const stream = new SipStream();
    all.add(socket);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      for (const message of stream.push(chunk)) onMessage(message, (answer) => socket.write(writeSip(answer)));
    });
    socket.on('error', (error) => onTrouble(`${kind} connection: ${error.message}`));
    socket.on('close', () => {
      all.delete(socket);
      for (const [key, known] of connections) if (known === socket) connections.delete(key);
    });
  };
  const server = certificate === undefined ? createServer(adopt) : createTlsServer({ ...certificate }, adopt);
  server.on('tlsClientError', (error) => onTrouble(`TLS handshake: ${error.message}`));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    kind,
    local: { host, port: (server.address() as AddressInfo).port },
    send: (message, to) => {
      const key = `${to.host}:${to.port}`;
      let socket = connections.get(key);
      if (socket === undefined) {
        const options = { host: to.host, port: to.port, localAddress: host };
        // The phone and the switch have the same certificate, and the phone trusts nobody else.
        socket = certificate === undefined ? connect(options) : connectTls({ ...options, ca: certificate.cert });
        connections.set(key, socket);
        adopt(socket);
      }
      socket.write(writeSip(message));
    },
    close: async () => {
      for (const socket of all) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
