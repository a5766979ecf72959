export type SipProtocol = 'udp' | 'tcp' | 'tls';

/** A way to reach a far end. */
export interface Flow {
  readonly protocol: SipProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** False once a connection is gone; UDP is always open. */
  readonly open: boolean;
  /** Sends a whole message; `onError` is told when it is sure that it did not leave. */
  send(bytes: Buffer, onError?: (error: Error) => void): void;
}

export interface TransportHandlers {
  onMessage(bytes: Buffer, flow: Flow): void;
  /** Something arrived that can't be cut into messages. */
  onGarbage(reason: string, flow: Flow): void;
}
