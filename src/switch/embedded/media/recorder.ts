import { SAMPLES_PER_MS, saturate } from './frames.ts';
import { HOLD_BACK_SAMPLES, MAX_AHEAD_SAMPLES, RecordingLane } from './recording-lane.ts';
import { WavWriter } from './wav-writer.ts';

/** 2 s of stereo. */
const RING_FRAMES = 16_384;
const RING_MASK = RING_FRAMES - 1;
const FLUSH_MS = 1000;
/** Node's timers can't wait longer; a delay beyond it would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Which side of the stereo picture. */
export type RecordingChannel = 0 | 1;
/** Left: what the leg says. */
export const SAID: RecordingChannel = 0;
/** Right: what the leg hears. */
export const HEARD: RecordingChannel = 1;

interface RecorderResult {
  readonly reason: 'stopped' | 'limit' | 'failed';
  readonly error?: string;
  readonly durationMs: number;
}

export interface RecorderOptions {
  readonly path: string;
  readonly stereo: boolean;
  readonly maxDurationMs: number;
  /** Told once, when the file is complete (or given up). */
  onEnded(result: RecorderResult): void;
}

/**
 * One recording of a leg. Packets are tapped as they pass and laid onto a ring that is tied to the wall clock; once a
 * second what can no longer change is handed to the writer. Length is therefore wall time, whatever comes or not.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #writer: WavWriter;
  readonly #ring = new Int16Array(RING_FRAMES * 2);
  readonly #lanes = [new RecordingLane(), new RecordingLane()] as const;
  readonly #startedAtMs = performance.now();
  readonly #flushTimer: NodeJS.Timeout;
  readonly #limitTimer: NodeJS.Timeout | undefined;
  /** Sample frames that the writer has been given. */
  #flushedTo = 0;
  /** What lies before this was masked and stays silent. */
  #audibleFrom = 0;
  #masked = false;
  #ending: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#writer = new WavWriter(options.path, options.stereo ? 2 : 1, (message) => {
      void this.#end('failed', message);
    });
    this.#flushTimer = setInterval(() => this.#flush(this.#position(performance.now()) - HOLD_BACK_SAMPLES), FLUSH_MS);
    if (options.maxDurationMs > 0) {
      this.#limitTimer = setTimeout(
        () => {
          void this.#end('limit');
        },
        Math.min(options.maxDurationMs, MAX_TIMER_MS),
      );
    }
  }

  get path(): string {
    return this.#options.path;
  }

  /** Takes the code bytes [start, end) of a packet on its way. */
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
    if (this.#ending !== undefined) return;
    const nowAt = this.#position(nowMs);
    const at = this.#lanes[channel].place(source, timestamp, end - start, nowAt);
    if (at === undefined || this.#masked) return;
    if (nowAt + MAX_AHEAD_SAMPLES - this.#flushedTo > RING_FRAMES) this.#flush(nowAt - HOLD_BACK_SAMPLES);
    const skip = Math.max(0, this.#flushedTo - at, this.#audibleFrom - at);
    const length = Math.min(end - start, RING_FRAMES);
    for (let n = skip; n < length; n += 1) {
      this.#ring[(((at + n) & RING_MASK) << 1) | channel] = table[bytes[start + n] ?? 0] ?? 0;
    }
  }

  /** While masked, silence is recorded and the time goes on. */
  mask(masked: boolean): void {
    if (this.#masked === masked) return;
    this.#masked = masked;
    const nowAt = this.#position(performance.now());
    if (!masked) {
      this.#audibleFrom = nowAt;
      return;
    }
    // Packets that came early lie ahead of now: they are spoken under the mask already.
    for (let at = nowAt; at < nowAt + MAX_AHEAD_SAMPLES; at += 1) {
      this.#ring[(at & RING_MASK) << 1] = 0;
      this.#ring[((at & RING_MASK) << 1) | 1] = 0;
    }
  }

  /** Ends the recording; resolves when the file is complete and `onEnded` has been told. */
  stop(): Promise<void> {
    return this.#end('stopped');
  }

  #position(nowMs: number): number {
    return Math.round((nowMs - this.#startedAtMs) * SAMPLES_PER_MS);
  }

  #end(reason: 'stopped' | 'limit' | 'failed', message?: string): Promise<void> {
    this.#ending ??= this.#finish(reason, message);
    return this.#ending;
  }

  async #finish(reason: 'stopped' | 'limit' | 'failed', message: string | undefined): Promise<void> {
    clearInterval(this.#flushTimer);
    clearTimeout(this.#limitTimer);
    this.#flush(this.#position(performance.now()));
    const durationMs = Math.round(this.#flushedTo / SAMPLES_PER_MS);
    const written = await this.#writer.finish();
    const error = message ?? (written.ok ? undefined : written.error);
    if (error === undefined) this.#options.onEnded({ reason, durationMs });
    else this.#options.onEnded({ reason: 'failed', error, durationMs });
  }

  /** Hands everything before `upTo` to the writer. After a very long stall the ring's content is followed by silence. */
  #flush(upTo: number): void {
    while (this.#flushedTo < upTo) {
      const frames = Math.min(upTo - this.#flushedTo, RING_FRAMES);
      this.#writer.write(this.#options.stereo ? this.#takeStereo(frames) : this.#takeMono(frames));
      this.#flushedTo += frames;
    }
  }

  #takeStereo(frames: number): Buffer {
    const data = Buffer.allocUnsafe(frames * 4);
    for (let n = 0; n < frames; n += 1) {
      const slot = ((this.#flushedTo + n) & RING_MASK) << 1;
      data.writeInt16LE(this.#ring[slot] ?? 0, n * 4);
      data.writeInt16LE(this.#ring[slot + 1] ?? 0, n * 4 + 2);
      this.#ring[slot] = 0;
      this.#ring[slot + 1] = 0;
    }
    return data;
  }

  #takeMono(frames: number): Buffer {
    const data = Buffer.allocUnsafe(frames * 2);
    for (let n = 0; n < frames; n += 1) {
      const slot = ((this.#flushedTo + n) & RING_MASK) << 1;
      data.writeInt16LE(saturate((this.#ring[slot] ?? 0) + (this.#ring[slot + 1] ?? 0)), n * 2);
      this.#ring[slot] = 0;
      this.#ring[slot + 1] = 0;
    }
    return data;
  }
}
