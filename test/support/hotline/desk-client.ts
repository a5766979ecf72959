/** A desk for tests: signs in over HTTP, speaks the desk socket, and keeps everything it was sent. */
import { WebSocket } from 'ws';
import {
  type ClientMessage,
  type DeskCall,
  type DeskPush,
  type DeskRequest,
  type LiveCallView,
  type SeatStatusView,
  type ServerMessage,
  serverMessageSchema,
} from '../../../src/desk/protocol.ts';
import { Watch } from '../watch.ts';

type Reply = Extract<ServerMessage, { kind: 'reply' }>;

export class DeskClient {
  readonly cookie: string;
  readonly pushes: DeskPush[] = [];
  readonly seqs: number[] = [];
  readonly replies = new Map<string, Reply>();
  readonly errors: ServerMessage[] = [];
  epoch: string | undefined;
  resumed: boolean | undefined;
  closedWith: number | undefined;
  readonly #watch: Watch;
  #webUrl: string;
  #socket: WebSocket | undefined;
  #requests = 0;

  constructor(webUrl: string, cookie: string, who: string) {
    this.#webUrl = webUrl;
    this.cookie = cookie;
    this.#watch = new Watch(`desk ${who}`);
  }

  /** Signs in; the socket is opened by `open`. */
  static async signIn(webUrl: string, login: string, password: string): Promise<DeskClient> {
    const response = await fetch(`${webUrl}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login, password }),
    });
    if (response.status !== 200) throw new Error(`sign-in of ${login} got ${response.status} ${await response.text()}`);
    const cookie = response.headers.get('set-cookie')?.split(';')[0];
    if (cookie === undefined) throw new Error('sign-in set no cookie');
    return new DeskClient(webUrl, cookie, login);
  }

  /** Goes to another service of the same database, where its sign-in counts as well; `open` connects. */
  moveTo(webUrl: string): void {
    this.#webUrl = webUrl;
  }

  /** Opens the socket and waits for the welcome and, if not resumed, the snapshot. */
  async open(resume?: { epoch: string | undefined; lastSeq: number | undefined }): Promise<void> {
    const socket = new WebSocket(`${this.#webUrl.replace('http', 'ws')}/desk`, { headers: { cookie: this.cookie } });
    this.#socket = socket;
    this.epoch = undefined;
    this.closedWith = undefined;
    socket.on('message', (data) => this.#receive(String(data)));
    socket.on('close', (code) => {
      this.closedWith = code;
      this.#watch.note(`closed with ${code}`);
    });
    socket.on('error', (error) => this.#watch.note(`socket error: ${error.message}`));
    socket.on('open', () => {
      const { epoch, lastSeq } = resume ?? {};
      this.send({
        kind: 'hello',
        ...(epoch === undefined ? {} : { epoch }),
        ...(lastSeq === undefined ? {} : { lastSeq }),
      });
    });
    await this.#watch.until('the welcome', 5000, () => this.epoch);
    if (this.resumed === false) await this.push('snapshot');
  }

  send(message: ClientMessage): void {
    this.sendRaw(JSON.stringify(message));
  }

  /** What a page says every few seconds: who is silent for half a minute is closed. */
  ping(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.send({ kind: 'ping' });
  }

  /** Whatever text or bytes, for bad input. */
  sendRaw(data: string | Buffer): void {
    this.#socket?.send(data);
  }

  /** The reply to a request that was sent by `sendRaw`. */
  replyTo(id: string): Promise<Reply> {
    return this.#watch.until(`the reply to ${id}`, 5000, () => this.replies.get(id));
  }

  /** The first error after those that had come when there were `known`. */
  nextError(known: number): Promise<ServerMessage> {
    return this.#watch.until('an error', 5000, () => this.errors[known]);
  }

  /** Sends a request and waits for its reply, whatever it is. */
  async request(request: DeskRequest): Promise<Reply> {
    this.#requests += 1;
    const id = `r${this.#requests}`;
    this.send({ kind: 'request', id, request });
    return this.#watch.until(`the reply to ${request.do}`, 5000, () => this.replies.get(id));
  }

  /** Sends a request that must be done. */
  async do(request: DeskRequest): Promise<Reply> {
    const reply = await this.request(request);
    if (!reply.ok) throw new Error(`${request.do} was refused: ${reply.code} ${reply.text}`);
    return reply;
  }

  /** The newest push of this type that holds; waits for one. */
  push<T extends DeskPush['type']>(
    type: T,
    holds: (push: Extract<DeskPush, { type: T }>) => boolean = () => true,
    withinMs = 8000,
  ): Promise<Extract<DeskPush, { type: T }>> {
    return this.#watch.until(`a push «${type}»`, withinMs, () =>
      this.pushes.findLast(
        (push): push is Extract<DeskPush, { type: T }> =>
          push.type === type && holds(push as Extract<DeskPush, { type: T }>),
      ),
    );
  }

  /** Waits until the desk shows the call in this state. */
  async callState(state: DeskCall['state'], withinMs = 8000): Promise<DeskCall> {
    return this.#watch.until(`the call in state ${state}`, withinMs, () => {
      const call = this.call;
      return call?.state === state ? call : undefined;
    });
  }

  /** The call as the desk shows it now. */
  get call(): DeskCall | undefined {
    const last = this.pushes.findLast(
      (push) => push.type === 'offer' || push.type === 'call' || (push.type === 'snapshot' && push.call !== null),
    );
    if (last?.type === 'offer' || last?.type === 'call') return last.call;
    return last?.type === 'snapshot' ? (last.call ?? undefined) : undefined;
  }

  /** The seat as the desk shows it now. */
  get seat(): SeatStatusView | undefined {
    const last = this.pushes.findLast((push) => push.type === 'seat' || push.type === 'snapshot');
    return last?.type === 'seat' || last?.type === 'snapshot' ? last.seat : undefined;
  }

  /** Waits until the seat, as it is shown now, is like this. */
  seatIs(what: string, holds: (seat: SeatStatusView) => boolean, withinMs = 8000): Promise<SeatStatusView> {
    return this.#watch.until(`the seat ${what}`, withinMs, () => {
      const { seat } = this;
      return seat !== undefined && holds(seat) ? seat : undefined;
    });
  }

  /** Waits until a call, as a supervisor's list shows it now, is like this. */
  liveIs(what: string, holds: (call: LiveCallView) => boolean, withinMs = 8000): Promise<LiveCallView> {
    return this.#watch.until(`a live call ${what}`, withinMs, () => {
      const last = this.pushes.findLast((push) => push.type === 'live' || push.type === 'snapshot');
      return last?.type === 'live' || last?.type === 'snapshot' ? last.live.find(holds) : undefined;
    });
  }

  get lastSeq(): number | undefined {
    return this.seqs.at(-1);
  }

  /** Waits until the server has closed the socket. */
  closed(withinMs = 5000): Promise<number> {
    return this.#watch.until('the close', withinMs, () => this.closedWith);
  }

  /** Cuts the socket without a close frame, as a lost network does. */
  drop(): void {
    this.#socket?.terminate();
  }

  close(): void {
    this.#socket?.close();
  }

  async api(path: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.#webUrl}${path}`, { headers: { cookie: this.cookie } });
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      body: isJson ? await response.json() : Buffer.from(await response.arrayBuffer()),
    };
  }

  #receive(text: string): void {
    const message = serverMessageSchema.parse(JSON.parse(text));
    switch (message.kind) {
      case 'welcome':
        this.epoch = message.epoch;
        this.resumed = message.resumed;
        break;
      case 'push':
        this.pushes.push(message.push);
        this.seqs.push(message.seq);
        this.send({ kind: 'ack', seq: message.seq });
        break;
      case 'reply':
        this.replies.set(message.to, message);
        break;
      case 'error':
        this.errors.push(message);
        break;
      case 'pong':
        break;
    }
    this.#watch.note(text.slice(0, 200));
  }
}
