import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../kernel/clock.ts';
import { errorChain } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { DeskChannel, type DeskSocket } from './channel.ts';
import {
  clientMessageSchema,
  type DeskPush,
  type DeskRequest,
  type DraftView,
  type ServerMessage,
} from './protocol.ts';

/** Close codes of our own (RFC 6455, section 7.4.2: 4000–4999 are private). */
export const closeCodes = {
  notSignedIn: 4401,
  noHello: 4408,
  tooSlow: 4413,
  tooMany: 4429,
  goingAway: 1001,
} as const;

const limits = {
  messageBytes: 64 * 1024,
  socketsPerPerson: 8,
  bufferedBytes: 1024 * 1024,
  helloWithinMs: 5000,
  /** A page pings every few seconds; without a word for this long the link is dead. */
  silenceMs: 30_000,
  messagesPerSecond: 200,
};

/** The answer to one request. */
export type RequestOutcome =
  | { readonly ok: true; readonly draft?: DraftView }
  | { readonly ok: false; readonly code: string; readonly text: string; readonly draft?: DraftView };

/** Who knows what the desks show and what their requests mean. */
export interface DeskHandler {
  /** The whole state of a person's desk. */
  snapshot(personId: string): Promise<DeskPush>;
  request(personId: string, request: DeskRequest): Promise<RequestOutcome>;
  /** A window of this person came or went. */
  presence(personId: string, change: 1 | -1): void;
}

export interface DeskHubOptions {
  readonly handler: DeskHandler;
  /** Who sends this upgrade request; undefined when not signed in. */
  readonly authenticate: (request: IncomingMessage) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells pages that the server's memory of sequence numbers is a new one. */
  readonly epoch: string;
}

/** The desk socket (docs/desk-socket.md): unicast per person, numbered, resumable, bounded. */
export class DeskHub {
  readonly #options: DeskHubOptions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, clientTracking: true });
  readonly #channels = new Map<string, DeskChannel>();

  constructor(options: DeskHubOptions) {
    this.#options = options;
  }

  get sockets(): number {
    return this.#server.clients.size;
  }

  /** Pushes to every window of one person. */
  push(personId: string, push: DeskPush): void {
    this.#channel(personId).push(push);
  }

