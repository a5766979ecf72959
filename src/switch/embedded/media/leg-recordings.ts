import type { RecordingRequest } from './api.ts';
import { Recorder, type RecordingChannel } from './recorder.ts';

/** A leg is recorded for the archive and perhaps for a test or a supervisor; more is a mistake of the caller. */
const MAX_RECORDINGS = 8;

/** The recordings of one leg. */
export class LegRecordings {
  readonly #recorders = new Map<string, Recorder>();
  readonly #ending = new Set<Promise<void>>();

  /** False: nothing needs to be tapped. */
  get active(): boolean {
    return this.#recorders.size > 0;
  }

  /** Starts one; what can't be started is told by `onEnded`. */
  start(request: RecordingRequest): void {
    const refusal = this.#recorders.has(request.path)
      ? 'this path is being recorded already'
      : this.#recorders.size >= MAX_RECORDINGS
        ? `${MAX_RECORDINGS} recordings run already`
        : undefined;
    if (refusal !== undefined) {
      queueMicrotask(() => request.onEnded({ reason: 'failed', error: refusal, durationMs: 0 }));
      return;
    }
    const recorder: Recorder = new Recorder({
      path: request.path,
      stereo: request.stereo,
      maxDurationMs: request.maxDurationMs,
      onEnded: (result) => {
        if (this.#recorders.get(request.path) === recorder) this.#recorders.delete(request.path);
        request.onEnded(result);
      },
    });
    this.#recorders.set(request.path, recorder);
  }

  /** False when that path isn't recorded. */
  stop(path: string): boolean {
    const recorder = this.#recorders.get(path);
    if (recorder === undefined) return false;
    this.#recorders.delete(path);
    const ending = recorder.stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    return true;
  }

  /** False when that path isn't recorded. */
  mask(path: string, masked: boolean): boolean {
    const recorder = this.#recorders.get(path);
    recorder?.mask(masked);
    return recorder !== undefined;
  }

  /** Hands a packet's code bytes to all recordings. */
  tap(
    channel: RecordingChannel,
    source: object,
    bytes: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    table: Int16Array,
    nowMs: number,
  ): void {
    for (const recorder of this.#recorders.values()) {
      recorder.tap(channel, source, bytes, start, end, timestamp, table, nowMs);
    }
  }

  /** Stops all; resolves when their files are complete. */
  async close(): Promise<void> {
    for (const path of [...this.#recorders.keys()]) this.stop(path);
    await Promise.all(this.#ending);
  }
}
