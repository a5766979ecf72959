/** One client of the Event Socket. */
import type { Socket } from 'node:net';
import { errorChain } from '../../../kernel/errors.ts';
import { encodeFrame, FrameReader, type WireFrame } from '../../esl/wire.ts';
import type { EventSink } from '../core/events.ts';
import { hangup } from '../core/lifecycle.ts';
import { execute } from '../core/park.ts';
import type { SwitchCore } from '../core/switch.ts';
import { equalInConstantTime } from '../sip/digest.ts';
import { runCommand, startJob } from './api.ts';
import { Outbox } from './outbox.ts';
import { Subscriptions } from './subscriptions.ts';

/** What a client may send at once; its commands are short. */
const LIMITS = { maxHeaderBytes: 64 * 1024, maxBodyBytes: 256 * 1024 };
/** Commands that wait behind a slow one; a client that sends more without reading the answers is broken. */
const MAX_WAITING_COMMANDS = 10_000;
const AUTHENTICATION_DEADLINE_MS = 10_000;
const GOODBYE = 'Disconnected, goodbye.\n';
const SHUT_DOWN = 'The system is being shut down.\n';

export interface SessionOptions {
  readonly core: SwitchCore;
  readonly socket: Socket;
  readonly password: string;
  /** Resolves when a password from this address may be looked at. */
  beforePassword(): Promise<void>;
  onWrongPassword(): void;
  /** A client orders that every connection ends, its own too. */
  onReload(): void;
  onClosed(): void;
}

/** How FreeSWITCH takes it: whatever the verb, it is answered like an `api` command and done in the background. */
const RELOAD = /^(?:bg)?api\s+reload\s+mod_event_socket$/;