  /** Takes an HTTP upgrade for `/desk`. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const personId = await this.#options.authenticate(request);
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      if (personId === undefined) {
        ws.close(closeCodes.notSignedIn, 'not signed in');
        return;
      }
      this.#open(ws, personId);
    });
  }

  /** Signs every window of a person off. */
  closePerson(personId: string): void {
    for (const [socket, owner] of this.#owners)
      if (owner === personId) socket.close(closeCodes.notSignedIn, 'signed out');
  }

  async close(): Promise<void> {
    for (const ws of this.#server.clients) ws.close(closeCodes.goingAway, 'server stops');
    const ended = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const timer = this.#options.clock.setTimer(1000, () => {
      for (const ws of this.#server.clients) ws.terminate();
    });
    await ended;
    timer.cancel();
  }

  readonly #owners = new Map<WebSocket, string>();

  #channel(personId: string): DeskChannel {
    let channel = this.#channels.get(personId);
    if (channel === undefined) {
      channel = new DeskChannel(this.#options.epoch);
      this.#channels.set(personId, channel);
    }
    return channel;
  }

  #open(ws: WebSocket, personId: string): void {
    const { clock, log, handler } = this.#options;
    const channel = this.#channel(personId);
    if ([...this.#owners.values()].filter((owner) => owner === personId).length >= limits.socketsPerPerson) {
      ws.close(closeCodes.tooMany, 'too many windows');
      return;
    }
    this.#owners.set(ws, personId);
    const socket: DeskSocket = { send: (message) => this.#send(ws, message) };
    let greeted = false;
    let silence = clock.setTimer(limits.helloWithinMs, () => ws.close(closeCodes.noHello, 'no hello'));
    let windowStartMs = clock.now();
    let inWindow = 0;

    ws.on('message', (data) => {
      silence.cancel();
      silence = clock.setTimer(limits.silenceMs, () => ws.terminate());
      const nowMs = clock.now();
      if (nowMs - windowStartMs > 1000) {
        windowStartMs = nowMs;
        inWindow = 0;
      }
      inWindow += 1;
      if (inWindow > limits.messagesPerSecond) {
        ws.close(closeCodes.tooMany, 'too many messages');
        return;
      }
      const message = this.#read(ws, data);
      if (message === undefined) return;
      switch (message.kind) {
        case 'hello':
          if (greeted) {
            socket.send({ kind: 'error', code: 'hello-twice', text: '已经连接' });
            return;
          }
          greeted = true;
          if (!channel.add(socket, message, nowMs)) this.#sendSnapshot(channel, socket, personId);
          handler.presence(personId, 1);
          return;
        case 'ping':
          socket.send({ kind: 'pong' });
          return;
        case 'ack':
          // Acknowledgements let the page's side be measured; what is kept is bounded anyway.
          return;
        case 'request':
          if (!greeted) {
            socket.send({ kind: 'reply', to: message.id, ok: false, code: 'no-hello', text: '连接尚未就绪' });
            return;
          }
          this.#answer(socket, personId, message.id, message.request);
      }
    });
    ws.on('error', (error) => log.warn({ personId, error: errorChain(error) }, 'desk socket failed'));
    ws.on('close', () => {
      silence.cancel();
      this.#owners.delete(ws);
      channel.remove(socket);
      if (greeted) handler.presence(personId, -1);
    });
  }

  /** A snapshot that was overtaken by a push while it was read is read again, so that it never undoes a newer push. */
  #sendSnapshot(channel: DeskChannel, socket: DeskSocket, personId: string, triesLeft = 3): void {
    const { seq } = channel;
    this.#options.handler.snapshot(personId).then(
      (push) => {
        if (channel.seq !== seq && triesLeft > 0) this.#sendSnapshot(channel, socket, personId, triesLeft - 1);
        else channel.snapshotTo(socket, push);
      },
      (error: unknown) => {
        this.#options.log.error({ personId, error: errorChain(error) }, 'desk snapshot failed');
        socket.send({ kind: 'error', code: 'snapshot-failed', text: '暂时无法读取工作台数据，请稍后重试' });
      },
    );
  }

  #answer(socket: DeskSocket, personId: string, id: string, request: DeskRequest): void {
    this.#options.handler.request(personId, request).then(
      (outcome) => socket.send({ kind: 'reply', to: id, ...outcome }),
      (error: unknown) => {
        this.#options.log.error({ personId, request: request.do, error: errorChain(error) }, 'desk request failed');
        socket.send({ kind: 'reply', to: id, ok: false, code: 'internal', text: '系统暂时出错，请稍后重试' });
      },
    );
  }

  #read(ws: WebSocket, data: RawData) {
    let json: unknown;
    try {
      json = JSON.parse(String(data));
    } catch {
      this.#send(ws, { kind: 'error', code: 'not-json', text: '消息不是有效的 JSON' });
      return undefined;
    }
    const parsed = clientMessageSchema.safeParse(json);
    if (parsed.success) return parsed.data;
    const first = parsed.error.issues[0];
    const where = first?.path.join('.') ?? '';
    const text = `消息不符合约定：${where} ${first?.message ?? ''}`.slice(0, 300);
    const id = (json as { id?: unknown } | null)?.id;
    if (typeof id === 'string' && id.length <= 64)
      this.#send(ws, { kind: 'reply', to: id, ok: false, code: 'bad-message', text });
    else this.#send(ws, { kind: 'error', code: 'bad-message', text });
    return undefined;
  }

  #send(ws: WebSocket, message: ServerMessage): void {
    if (ws.readyState !== WebSocket.OPEN) return;
    if (ws.bufferedAmount > limits.bufferedBytes) {
      // A page that does not read would hold our memory; it resumes by itself when it can.
      ws.close(closeCodes.tooSlow, 'too slow');
      return;
    }
    ws.send(JSON.stringify(message));
  }
}
