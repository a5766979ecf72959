/** What `sendmsg` runs on a parked leg: one application after the other, each with its EXECUTE_COMPLETE. */
import { type ApplicationRequest, launchApplication, type StopApplication } from './applications.ts';
import type { Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';

export interface ExecuteRequest extends ApplicationRequest {
  /** Comes back as Application-UUID. */
  readonly eventUuid: string;
}

/** More waiting applications than this are refused. */
const MAX_QUEUED = 200;
const PLAY_APPLICATIONS = new Set(['playback', 'endless_playback']);

interface Running {
  readonly request: ExecuteRequest;
  stop: StopApplication;
}

/** Tells that an application has ended, or could not begin. */
export function emitExecuteComplete(
  context: SwitchContext,
  channel: Channel,
  request: ExecuteRequest,
  response: string,
): void {
  emitChannelEvent(context, 'CHANNEL_EXECUTE_COMPLETE', channel, [
    ['Application', request.application],
    ['Application-Data', request.argument],
    ['Application-Response', response],
    ['Application-UUID', request.eventUuid],
  ]);
}

export class ApplicationQueue {
  readonly #context: SwitchContext;
  readonly #channel: Channel;
  readonly #onIdle: () => void;
  #waiting: ExecuteRequest[] = [];
  #running: Running | undefined;
  #closed = false;

  /** `onIdle` is called each time the last application has ended by itself. */
  constructor(context: SwitchContext, channel: Channel, onIdle: () => void) {
    this.#context = context;
    this.#channel = channel;
    this.#onIdle = onIdle;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Adds an application; false when too many wait. */
  push(request: ExecuteRequest): boolean {
    if (this.#closed || this.#waiting.length >= MAX_QUEUED) return false;
    this.#waiting.push(request);
    if (this.#running === undefined) this.#next();
    return true;
  }

  /** Stops what runs and forgets what waits. */
  breakAll(): void {
    this.#waiting = [];
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.stop();
    this.#complete(running.request, PLAY_APPLICATIONS.has(running.request.application) ? 'FILE PLAYED' : '_none_');
  }

  /** The leg leaves the park: everything ends, nothing begins any more. */
  close(): void {
    this.#closed = true;
    this.breakAll();
  }

  #next(): void {
    const request = this.#waiting.shift();
    if (request === undefined) {
      if (!this.#closed) this.#onIdle();
      return;
    }
    this.#channel.application = request.application;
    this.#channel.applicationData = request.argument;
    emitChannelEvent(this.#context, 'CHANNEL_EXECUTE', this.#channel, [
      ['Application', request.application],
      ['Application-Data', request.argument],
      ['Application-UUID', request.eventUuid],
    ]);
    const running: Running = { request, stop: () => undefined };
    this.#running = running;
    running.stop = launchApplication(this.#context, this.#channel, request, (response) => {
      // One that was stopped has been told already.
      if (this.#running !== running) return;
      this.#running = undefined;
      this.#complete(request, response);
      this.#next();
    });
  }

  #complete(request: ExecuteRequest, response: string): void {
    emitExecuteComplete(this.#context, this.#channel, request, response);
    if (this.#channel.ended || this.#closed) return;
    this.#channel.application = 'park';
    this.#channel.applicationData = '';
  }
}