export class EslSession implements EventSink {
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #reader = new FrameReader(LIMITS);
  readonly #subscriptions = new Subscriptions();
  readonly #address: string;
  #waiting: WireFrame[] = [];
  #busy = false;
  #authenticated = false;
  #leaving = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { socket, core } = options;
    this.#address = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    this.#outbox = new Outbox(socket, () => {
      core.context.log.error({ client: this.#address }, 'an ESL client does not read its events: disconnected');
      socket.destroy();
    });
    const impatience = setTimeout(() => socket.destroy(), AUTHENTICATION_DEADLINE_MS);
    socket.on('data', (chunk: Buffer) => {
      if (this.#authenticated) clearTimeout(impatience);
      this.#receive(chunk);
    });
    socket.on('error', (error) => core.context.log.debug({ client: this.#address, err: error }, 'ESL client failed'));
    socket.on('close', () => {
      clearTimeout(impatience);
      core.context.events.remove(this);
      this.#waiting = [];
      options.onClosed();
    });
    this.#write(encodeFrame([['Content-Type', 'auth/request']]));
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  wants(name: string, subclass: string | undefined): boolean {
    return this.#authenticated && !this.#leaving && this.#subscriptions.wants(name, subclass);
  }

  deliver(frame: Buffer): void {
    this.#outbox.push(frame);
  }

  /** Says goodbye and closes; what the client has sent and was not yet obeyed is thrown away. */
  close(notice = GOODBYE): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#write(encodeFrame([['Content-Type', 'text/disconnect-notice']], notice));
    this.#options.socket.destroySoon();
  }

  /** Ends as all connections end when the Event Socket is loaded anew. */
  shutDown(): void {
    this.close(SHUT_DOWN);
  }

  #write(frame: Buffer): void {
    this.#outbox.push(frame);
  }

  #reply(text: string, extra: ReadonlyArray<readonly [string, string]> = []): void {
    this.#write(encodeFrame([['Content-Type', 'command/reply'], ['Reply-Text', text], ...extra]));
  }

  #receive(chunk: Buffer): void {
    const { frames, error } = this.#reader.push(chunk);
    for (const frame of frames) this.#waiting.push(frame);
    if (error !== undefined || this.#waiting.length > MAX_WAITING_COMMANDS) {
      const { log } = this.#options.core.context;
      log.warn({ client: this.#address, reason: error ?? 'too many commands' }, 'an ESL client is closed');
      this.#options.socket.destroy();
      return;
    }
    if (!this.#busy) void this.#work();
  }

  /** Commands are answered in the order in which they came, one at a time. */
  async #work(): Promise<void> {
    this.#busy = true;
    for (let frame = this.#waiting.shift(); frame !== undefined && !this.#leaving; frame = this.#waiting.shift()) {
      try {
        const pending = this.#obey(frame);
        if (pending !== undefined) await pending;
      } catch (error) {
        this.#options.core.context.log.error({ error: errorChain(error) }, 'an ESL command failed');
        this.#reply('-ERR internal error');
      }
    }
    this.#busy = false;
  }

  #obey(frame: WireFrame): Promise<void> | undefined {
    const line = frame.headers.firstLine.trim();
    const [verb = ''] = line.split(/\s/, 1);
    const rest = line.slice(verb.length).trim();
    if (verb === 'exit') {
      this.#reply('+OK bye');
      this.close();
      return undefined;
    }
    if (!this.#authenticated) return this.#authenticate(verb, rest);
    if (RELOAD.test(line)) {
      const body = `+OK Job-UUID: ${this.#options.core.context.ids.uuid()}\n`;
      this.#write(encodeFrame([['Content-Type', 'api/response']], body));
      this.#options.onReload();
      return undefined;
    }
    switch (verb) {
      case 'auth':
        this.#reply('+OK accepted');
        return undefined;
      case 'api':
        return this.#api(rest);
      case 'bgapi':
        this.#background(rest, frame.headers.raw('Job-UUID'));
        return undefined;
      case 'sendmsg':
        this.#sendMessage(rest, frame);
        return undefined;
      default:
        this.#subscribe(verb, rest);
        return undefined;
    }
  }

  async #authenticate(verb: string, password: string): Promise<void> {
    if (verb === 'auth') {
      await this.#options.beforePassword();
      if (equalInConstantTime(password, this.#options.password)) {
        this.#authenticated = true;
        this.#options.core.context.events.add(this);
        this.#reply('+OK accepted');
        return;
      }
      this.#options.onWrongPassword();
      this.#reply('-ERR invalid');
    } else {
      this.#reply('-ERR command not found');
    }
    this.close();
  }

  #subscribe(verb: string, rest: string): void {
    const words = rest.split(/\s+/);
    if (verb === 'event' || verb === 'events') {
      const format = (words[0] ?? '').toLowerCase();
      const named = format === 'plain' ? words.slice(1) : words;
      if (format === 'json' || format === 'xml') this.#reply('-ERR only plain events are spoken here');
      else if (this.#subscriptions.add(named)) this.#reply(`+OK event listener enabled plain`);
      else this.#reply('-ERR no keywords supplied');
    } else if (verb === 'nixevent') {
      this.#subscriptions.remove(words);
      this.#reply('+OK events nixed');
    } else if (verb === 'noevents') {
      this.#subscriptions.clear();
      this.#reply('+OK no longer listening for events');
    } else this.#reply('-ERR command not found');
  }

  #api(command: string): Promise<void> | undefined {
    const answer = (body: string): void => this.#write(encodeFrame([['Content-Type', 'api/response']], body));
    const result = runCommand(this.#options.core, command);
    if (typeof result !== 'string') return result.then(answer);
    answer(result);
    return undefined;
  }

  #background(command: string, wanted: string | undefined): void {
    const jobUuid = wanted ?? this.#options.core.context.ids.uuid();
    this.#reply(`+OK Job-UUID: ${jobUuid}`, [['Job-UUID', jobUuid]]);
    startJob(this.#options.core, jobUuid, command);
  }

  #sendMessage(uuid: string, frame: WireFrame): void {
    const { context } = this.#options.core;
    const { headers, body } = frame;
    const channel = context.channels.get(uuid);
    if (channel === undefined) {
      this.#reply(`-ERR invalid session id [${uuid}]`);
      return;
    }
    const command = headers.raw('call-command');
    if (command === 'hangup') {
      this.#reply('+OK');
      hangup(context, channel, headers.raw('hangup-cause') ?? 'NORMAL_CLEARING');
    } else if (command === 'execute' && headers.raw('execute-app-name') !== undefined) {
      this.#reply('+OK');
      const loops = Number(headers.raw('loops') ?? '1');
      execute(context, channel, {
        application: headers.raw('execute-app-name') ?? '',
        argument: headers.raw('execute-app-arg') ?? body.toString('utf8'),
        eventUuid: headers.raw('Event-UUID') ?? context.ids.uuid(),
        loops: loops < 0 ? Infinity : Math.max(1, Math.trunc(loops) || 1),
      });
    } else this.#reply('-ERR invalid message');
  }
}
