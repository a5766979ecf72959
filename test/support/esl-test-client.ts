/**
 * A bare Event Socket client for tests: it keeps every event, so that a test can ask for what has happened already.
 * It is written apart from the product's client, which has reconnects, limits and deadlines that a test doesn't want.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Watch } from './watch.ts';

/** An event or reply: header names as sent, values decoded. */
export interface EslMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface EslAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

/** The subscription of docs/switch-contract.md. */
export const contractEvents =
  'CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_PARK CHANNEL_BRIDGE ' +
  'CHANNEL_UNBRIDGE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE DTMF RECORD_START ' +
  'RECORD_STOP BACKGROUND_JOB HEARTBEAT CUSTOM sofia::register sofia::unregister sofia::expire sofia::register_attempt conference::maintenance ' +
  'yihaotong::supervise';

const replyMs = 5000;
const eventMs = 5000;
const keptEvents = 5000;

export type EventFilter = Readonly<Record<string, string | RegExp>>;

export class EslTestClient {
  readonly #socket: Socket;
  readonly #watch = new Watch('ESL');
  readonly #events: EslMessage[] = [];
  readonly #replies: ((message: EslMessage) => void)[] = [];
  #pending = Buffer.alloc(0);
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#watch.note(`socket: ${error.message}`));
    socket.on('close', () => {
      this.#closed = true;
      this.#watch.note('connection closed');
    });
  }

  /** Connects and signs in; subscribes to the contract's events unless `events` says otherwise. */
  static async open(address: EslAddress, events: string = contractEvents): Promise<EslTestClient> {
    const client = await EslTestClient.openBare(address);
    const reply = await client.command(`auth ${address.password}`);
    if (reply !== '+OK accepted') throw new Error(`ESL refused the password: ${reply}`);
    if (events !== '') await client.command(`event plain ${events}`);
    return client;
  }

  /** Connects and waits for the switch's `auth/request` only. */
  static async openBare(address: { readonly host: string; readonly port: number }): Promise<EslTestClient> {
    const socket = connect(address.port, address.host);
    await once(socket, 'connect');
    const client = new EslTestClient(socket);
    await client.#watch.until('auth/request', replyMs, () =>
      client.#events.find((event) => event.headers['Content-Type'] === 'auth/request'),
    );
    return client;
  }

  /** Sends one command and returns its Reply-Text, or the body of an `api` answer. */
  async command(line: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
    const reply = await new Promise<EslMessage>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no reply to "${line}" within ${replyMs} ms`)), replyMs);
      this.#replies.push((message) => {
        clearTimeout(late);
        resolve(message);
      });
      this.#socket.write(`${line}\n${extra.join('')}\n`);
    });
    return reply.headers['Reply-Text'] ?? reply.body.trimEnd();
  }

  api(command: string): Promise<string> {
    return this.command(`api ${command}`);
  }

  /** Starts a background job; the promise resolves with the job's own result. */
  async bgapi(command: string, withinMs = 30_000): Promise<string> {
    const job = randomUUID();
    await this.api(`bgapi uuid:${job} ${command}`);
    const done = await this.event('BACKGROUND_JOB', { 'Job-UUID': job }, { withinMs });
    return done.body.trimEnd();
  }

  /** Runs an application on a leg; the returned Event-UUID comes back as Application-UUID. */
  async execute(
    leg: string,
    app: string,
    argument: string,
    options: { readonly loops?: number } = {},
  ): Promise<string> {
    const eventUuid = randomUUID();
    const reply = await this.command(`sendmsg ${leg}`, {
      'call-command': 'execute',
      'execute-app-name': app,
      'execute-app-arg': argument,
      'Event-UUID': eventUuid,
      ...(options.loops === undefined ? {} : { loops: String(options.loops) }),
    });
    if (!reply.startsWith('+OK')) throw new Error(`sendmsg ${app} was refused: ${reply}`);
    return eventUuid;
  }

  /** All events so far that fit, oldest first. */
  eventsSoFar(name: string, filter: EventFilter = {}): EslMessage[] {
    return this.#events.filter((event) => event.headers['Event-Name'] === name && fits(event, filter));
  }

  /** The `nth` event that fits (counted from 1), past or to come. */
  event(
    name: string,
    filter: EventFilter = {},
    { withinMs = eventMs, nth = 1 }: { readonly withinMs?: number; readonly nth?: number } = {},
  ): Promise<EslMessage> {
    const wanted = Object.entries(filter).map(([key, value]) => `${key}=${value}`);
    return this.#watch.until(
      `event ${name} ${wanted.join(' ')}${nth > 1 ? ` (number ${nth})` : ''}`,
      withinMs,
      () => this.eventsSoFar(name, filter)[nth - 1],
    );
  }

  /** Resolves when the switch has closed the connection. */
  async closedByPeer(withinMs = replyMs): Promise<void> {
    await this.#watch.until('the end of the connection', withinMs, () => (this.#closed ? true : undefined));
  }

  /** Sends bytes as they are; for tests of bad input. */
  sendRaw(text: string): void {
    this.#socket.write(text);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#socket.end();
    this.#socket.destroySoon();
    await this.closedByPeer();
  }

  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const end = this.#pending.indexOf('\n\n');
      if (end < 0) return;
      const headers = readHeaders(this.#pending.toString('utf8', 0, end), false);
      const length = Number(headers['Content-Length'] ?? 0);
      if (this.#pending.length < end + 2 + length) return;
      const body = this.#pending.toString('utf8', end + 2, end + 2 + length);
      this.#pending = this.#pending.subarray(end + 2 + length);
      this.#dispatch({ headers, body });
    }
  }

  #dispatch(message: EslMessage): void {
    const type = message.headers['Content-Type'];
    if (type === 'command/reply' || type === 'api/response') {
      this.#replies.shift()?.(message);
      return;
    }
    const event = type === 'text/event-plain' ? readEvent(message.body) : message;
    this.#events.push(event);
    if (this.#events.length > keptEvents) this.#events.shift();
    this.#watch.note(describe(event));
  }
}

function readHeaders(text: string, encoded: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon < 0) continue;
    const value = line.slice(colon + 2);
    headers[line.slice(0, colon)] = encoded ? decodeURIComponent(value) : value;
  }
  return headers;
}

function readEvent(text: string): EslMessage {
  const end = text.indexOf('\n\n');
  return { headers: readHeaders(text.slice(0, end), true), body: text.slice(end + 2) };
}

function fits(event: EslMessage, filter: EventFilter): boolean {
  return Object.entries(filter).every(([name, wanted]) => {
    const value = event.headers[name];
    if (value === undefined) return false;
    return typeof wanted === 'string' ? value === wanted : wanted.test(value);
  });
}

function describe(event: EslMessage): string {
  const headers = event.headers;
  const name = headers['Event-Name'] ?? headers['Content-Type'] ?? '?';
  const details = ['Event-Subclass', 'Action', 'Unique-ID', 'Job-UUID', 'Hangup-Cause', 'Application', 'DTMF-Digit']
    .filter((key) => headers[key] !== undefined)
    .map((key) => headers[key]);
  return `${name} ${details.join(' ')} ${name === 'BACKGROUND_JOB' ? event.body.trim() : ''}`;
}
