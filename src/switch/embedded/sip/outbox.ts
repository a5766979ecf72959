import type { Socket } from 'node:net';

/** What has been handed to a connection and has not left. */
export interface Outbox {
  /** Bytes. */
  readonly length: number;
  write(bytes: Buffer, onError?: (error: Error) => void): void;
}

/** Of a connection that may be written to at once. */
export function plainOutbox(socket: Socket): Outbox {
  return {
    get length() {
      return socket.writableLength;
    },
    write(bytes, onError) {
      socket.write(bytes, (error) => {
        if (error !== null && error !== undefined) onError?.(error);
      });
    },
  };
}

/** Keeps everything until the far side's certificate has been found good: Node would send it a moment before. */
export function vouchedOutbox(socket: Socket): Outbox {
  const plain = plainOutbox(socket);
  let waiting: { readonly bytes: Buffer; readonly onError: ((error: Error) => void) | undefined }[] | undefined = [];
  socket.once('secureConnect', () => {
    const all = waiting ?? [];
    waiting = undefined;
    for (const { bytes, onError } of all) plain.write(bytes, onError);
  });
  socket.once('close', () => {
    const all = waiting ?? [];
    waiting = undefined;
    for (const { onError } of all) onError?.(new Error('no TLS connection came about'));
  });
  return {
    get length() {
      return waiting?.reduce((sum, { bytes }) => sum + bytes.length, 0) ?? plain.length;
    },
    write(bytes, onError) {
      if (waiting === undefined) plain.write(bytes, onError);
      else waiting.push({ bytes, onError });
    },
  };
}
