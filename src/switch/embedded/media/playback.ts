import { err, type Result } from '../../../kernel/result.ts';
import { FRAME_SAMPLES } from './frames.ts';
import type { PlayableSource } from './playback-source.ts';

/**
 * `frame`: a frame was filled; `waiting`: the next source is still being read; `done`: all has been played;
 * `missing`: the present source can't be had.
 */
export type PlaybackStep = 'frame' | 'waiting' | 'done' | 'missing';

/** More than any announcement is put together from; a longer one ends there as missing. */
const MAX_SOURCES = 256;

/** Plays a sequence of sources without gaps between them; frames are filled across their borders. */
export class Playback {
  readonly #names: readonly string[];
  readonly #loaded: (Result<PlayableSource, string> | undefined)[];
  readonly #fillLive: (frame: Int16Array, from: number, tick: number) => void;
  #loopsLeft: number;
  #current = 0;
  /** Sample within the present source. */
  #offset = 0;
  /** Rounds of the present source that are over. */
  #rounds = 0;
  #samplesThisLoop = 0;

  /**
   * @param load prepares one source; all are asked for at once, so that the next is ready when its turn comes.
   * @param fillLive fills a frame from sample `from` on with what plays for everybody.
   */
  constructor(
    sources: readonly string[],
    loops: number,
    load: (source: string) => Promise<Result<PlayableSource, string>>,
    fillLive: (frame: Int16Array, from: number, tick: number) => void,
  ) {
    this.#names = sources.slice(0, MAX_SOURCES + 1);
    this.#loaded = this.#names.map((_, at) => (at < MAX_SOURCES ? undefined : err('too many sources')));
    this.#loopsLeft = loops;
    this.#fillLive = fillLive;
    for (const [at, name] of this.#names.slice(0, MAX_SOURCES).entries()) {
      void load(name).then((loaded) => {
        this.#loaded[at] = loaded;
      });
    }
  }

  /** The source at which a playback that is `missing` stopped, and why. */
  get missing(): { readonly source: string; readonly reason: string } {
    const loaded = this.#loaded[this.#current];
    const reason = loaded === undefined || loaded.ok ? 'not known' : loaded.error;
    return { source: this.#names[this.#current] ?? '', reason };
  }

  /** Fills the next frame; the last one is filled up with silence. */
  fill(frame: Int16Array, tick: number): PlaybackStep {
    let filled = 0;
    while (filled < FRAME_SAMPLES) {
      if (this.#current >= this.#names.length && !this.#nextLoop()) {
        if (filled === 0) return 'done';
        frame.fill(0, filled);
        return 'frame';
      }
      const loaded = this.#loaded[this.#current];
      if (loaded === undefined || !loaded.ok) {
        if (filled === 0) return loaded === undefined ? 'waiting' : 'missing';
        frame.fill(0, filled);
        return 'frame';
      }
      filled += this.#take(loaded.value, frame, filled, tick);
    }
    return 'frame';
  }

  #nextLoop(): boolean {
    this.#loopsLeft -= 1;
    // A sequence without a single sample would be repeated for ever within one frame.
    if (this.#loopsLeft <= 0 || this.#samplesThisLoop === 0) return false;
    this.#current = 0;
    this.#samplesThisLoop = 0;
    return true;
  }

  /** Copies what fits from the present source; moves on when it is used up. */
  #take(source: PlayableSource, frame: Int16Array, from: number, tick: number): number {
    const wanted = FRAME_SAMPLES - from;
    if (source.kind === 'live') {
      this.#fillLive(frame, from, tick);
      this.#samplesThisLoop += wanted;
      return wanted;
    }
    const length = source.kind === 'samples' ? source.samples.length : source.length;
    const count = Math.min(wanted, length - this.#offset);
    if (source.kind === 'silence') frame.fill(0, from, from + count);
    else frame.set(source.samples.subarray(this.#offset, this.#offset + count), from);
    this.#offset += count;
    this.#samplesThisLoop += count;
    if (this.#offset >= length) this.#nextRound(source.kind === 'samples' && length > 0 ? source.times : 1);
    return count;
  }

  #nextRound(times: number): void {
    this.#offset = 0;
    this.#rounds += 1;
    if (this.#rounds < times) return;
    this.#rounds = 0;
    this.#current += 1;
  }
}
