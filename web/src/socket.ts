/** The page's end of the desk socket (docs/desk-socket.md). */
import {
  type ClientMessage,
  type DeskPush,
  type DeskRequest,
  type ServerMessage,
  serverMessageSchema,
} from '@desk/protocol';
import { beat, type Place, received, retryDelayMs, startPlace, welcomed } from './lib/link.ts';
import type { LinkStatus, Outcome, SocketHandlers, SocketLike, SocketTimes } from './lib/socket-types.ts';

const socketTimes: SocketTimes = {
  pingAfterMs: 4000,
  pongWithinMs: 5000,
  replyWithinMs: 5000,
  welcomeWithinMs: 5000,
  ackAfterMs: 100,
};

/** More requests than a person can make in five seconds; beyond it they are refused here. */
const pendingLimit = 32;
/** An acknowledgement goes out at once when this many pushes wait for one. */
const ackEvery = 16;
/** Pushes that may come while the snapshot is being made; beyond it something is wrong and the link starts anew. */
const heldLimit = 1000;
const closedSignedOut = 4401;
const closedTooMany = 4429;

type Handle = ReturnType<typeof setTimeout>;
interface Pending {
  settle(outcome: Outcome): void;
  readonly deadline: Handle;
}

/**
 * One lasting link to the desk hub. It reconnects by itself until `close`, resumes the numbered pushes, and
 * acknowledges them. Requests are never sent twice: after a drop they end as `unconfirmed`.
 */
export class DeskSocket {
  readonly #open: () => SocketLike;
  readonly #handlers: SocketHandlers;
  readonly #times: SocketTimes;
  readonly #random: () => number;
  readonly #pending = new Map<string, Pending>();
  readonly #idPrefix: string;
  #socket: SocketLike | undefined;
  #place: Place = startPlace;
  #status: LinkStatus = 'connecting';
  #attempt = 0;
  #requests = 0;
  #unacked = 0;
  #pingUnanswered = false;
  #closed = false;
  /** Pushes that came before the snapshot. They may be newer than it, so they are applied after it. */
  #held: DeskPush[] | undefined;
  #retryTimer: Handle | undefined;
  #beatTimer: Handle | undefined;
  #welcomeTimer: Handle | undefined;
  #ackTimer: Handle | undefined;

  /** @param open opens a new connection; called for the first one and for each try after a drop. */
  constructor(
    open: () => SocketLike,
    handlers: SocketHandlers,
    options: { times?: SocketTimes; random?: () => number } = {},
  ) {
    this.#open = open;
    this.#handlers = handlers;
    this.#times = options.times ?? socketTimes;
    this.#random = options.random ?? Math.random;
    this.#idPrefix = this.#random().toString(36).slice(2, 8);
  }

  get status(): LinkStatus {
    return this.#status;
  }

  /** Opens the link. To be called once. */
  start(): void {
    this.#connect();
  }

