/** A network that loses and delays: a UDP hop between one phone's RTP port and the switch, seeded. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { SocketAddress } from './phone/transport.ts';

export interface RoughNetworkOptions {
  readonly lossShare: number;
  /** Each packet is late by any time up to this, so neighbours overtake each other. */
  readonly jitterMs: number;
  readonly seed: number;
}

export interface RoughNetwork {
  /** Where the phone has to send for the far address. That one sees packets from a port that no SDP has named. */
  readonly via: (far: SocketAddress) => SocketAddress;
  /** Packets that went in from each side, and that were lost. */
  readonly counts: { fromPhone: number; fromSwitch: number; lost: number };
  close(): Promise<void>;
}

/** Opens the hop. Both ways pass through it, once the switch answers to where the sound comes from. */
export async function openRoughNetwork(phonePort: number, options: RoughNetworkOptions): Promise<RoughNetwork> {
  let far: SocketAddress | undefined;
  const [nearSide, farSide] = [await boundSocket(), await boundSocket()];
  const random = seededRandom(options.seed);
  const counts = { fromPhone: 0, fromSwitch: 0, lost: 0 };
  const underWay = new Set<NodeJS.Timeout>();
  const pass = (out: Socket, packet: Buffer, to: SocketAddress): void => {
    if (random() < options.lossShare) {
      counts.lost += 1;
      return;
    }
    const timer = setTimeout(() => {
      underWay.delete(timer);
      out.send(packet, to.port, to.host);
    }, random() * options.jitterMs);
    underWay.add(timer);
  };
  nearSide.on('message', (packet) => {
    counts.fromPhone += 1;
    if (far !== undefined) pass(farSide, packet, far);
  });
  farSide.on('message', (packet) => {
    counts.fromSwitch += 1;
    pass(nearSide, packet, { host: '127.0.0.1', port: phonePort });
  });
  return {
    via: (address) => {
      far = address;
      return { host: '127.0.0.1', port: nearSide.address().port };
    },
    counts,
    close: async () => {
      for (const timer of underWay) clearTimeout(timer);
      const closed = [nearSide, farSide].map((socket) => once(socket, 'close'));
      nearSide.close();
      farSide.close();
      await Promise.all(closed);
    },
  };
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Numbers in [0, 1) from a linear congruential generator; good enough to lose packets, and the same each time. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
