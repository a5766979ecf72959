import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type ClientMessage, clientMessageSchema, type DeskPush, type ServerMessage } from '../../src/desk/protocol.ts';
import type { LinkStatus, Outcome, SocketTimes } from '../../web/src/lib/socket-types.ts';
import { DeskSocket } from '../../web/src/socket.ts';

const callId = '11111111-1111-4111-8111-111111111111';
const patient: SocketTimes = {
  pingAfterMs: 10_000,
  pongWithinMs: 10_000,
  replyWithinMs: 10_000,
  welcomeWithinMs: 10_000,
  ackAfterMs: 5,
};
const seat = { status: 'ready', reason: null, sinceMs: 0, wrapUpEndsAtMs: null, phoneRegistered: true } as const;
const snapshot: DeskPush = {
  type: 'snapshot',
  person: { id: 'p', name: '张', role: 'agent', extension: '8001' },
  seat,
  call: null,
  draft: null,
  today: [],
  live: [],
};
const notice = (text: string): DeskPush => ({ type: 'notice', level: 'info', text });

/** A desk server that says what the test tells it to, over real sockets. */
class TestServer {
  readonly heard: ClientMessage[] = [];
  connections = 0;
  onMessage: (message: ClientMessage) => void = () => undefined;
  readonly #server: WebSocketServer;
  #socket: WebSocket | undefined;

  constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.connections += 1;
      this.#socket = socket;
      socket.on('message', (data) => {
        const message = clientMessageSchema.parse(JSON.parse(String(data)));
        this.heard.push(message);
        this.onMessage(message);
      });
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  say(...messages: (ServerMessage | object)[]): void {
    for (const message of messages) this.#socket?.send(JSON.stringify(message));
  }

  welcome(resumed: boolean): void {
    this.say({ kind: 'welcome', epoch: 'one', resumed, serverTimeMs: Date.now() });
  }

  push(seq: number, push: DeskPush | object): void {
    this.say({ kind: 'push', seq, push });
  }

  of<K extends ClientMessage['kind']>(kind: K): Extract<ClientMessage, { kind: K }>[] {
    return this.heard.filter((message) => message.kind === kind) as Extract<ClientMessage, { kind: K }>[];
  }

  cut(): void {
    this.#socket?.terminate();
  }

