import type { Clock, Timer } from '../../kernel/clock.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import { err, type Result } from '../../kernel/result.ts';
import type { SwitchFailure } from '../port.ts';
import { type BackoffLimits, backoffMs } from './backoff.ts';
import {
  apiCommand,
  authCommand,
  bgapiCommand,
  type EslCommand,
  eventCommand,
  type MessageHeaders,
  sendMsgCommand,
} from './command.ts';
import { EslConnection } from './connection.ts';
import type { EslEvent } from './event.ts';
import type { CommandGate } from './gate.ts';
import { Inbox } from './inbox.ts';
import { type JobResult, JobTable } from './jobs.ts';
import type { EslReply } from './replies.ts';

/** Settings of an ESL client; times in milliseconds. */
export interface EslClientOptions {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** What stands after `event plain`. */
  readonly events: readonly string[];
  readonly commandDeadlineMs: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** In [0, 1), spreads reconnects. */
  readonly random: () => number;
  /** Without one everything may be sent. */
  readonly gate?: CommandGate;
  readonly format?: 'plain' | 'json';
  /** From connecting to the subscription's answer. */
  readonly connectDeadlineMs?: number;
  readonly keepAliveIntervalMs?: number;
  readonly keepAliveDeadlineMs?: number;
  readonly backoff?: BackoffLimits;
  /** A link that lasted this long was good: the next back-off begins anew. */
  readonly stableAfterMs?: number;
  readonly maxPending?: number;
  readonly maxJobs?: number;
  /** Events that may wait for a slow listener before reading pauses. */
  readonly inboxHighWater?: number;
}

/** Who listens. All three are called in the order in which things happened; a promise delays the next call. */
export interface EslListener {
  /** Connected, authenticated, subscribed. */
  onUp(): void | Promise<void>;
  onDown(reason: string): void | Promise<void>;
  onEvent(event: EslEvent): void | Promise<void>;
}

/** A `bgapi` on its way: first the switch takes it, much later it ends. */
export interface EslJob {
  readonly accepted: Promise<EslReply>;
  /** The job's own answer, e.g. `+OK <uuid>` or `-ERR USER_BUSY`; fails with `link-down` or `deadline`. */
  readonly done: Promise<JobResult>;
}

type Happening =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'event'; readonly event: EslEvent };

const DEFAULTS = {
  format: 'plain',
  connectDeadlineMs: 4000,
  keepAliveIntervalMs: 2000,
  keepAliveDeadlineMs: 2500,
  backoff: { firstMs: 100, maxMs: 1000 },
  stableAfterMs: 10_000,
  maxPending: 2000,
  maxJobs: 10_000,
  inboxHighWater: 10_000,
  gate: { mayAct: () => true, mayConnect: () => true },
} as const;

const KEEP_ALIVE: EslCommand = { text: 'api status\n\n', what: 'keep-alive' };

/**
 * A client of FreeSWITCH's Event Socket (inbound mode) that stays connected. Commands fail with `link-down` when the
 * link breaks under them and are never sent again: whether they happened is found out from the switch's own lists.
 */
export class EslClient {
  readonly #options: Required<EslClientOptions>;
  readonly #log: Logger;
  readonly #jobs: JobTable;
  readonly #inbox: Inbox<Happening>;
  #listener: EslListener | undefined;
  #connection: EslConnection | undefined;
  #retryTimer: Timer | undefined;
  #attempt = 0;
  #up = false;
  #stopped = false;
  #retryWhenRead = false;
  /** Events that came in the same breath as the subscription's answer: they are told after `onUp`. */
  #early: EslEvent[] = [];

