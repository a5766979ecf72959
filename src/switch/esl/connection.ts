import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { err } from '../../kernel/result.ts';
import type { EslCommand } from './command.ts';
import { type EslEvent, readJsonEvent, readPlainEvent } from './event.ts';
import { type EslReply, ReplyQueue } from './replies.ts';
import { FrameReader, type WireFrame } from './wire.ts';

/** How one connection is kept. Times in milliseconds. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** Commands that may wait for a reply, those whose time is up included. */
  readonly maxPending: number;
  /** A command that every switch answers at once; it finds out whether the peer is still there. */
  readonly keepAlive: EslCommand;
  readonly keepAliveIntervalMs: number;
  /** The link is dead when nothing at all came for this long after a keep-alive command. */
  readonly keepAliveDeadlineMs: number;
}

/** What a connection tells its owner. */
export interface ConnectionHooks {
  /** The switch asks for the password. */
  authRequested(): void;
  event(event: EslEvent): void;
  /** A frame that can be skipped without losing step. */
  oddFrame(message: string): void;
  /** Called once, after the last event; all waiting commands have failed by then. */
  closed(reason: string): void;
}

/** A peer that takes no bytes: beyond this the link is broken, bytes. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/** Commands may take this many keep-alive deadlines while events still flow, then the switch's session is stuck. */
const MAX_KEEP_ALIVE_ROUNDS = 8;

/** One TCP connection to an Event Socket, from connecting to its one end. */
export class EslConnection {
  readonly #options: ConnectionOptions;
  readonly #hooks: ConnectionHooks;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #replies: ReplyQueue;
  #keepAliveTimer: Timer | undefined;
  #keepAliveAnswered = true;
  #signsOfLife = 0;
  #closed = false;

  constructor(options: ConnectionOptions, hooks: ConnectionHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#replies = new ReplyQueue(options.clock, options.maxPending);
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true });
    // The kernel's own probes end a link whose peer vanished without a word; ours notice it sooner.
    this.#socket.setKeepAlive(true, 1000);
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.close(error.message));
    this.#socket.on('end', () => this.close('the switch closed the connection'));
    this.#socket.on('close', () => this.close('the connection is closed'));
  }

  /** Commands whose reply has not come, those whose time is up included. */
  get pending(): number {
    return this.#replies.size;
  }

  /** Writes a command and waits for its reply. Never sends anything twice. */
  send(command: EslCommand, deadlineMs: number): Promise<EslReply> {
    if (this.#closed) return Promise.resolve(err({ kind: 'link-down', message: `${command.what}: not connected` }));
    if (this.#replies.full) {
      return Promise.resolve(err({ kind: 'refused', message: `${command.what}: too many commands are waiting` }));
    }
    const reply = this.#replies.expect(command.what, deadlineMs);
    this.#write(command.text);
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.close('the switch takes no bytes');
    return reply;
  }

  /** Commands of one turn leave in one write: a process that is killed has sent all of them or none. */
  #write(text: string): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(text);
  }

  /** Begins to ask from time to time whether the peer is there; call it when the password is accepted. */
  startKeepAlive(): void {
    if (this.#closed) return;
    this.#keepAliveTimer = this.#options.clock.setTimer(this.#options.keepAliveIntervalMs, () => this.#askAlive());
  }

  /** Stops reading: what comes waits in the peer. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    // Silence counts from here on: until now nobody listened.
    this.#signsOfLife += 1;
    this.#socket.resume();
  }

  /** Ends the connection at once; the first reason counts. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepAliveTimer?.cancel();
    this.#socket.destroy();
    this.#replies.failAll(reason);
    this.#hooks.closed(reason);
  }

  #askAlive(): void {
    const { keepAlive, keepAliveDeadlineMs } = this.#options;
    this.#keepAliveAnswered = false;
    void this.send(keepAlive, keepAliveDeadlineMs * (MAX_KEEP_ALIVE_ROUNDS + 1)).then((reply) => {
      if (!reply.ok || this.#closed) return;
      this.#keepAliveAnswered = true;
      this.#keepAliveTimer?.cancel();
      this.startKeepAlive();
    });
    this.#awaitAlive(MAX_KEEP_ALIVE_ROUNDS);
  }

  /** Watches over a keep-alive command that is on its way. */
  #awaitAlive(rounds: number): void {
    if (this.#closed) return;
    const seenBefore = this.#signsOfLife;
    this.#keepAliveTimer = this.#options.clock.setTimer(this.#options.keepAliveDeadlineMs, () => {
      // When this process itself was busy, the peer's bytes lie in the socket: they are read before the verdict.
      setImmediate(() => this.#judgeAlive(seenBefore, rounds));
    });
  }

  #judgeAlive(seenBefore: number, rounds: number): void {
    if (this.#closed || this.#keepAliveAnswered) return;
    if (this.#socket.isPaused()) {
      // We are the ones who don't read: silence says nothing about the peer.
      this.#awaitAlive(rounds);
    } else if (this.#signsOfLife === seenBefore || rounds <= 1) {
      this.close(`no sign of life for ${this.#options.keepAliveDeadlineMs} ms`);
    } else {
      this.#awaitAlive(rounds - 1);
    }
  }

  #read(chunk: Buffer): void {
    this.#signsOfLife += 1;
    const { frames, error } = this.#reader.push(chunk);
    for (const frame of frames) {
      if (this.#closed) return;
      this.#take(frame);
    }
    if (error !== undefined) this.close(`malformed frame: ${error}`);
  }

  #take(frame: WireFrame): void {
    const type = frame.headers.raw('Content-Type');
    switch (type) {
      case 'text/event-plain':
        this.#takeEvent(readPlainEvent(frame.body));
        break;
      case 'text/event-json':
        this.#takeEvent(readJsonEvent(frame.body));
        break;
      case 'command/reply':
        this.#takeReply(frame.headers.raw('Reply-Text') ?? '');
        break;
      case 'api/response':
        this.#takeReply(frame.body.toString('utf8'));
        break;
      case 'auth/request':
        this.#hooks.authRequested();
        break;
      case 'text/disconnect-notice':
        this.close(`the switch said: ${firstLine(frame)}`);
        break;
      case 'text/rude-rejection':
        this.close(`the switch refuses this address: ${firstLine(frame)}`);
        break;
      case 'log/data':
        break;
      default:
        this.#hooks.oddFrame(`frame of unknown type ${type ?? '(none)'}`);
    }
  }

  #takeEvent(event: EslEvent | undefined): void {
    if (event === undefined) this.#hooks.oddFrame('event without a name');
    else this.#hooks.event(event);
  }

  #takeReply(text: string): void {
    // A reply that nobody waits for means that all later ones would go astray.
    if (!this.#replies.deliver(text.trimEnd())) this.close('a reply came that no command waits for');
  }
}

function firstLine(frame: WireFrame): string {
  return (frame.body.toString('utf8').split('\n', 1)[0] ?? '').slice(0, 120);
}