  close(code: number): void {
    this.#socket?.close(code);
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

let server: TestServer;
let desk: DeskSocket | undefined;
const pushes: DeskPush[] = [];
const statuses: LinkStatus[] = [];
const problems: string[] = [];

beforeEach(async () => {
  const listening = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(listening, 'listening');
  server = new TestServer(listening);
  for (const list of [pushes, statuses, problems]) list.length = 0;
});

afterEach(async () => {
  desk?.close();
  await server.stop();
});

function start(times: Partial<SocketTimes> = {}): DeskSocket {
  const opened = new DeskSocket(
    () => new WebSocket(server.url),
    {
      onStatus: (status) => statuses.push(status),
      onWelcome: () => undefined,
      onPush: (push) => pushes.push(push),
      onProblem: (text) => problems.push(text),
    },
    // The shortest waits that the back-off knows.
    { times: { ...patient, ...times }, random: () => 0.001 },
  );
  desk = opened;
  opened.start();
  return opened;
}

/** Answers each hello: the first with a snapshot, later ones as resumed. */
function welcomeAll(firstSeq = 1): void {
  server.onMessage = (message) => {
    if (message.kind !== 'hello') return;
    const resumed = message.epoch !== undefined;
    server.welcome(resumed);
    if (!resumed) server.push(firstSeq, snapshot);
  };
}

const online = (): Promise<void> => vi.waitFor(() => expect(desk?.status).toBe('online'));
const texts = (): string[] => pushes.flatMap((push) => (push.type === 'notice' ? [push.text] : []));

describe('the desk socket of the page', () => {
  it('says hello, takes the snapshot, and acknowledges pushes together', async () => {
    welcomeAll(40);
    start();
    await online();
    for (const seq of [41, 42, 43]) server.push(seq, notice(`${seq}`));
    await vi.waitFor(() => expect(server.of('ack').at(-1)?.seq).toBe(43));
    expect(server.of('hello')).toEqual([{ kind: 'hello' }]);
    expect(pushes[0]?.type).toBe('snapshot');
    expect(texts()).toEqual(['41', '42', '43']);
    expect(server.of('ack').length).toBeLessThan(4);
  });

  it('resumes after a drop and handles what comes twice only once', async () => {
    welcomeAll();
    start();
    await online();
    server.push(2, notice('before'));
    await vi.waitFor(() => expect(texts()).toEqual(['before']));
    server.cut();
    await vi.waitFor(() => expect(server.of('hello')).toHaveLength(2));
    expect(server.of('hello')[1]).toEqual({ kind: 'hello', epoch: 'one', lastSeq: 2 });
    await online();
    server.push(2, notice('before'));
    server.push(3, notice('after'));
    await vi.waitFor(() => expect(texts()).toEqual(['before', 'after']));
    expect(statuses).toEqual(['online', 'offline', 'online']);
  });

  it('applies pushes that overtake the snapshot after it', async () => {
    server.onMessage = (message) => {
      if (message.kind !== 'hello') return;
      server.welcome(false);
      server.push(8, notice('early'));
      server.push(8, snapshot);
    };
    start();
    await online();
    expect(pushes.map((push) => push.type)).toEqual(['snapshot', 'notice']);
  });

  it('does not claim pushes that it held back when the link drops before the snapshot', async () => {
    server.onMessage = (message) => {
      if (message.kind !== 'hello') return;
      server.welcome(false);
      server.push(8, notice('early'));
      if (server.connections === 1) server.cut();
      else server.push(9, snapshot);
    };
    start();
    await online();
    expect(server.of('hello')).toEqual([{ kind: 'hello' }, { kind: 'hello' }]);
    expect(pushes.map((push) => push.type)).toEqual(['snapshot', 'notice']);
  });

  it('logs a push of an unknown type, counts it, and goes on', async () => {
    welcomeAll();
    start();
    await online();
    server.push(2, { type: 'fromTheFuture' });
    server.push(3, notice('known'));
    await vi.waitFor(() => expect(server.of('ack').at(-1)?.seq).toBe(3));
    expect(texts()).toEqual(['known']);
    expect(problems).toHaveLength(1);
  });

  it('finds a dead link by an unanswered ping and a live one by its pong', async () => {
    let answers = 3;
    server.onMessage = (message) => {
      if (message.kind === 'hello') {
        server.welcome(message.epoch !== undefined);
        if (message.epoch === undefined) server.push(1, snapshot);
      }
      if (message.kind === 'ping' && answers > 0) {
        answers -= 1;
        server.say({ kind: 'pong' });
      }
    };
    start({ pingAfterMs: 10, pongWithinMs: 40 });
    await vi.waitFor(() => expect(server.of('hello').length).toBeGreaterThan(1), { timeout: 5000 });
    expect(server.of('ping').length).toBeGreaterThanOrEqual(4);
    expect(problems).toContain('desk link lost: no answer to ping');
  });

  it('gives each request exactly one ending: reply, refusal, deadline, drop, or not sent', async () => {
    const opened = start({ replyWithinMs: 60 });
    expect(await opened.request({ do: 'ready' })).toEqual({ kind: 'notSent' });
    server.onMessage = (message) => {
      if (message.kind === 'hello') {
        server.welcome(message.epoch !== undefined);
        if (message.epoch === undefined) server.push(1, snapshot);
      }
      if (message.kind !== 'request') return;
      const { id, request } = message;
      if (request.do === 'ready') server.say({ kind: 'reply', to: id, ok: true });
      if (request.do === 'hold') server.say({ kind: 'reply', to: id, ok: false, code: 'not-now', text: '不行' });
      if (request.do === 'resume') server.cut();
    };
    await online();
    expect(await opened.request({ do: 'ready' })).toEqual({ kind: 'ok', draft: undefined });
    expect(await opened.request({ do: 'hold', callId })).toMatchObject({ kind: 'refused', text: '不行' });
    expect(await opened.request({ do: 'hangup', callId })).toEqual({ kind: 'unconfirmed' });
    expect(await opened.request({ do: 'resume', callId })).toEqual({ kind: 'unconfirmed' });
    await online();
    // Nothing was sent a second time.
    expect(server.of('request').map((message) => message.request.do)).toEqual(['ready', 'hold', 'hangup', 'resume']);
  });

  it('refuses more requests than a person can make', async () => {
    welcomeAll();
    const opened = start();
    await online();
    const outcomes: Promise<Outcome>[] = Array.from({ length: 33 }, () => opened.request({ do: 'ready' }));
    expect(await outcomes[32]).toEqual({ kind: 'notSent' });
    opened.close();
    expect(await outcomes[0]).toEqual({ kind: 'unconfirmed' });
  });

  it('stops for good when nobody is signed in', async () => {
    server.onMessage = () => server.close(4401);
    start();
    await vi.waitFor(() => expect(statuses).toEqual(['signedOut']));
    desk?.nudge();
    expect(server.connections).toBe(1);
  });

  it('says that there are too many windows until one is closed', async () => {
    server.onMessage = (message) => {
      if (message.kind !== 'hello') return;
      if (server.connections <= 2) server.close(4429);
      else {
        server.welcome(false);
        server.push(1, snapshot);
      }
    };
    start();
    await vi.waitFor(() => expect(statuses).toEqual(['tooMany', 'online']), { timeout: 5000 });
    expect(server.connections).toBe(3);
  });

  it('tries again after a missing welcome, a failed snapshot, and a closed door', async () => {
    server.onMessage = (message) => {
      if (message.kind !== 'hello') return;
      if (server.connections === 1) return;
      if (server.connections === 2) server.close(4408);
      else server.welcome(false);
      if (server.connections === 3) server.say({ kind: 'error', code: 'snapshot-failed', text: '' });
      if (server.connections === 4) server.push(1, snapshot);
    };
    start({ welcomeWithinMs: 200 });
    await vi.waitFor(() => expect(desk?.status).toBe('online'), { timeout: 5000 });
    expect(server.connections).toBe(4);
  });
});
