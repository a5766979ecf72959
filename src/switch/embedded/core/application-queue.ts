/** What `sendmsg` runs on a parked leg: one application after the other, each with its EXECUTE_COMPLETE. */
import {
  type ApplicationRequest,
  FILE_PLAYED,
  launchApplication,
  NO_RESPONSE,
  type StopApplication,
} from './applications.ts';
import type { Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';

export interface ExecuteRequest extends ApplicationRequest {
  /** Comes back as Application-UUID. */
  readonly eventUuid: string;
  /** How often; Infinity for ever. Each round ends with an event of its own. */
  readonly loops: number;
}

/** More waiting applications than this are refused. */
const MAX_QUEUED = 200;

interface Running {
  readonly request: ExecuteRequest;
  readonly roundsLeft: number;
  stop: StopApplication;
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
    this.#stop(FILE_PLAYED);
  }

  /** The leg leaves the park: everything ends, nothing begins any more. */
  close(): void {
    this.#closed = true;
    this.#stop('PLAYBACK ERROR');
  }

  #stop(playbackResponse: string): void {
    this.#waiting = [];
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.stop();
    this.#complete(running.request, running.request.application === 'playback' ? playbackResponse : NO_RESPONSE);
  }

  #next(): void {
    const request = this.#waiting.shift();
    if (request !== undefined) this.#round(request, request.loops);
    else if (!this.#closed) this.#onIdle();
  }

  #round(request: ExecuteRequest, roundsLeft: number): void {
    this.#channel.application = request.application;
    this.#channel.applicationData = request.argument;
    emitChannelEvent(this.#context, 'CHANNEL_EXECUTE', this.#channel, [
      ['Application', request.application],
      ['Application-Data', request.argument],
      ['Application-UUID', request.eventUuid],
    ]);
    const running: Running = { request, roundsLeft, stop: () => undefined };
    this.#running = running;
    running.stop = launchApplication(this.#context, this.#channel, request, (response) => {
      // One that was stopped has been told already.
      if (this.#running !== running) return;
      this.#running = undefined;
      this.#complete(request, response);
      // Only what took its time is repeated: a missing file would turn round without end.
      if (roundsLeft > 1 && response === FILE_PLAYED && !this.#closed) this.#round(request, roundsLeft - 1);
      else this.#next();
    });
  }

  #complete(request: ExecuteRequest, response: string): void {
    emitChannelEvent(this.#context, 'CHANNEL_EXECUTE_COMPLETE', this.#channel, [
      ['Application', request.application],
      ['Application-Data', request.argument],
      ['Application-Response', response],
      ['Application-UUID', request.eventUuid],
    ]);
    if (this.#channel.ended || this.#closed) return;
    this.#channel.application = 'park';
    this.#channel.applicationData = '';
  }
}
