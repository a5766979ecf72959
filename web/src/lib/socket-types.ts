import type { DeskPush, DraftView } from '@desk/protocol';

/** The state of the link as the connection light shows it. */
export type LinkStatus =
  | 'connecting'
  | 'online'
  | 'offline'
  /** This person has as many windows open as the server allows; tried again until one is closed. */
  | 'tooMany'
  | 'signedOut';

/** How a request ended. It is always one of these, within its deadline. */
export type Outcome =
  | { readonly kind: 'ok'; readonly draft: DraftView | undefined }
  | { readonly kind: 'refused'; readonly code: string; readonly text: string; readonly draft: DraftView | undefined }
  /** It was sent, but no reply came: the server may or may not have done it. */
  | { readonly kind: 'unconfirmed' }
  /** It never left this window. */
  | { readonly kind: 'notSent' };

/** The part of the browser's WebSocket that is used; the `ws` package of the tests has it too. */
export interface SocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
}

export interface SocketTimes {
  /** From the last received message to the ping. */
  readonly pingAfterMs: number;
  /** From the ping to giving the link up. Together with `pingAfterMs` it must stay below 10 s. */
  readonly pongWithinMs: number;
  readonly replyWithinMs: number;
  /** From opening to the welcome and, where the link isn't resumed, the snapshot. */
  readonly welcomeWithinMs: number;
  readonly ackAfterMs: number;
}

export interface SocketHandlers {
  onStatus(status: LinkStatus): void;
  /** `offsetMs` is server time minus this machine's time. */
  onWelcome(offsetMs: number, resumed: boolean): void;
  /** Called once for each new push, in order. */
  onPush(push: DeskPush): void;
  /** Something that a person should find in the console, never an ending. */
  onProblem(text: string, details?: unknown): void;
}