  constructor(options: EslClientOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#log = options.log.child({ part: 'esl', peer: `${options.host}:${options.port}` });
    this.#jobs = new JobTable(options.clock, this.#options.maxJobs);
    this.#inbox = new Inbox<Happening>(
      {
        consume: (happening) => this.#tell(happening),
        pause: () => this.#pause(),
        resume: () => this.#resume(),
        failed: (error) => this.#log.error({ error: errorChain(error) }, 'a listener of the switch failed'),
      },
      this.#options.inboxHighWater,
    );
  }

  /** True while connected, authenticated and subscribed. */
  get connected(): boolean {
    return this.#up;
  }

  /** Connects and stays connected until `close`. */
  start(listener: EslListener): void {
    this.#listener = listener;
    this.#connect();
  }

  /** Says goodbye and ends for good, without `onDown`. Waiting commands fail with `link-down`. */
  async close(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#retryTimer?.cancel();
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#up) await connection.send({ text: 'exit\n\n', what: 'exit' }, 500);
    connection.close('closed by us');
  }

  /** Gives this link up and connects anew; for a listener that can't make sense of what it hears. */
  drop(reason: string): void {
    this.#connection?.close(reason);
  }

  /** Runs an `api` command and gives its answer's text, `-ERR …` included. */
  api(line: string, deadlineMs: number = this.#options.commandDeadlineMs): Promise<EslReply> {
    return this.#send(apiCommand(line), deadlineMs);
  }

  /** Runs an application on a leg. The reply only says that the leg's queue took it. */
  sendMsg(leg: string, headers: MessageHeaders): Promise<EslReply> {
    return this.#send(sendMsgCommand(leg, headers), this.#options.commandDeadlineMs);
  }

  /** Starts a background job that may take `jobDeadlineMs`. */
  bgapi(line: string, jobDeadlineMs: number): EslJob {
    const jobUuid = this.#options.ids.uuid();
    const refuse = (failure: SwitchFailure): EslJob => {
      const outcome = Promise.resolve(err(failure));
      return { accepted: outcome, done: outcome };
    };
    const command = bgapiCommand(line, jobUuid);
    if (!command.ok) return refuse(command.error);
    if (!this.#up) return refuse({ kind: 'link-down', message: `${command.value.what}: not connected` });
    if (this.#jobs.full) return refuse({ kind: 'refused', message: 'too many background jobs' });
    const done = this.#jobs.expect(jobUuid, jobDeadlineMs);
    const accepted = this.#send(command, this.#options.commandDeadlineMs).then((reply): EslReply => {
      if (reply.ok && reply.value.startsWith('+OK')) return reply;
      const failure: SwitchFailure = reply.ok ? { kind: 'refused', message: reply.value } : reply.error;
      // After a deadline the switch may still run the job, so its end is still awaited.
      if (failure.kind !== 'deadline') this.#jobs.deliver(jobUuid, err(failure));
      return err(failure);
    });
    return { accepted, done };
  }

  #send(command: Result<EslCommand, SwitchFailure>, deadlineMs: number): Promise<EslReply> {
    if (!command.ok) return Promise.resolve(command);
    const may = this.#options.gate.mayAct();
    if (may === true) return this.#sendNow(command.value, deadlineMs);
    return Promise.resolve(may).then((yes): Promise<EslReply> | EslReply =>
      yes
        ? this.#sendNow(command.value, deadlineMs)
        : err({ kind: 'link-down', message: `${command.value.what}: another control leads` }),
    );
  }

  #sendNow(command: EslCommand, deadlineMs: number): Promise<EslReply> {
    const connection = this.#connection;
    if (!this.#up || connection === undefined) {
      return Promise.resolve(err({ kind: 'link-down', message: `${command.what}: not connected` }));
    }
    return connection.send(command, deadlineMs);
  }

  #connect(): void {
    if (this.#stopped) return;
    if (this.#inbox.paused) {
      // The listener has not even read the last link's events: a new link would only add to them.
      this.#retryWhenRead = true;
      return;
    }
    const { clock, connectDeadlineMs, gate } = this.#options;
    if (!gate.mayConnect()) {
      this.#log.warn({}, 'the switch is not connected without the lease of the leader');
      this.#retryTimer = clock.setTimer(this.#options.backoff.maxMs, () => this.#connect());
      return;
    }
    const deadline = clock.setTimer(connectDeadlineMs, () => {
      connection.close(`not connected and subscribed within ${connectDeadlineMs} ms`);
    });
    let upSince: number | undefined;
    const connection = new EslConnection(
      { ...this.#options, keepAlive: KEEP_ALIVE },
      {
        authRequested: () => {
          void this.#logIn(connection).then((subscribed) => {
            if (!subscribed) return;
            deadline.cancel();
            upSince = clock.now();
          });
        },
        event: (event) => this.#takeEvent(event),
        oddFrame: (message) => this.#log.warn({ reason: message }, 'the switch sent something odd'),
        closed: (reason) => {
          deadline.cancel();
          this.#ended(reason, upSince);
        },
      },
    );
    this.#connection = connection;
  }

  /** Password and subscription; true when the link is up. Any failure closes the connection. */
  async #logIn(connection: EslConnection): Promise<boolean> {
    const { password, events, format, connectDeadlineMs, gate } = this.#options;
    // Between the decision to connect and now this process may have been frozen.
    if (!gate.mayConnect()) {
      connection.close('the lease of the leader is over');
      return false;
    }
    for (const command of [authCommand(password), eventCommand(format, events)]) {
      if (!command.ok) {
        connection.close(command.error.message);
        return false;
      }
      const reply = await connection.send(command.value, connectDeadlineMs);
      if (!reply.ok || !reply.value.startsWith('+OK')) {
        const why = reply.ok ? reply.value : reply.error.message;
        connection.close(`${command.value.what} failed: ${why}`);
        return false;
      }
    }
    if (this.#connection !== connection || this.#stopped) return false;
    connection.startKeepAlive();
    this.#up = true;
    this.#log.info({}, 'the switch is connected');
    this.#inbox.push({ kind: 'up' });
    for (const event of this.#early.splice(0)) this.#inbox.push({ kind: 'event', event });
    return true;
  }

  #ended(reason: string, upSince: number | undefined): void {
    const wasUp = this.#up;
    this.#up = false;
    this.#connection = undefined;
    this.#early = [];
    this.#jobs.failAll(reason);
    const { clock, stableAfterMs, backoff, random } = this.#options;
    if (this.#stopped) return;
    if (wasUp) this.#inbox.push({ kind: 'down', reason });
    if (upSince !== undefined && clock.now() - upSince >= stableAfterMs) this.#attempt = 0;
    const delayMs = backoffMs(backoff, this.#attempt, random());
    this.#attempt += 1;
    this.#log.warn({ reason, delayMs }, wasUp ? 'the link to the switch broke' : 'the switch was not reached');
    this.#retryTimer = clock.setTimer(delayMs, () => this.#connect());
  }

  #takeEvent(event: EslEvent): void {
    if (event.name === 'BACKGROUND_JOB') {
      const jobUuid = event.get('Job-UUID');
      if (jobUuid !== undefined && this.#jobs.deliverBody(jobUuid, event.body.trim())) return;
    }
    if (this.#up) this.#inbox.push({ kind: 'event', event });
    else this.#early.push(event);
  }

  #tell(happening: Happening): void | Promise<void> {
    switch (happening.kind) {
      case 'event':
        return this.#listener?.onEvent(happening.event);
      case 'up':
        return this.#listener?.onUp();
      case 'down':
        return this.#listener?.onDown(happening.reason);
    }
  }

  #pause(): void {
    this.#log.warn({ waiting: this.#inbox.size }, 'events come faster than they are handled: reading pauses');
    this.#connection?.pause();
  }

  #resume(): void {
    this.#connection?.resume();
    if (!this.#retryWhenRead) return;
    this.#retryWhenRead = false;
    this.#connect();
  }
}
