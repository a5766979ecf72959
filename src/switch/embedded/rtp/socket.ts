import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';

/** Room for about a second of 20 ms packets of one leg, so that a busy moment of the process loses nothing. */
const RECEIVE_BUFFER_BYTES = 256 * 1024;

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** Addresses are always numeric here; answering at once spares Node's resolver a round through the event loop per packet. */
function numericLookup(address: string, _options: unknown, callback: LookupCallback): void {
  const family = isIP(address);
  if (family === 0) callback(new Error(`Not a numeric address: ${address}`), address, 4);
  else callback(null, address, family);
}

/**
 * Opens a UDP socket for RTP.
 * @throws Error with code EADDRINUSE and its kin when the port can't be had.
 */
export function openRtpSocket(
  bindAddress: string,
  port: number,
  onPacket: (packet: Buffer, from: RemoteInfo) => void,
  onError: (error: Error) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: isIPv6(bindAddress) ? 'udp6' : 'udp4',
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      sendBufferSize: RECEIVE_BUFFER_BYTES,
      lookup: numericLookup,
    });
    const onBindError = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once('error', onBindError);
    socket.bind({ port, address: bindAddress, exclusive: true }, () => {
      socket.off('error', onBindError);
      socket.on('error', onError);
      socket.on('message', onPacket);
      resolve(socket);
    });
  });
}