  /** Ends the link for good; what is under way ends as `unconfirmed`. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#dropSocket();
  }

  /** Tries at once instead of waiting, for when the machine is back on the network or the tab is shown again. */
  nudge(): void {
    if (this.#closed || this.#status === 'signedOut') return;
    if (this.#socket === undefined) {
      clearTimeout(this.#retryTimer);
      this.#connect();
    } else if (this.#status === 'online' && !this.#pingUnanswered) {
      this.#beat();
    }
  }

  /** Asks the server for something. Always resolves, within the reply deadline. */
  request(request: DeskRequest): Promise<Outcome> {
    const socket = this.#socket;
    if (socket === undefined || this.#status !== 'online' || this.#pending.size >= pendingLimit) {
      return Promise.resolve({ kind: 'notSent' });
    }
    this.#requests += 1;
    const id = `${this.#idPrefix}-${this.#requests}`;
    return new Promise((resolve) => {
      const deadline = setTimeout(() => this.#settle(id, { kind: 'unconfirmed' }), this.#times.replyWithinMs);
      this.#pending.set(id, { settle: resolve, deadline });
      this.#send({ kind: 'request', id, request });
    });
  }

  #connect(): void {
    if (this.#attempt === 0) this.#setStatus('connecting');
    let socket: SocketLike;
    try {
      socket = this.#open();
    } catch (error) {
      this.#handlers.onProblem('desk socket could not be opened', error);
      this.#retry();
      return;
    }
    this.#socket = socket;
    this.#welcomeTimer = setTimeout(() => this.#lost('no welcome or snapshot in time'), this.#times.welcomeWithinMs);
    // Each handler looks whether its socket is still the current one: events of a given-up socket come late.
    socket.onopen = () => {
      if (socket === this.#socket) this.#hello();
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (socket === this.#socket) this.#onText(event.data);
    };
    socket.onclose = (event: { code: number }) => {
      if (socket === this.#socket) this.#onClose(event.code);
    };
    // An error is always followed by a close, which does the work (WHATWG WebSockets, "fail the connection").
    socket.onerror = () => {};
  }

  #hello(): void {
    const { epoch, lastSeq } = this.#place;
    this.#send(epoch === undefined || lastSeq === undefined ? { kind: 'hello' } : { kind: 'hello', epoch, lastSeq });
  }

  #onText(data: unknown): void {
    this.#pingUnanswered = false;
    this.#armBeat();
    const message = this.#parse(data);
    if (message === undefined) return;
    switch (message.kind) {
      case 'welcome':
        this.#onWelcome(message);
        break;
      case 'push':
        this.#onPush(message);
        break;
      case 'reply':
        this.#onReply(message);
        break;
      case 'error':
        this.#handlers.onProblem(`desk server: ${message.code} ${message.text}`);
        if (this.#held !== undefined) this.#lost('no snapshot');
        break;
      case 'pong':
        break;
    }
  }

  /** Reads one message; one that doesn't fit (a newer server's, say) is logged, acknowledged if numbered, and left. */
  #parse(data: unknown): ServerMessage | undefined {
    let json: unknown;
    try {
      json = JSON.parse(String(data));
    } catch (error) {
      this.#handlers.onProblem('desk message is not JSON', error);
      return undefined;
    }
    const parsed = serverMessageSchema.safeParse(json);
    if (parsed.success) return parsed.data;
    this.#handlers.onProblem('desk message of an unknown kind or shape ignored', parsed.error.issues);
    if (isNumbered(json)) this.#count(json.seq);
    return undefined;
  }

  #onWelcome(message: Extract<ServerMessage, { kind: 'welcome' }>): void {
    this.#place = welcomed(this.#place, message);
    this.#handlers.onWelcome(message.serverTimeMs - Date.now(), message.resumed);
    if (this.#place.lastSeq === undefined) this.#held = [];
    else this.#ready();
  }

  /** The page is up to date or will be after the pushes that follow at once. */
  #ready(): void {
    clearTimeout(this.#welcomeTimer);
    this.#attempt = 0;
    this.#setStatus('online');
  }

  #onPush({ seq, push }: Extract<ServerMessage, { kind: 'push' }>): void {
    const fresh = this.#count(seq);
    const held = this.#held;
    if (held === undefined) {
      if (fresh) this.#handlers.onPush(push);
    } else if (push.type === 'snapshot') {
      this.#held = undefined;
      for (const one of [push, ...held]) this.#handlers.onPush(one);
      this.#ready();
    } else if (held.push(push) > heldLimit) {
      this.#lost('no snapshot');
    }
  }

  #onReply(message: Extract<ServerMessage, { kind: 'reply' }>): void {
    const { draft } = message;
    this.#settle(
      message.to,
      message.ok ? { kind: 'ok', draft } : { kind: 'refused', code: message.code, text: message.text, draft },
    );
  }

  /** Notes a push number; true when it is new. Old ones are acknowledged again: the server may have missed it. */
  #count(seq: number): boolean {
    const { fresh, place } = received(this.#place, seq);
    this.#place = place;
    this.#unacked += 1;
    if (this.#unacked >= ackEvery) this.#ack();
    else this.#ackTimer ??= setTimeout(() => this.#ack(), this.#times.ackAfterMs);
    return fresh;
  }

  #ack(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#unacked = 0;
    const { lastSeq } = this.#place;
    if (lastSeq !== undefined) this.#send({ kind: 'ack', seq: lastSeq });
  }

  #onClose(code: number): void {
    if (code === closedSignedOut) {
      this.#dropSocket();
      this.#setStatus('signedOut');
      return;
    }
    this.#lost(`closed with ${code}`, code === closedTooMany ? 'tooMany' : 'offline');
  }

  #lost(why: string, status: LinkStatus = 'offline'): void {
    this.#handlers.onProblem(`desk link lost: ${why}`);
    this.#dropSocket();
    if (!this.#closed) this.#retry(status);
  }

  /** @param status what the person is told until the next try has come to something */
  #retry(status: LinkStatus = 'offline'): void {
    const delayMs = retryDelayMs(this.#attempt, this.#random());
    this.#attempt += 1;
    this.#setStatus(status);
    this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
  }

  #dropSocket(): void {
    clearTimeout(this.#welcomeTimer);
    clearTimeout(this.#beatTimer);
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#unacked = 0;
    this.#pingUnanswered = false;
    if (this.#held !== undefined) {
      // What was counted was not applied, so the next hello must not claim it.
      this.#held = undefined;
      this.#place = startPlace;
    }
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    for (const id of [...this.#pending.keys()]) this.#settle(id, { kind: 'unconfirmed' });
  }

  #armBeat(): void {
    clearTimeout(this.#beatTimer);
    const afterMs = this.#pingUnanswered ? this.#times.pongWithinMs : this.#times.pingAfterMs;
    this.#beatTimer = setTimeout(() => this.#beat(), afterMs);
  }

  #beat(): void {
    if (beat(this.#pingUnanswered) === 'dead') {
      this.#lost('no answer to ping');
      return;
    }
    this.#pingUnanswered = true;
    this.#send({ kind: 'ping' });
    this.#armBeat();
  }

  #settle(id: string, outcome: Outcome): void {
    const pending = this.#pending.get(id);
    // A reply after its deadline: the person was told "unconfirmed", and a push tells what came of it.
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.deadline);
    pending.settle(outcome);
  }

  #send(message: ClientMessage): void {
    const socket = this.#socket;
    if (socket?.readyState === 1) socket.send(JSON.stringify(message));
  }

  #setStatus(status: LinkStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#handlers.onStatus(status);
  }
}

function isNumbered(json: unknown): json is { seq: number } {
  return typeof json === 'object' && json !== null && 'seq' in json && Number.isInteger(json.seq);
}
