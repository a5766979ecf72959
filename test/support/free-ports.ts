import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const lanes = 2;
const lane = Number(process.env.VITEST_POOL_ID ?? 0) % lanes;

/**
 * Above the ports that Linux hands out by itself (32768 to 60999): one of those may be taken by anybody between the look
 * and the use. Test files that run side by side keep to halves of their own, and none gets the same port twice.
 */
const firstPort = 61_000;
const portsOfLane = Math.floor((65_535 - firstPort) / lanes);
let drawn = Math.floor(Math.random() * portsOfLane);

/**
 * A port that is free for TCP and UDP at the moment.
 * @param inARow so many, of which it is the first
 */
export async function freePort(host = '127.0.0.1', inARow = 1): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (drawn + inARow > portsOfLane) drawn = 0;
    const port = firstPort + lane * portsOfLane + drawn;
    drawn += inARow;
    const row = Array.from({ length: inARow }, (_, index) => port + index);
    const free = await Promise.all(row.map(async (one) => (await bindsTcp(host, one)) && (await bindsUdp(host, one))));
    if (free.every(Boolean)) return port;
  }
  throw new Error(`no port is free for TCP and UDP on ${host}`);
}

const drawnBlocks = new Set<number>();

/**
 * A block of ports for RTP, away from the ports that the system hands out by itself (32768 and above on Linux), of
 * which a sample is free: another switch on this machine may sit in any block. Test files that run side by side keep to
 * blocks of their own, and within a file none is given twice, because a switch takes a port of its block only when a call
 * needs it.
 */
export async function rtpPortBlock(host = '127.0.0.1', size = 400): Promise<RtpPorts> {
  const blocks = Math.floor((32_000 - 12_000) / size);
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const block = Math.floor((Math.random() * blocks) / lanes) * lanes + lane;
    const portMin = 12_000 + Math.min(block, blocks - 1) * size;
    if (drawnBlocks.has(portMin)) continue;
    const sample = Array.from({ length: 10 }, (_, index) => portMin + index * (size / 10));
    const free = await Promise.all(sample.map((port) => bindsUdp(host, port)));
    if (!free.every(Boolean)) continue;
    drawnBlocks.add(portMin);
    return { portMin, portMax: portMin + size - 2 };
  }
  throw new Error(`no block of ${size} ports is free for RTP on ${host}`);
}

export interface RtpPorts {
  readonly portMin: number;
  readonly portMax: number;
}

async function bindsTcp(host: string, port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, host);
  const listens = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (!listens) return false;
  server.close();
  await once(server, 'close');
  return true;
}

async function bindsUdp(host: string, port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const outcome = new Promise<boolean>((resolve) => {
    socket.once('listening', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.bind(port, host);
  const free = await outcome;
  socket.close();
  return free;
}
