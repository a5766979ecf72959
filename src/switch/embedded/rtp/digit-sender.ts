import { eventOfKey } from './telephone-event.ts';

/** What to send in one 20 ms step. */
export interface DigitStep {
  readonly event: number;
  readonly first: boolean;
  readonly end: boolean;
  /** Ticks of the event so far, counting this frame. */
  readonly durationTicks: number;
}

const FRAME_TICKS = 160;
const FRAME_MS = 20;
/** RFC 4733 section 2.5.1.4: the final packet goes out three times. */
const END_PACKETS = 3;
/** Silence between two keys, in frames: receivers need 40 ms to tell them apart. */
const GAP_FRAMES = 3;
/** More keys than anybody dials at once; what comes beyond is refused. */
const MAX_WAITING = 64;
const MIN_DURATION_MS = 40;
/** Longer events need segments (RFC 4733 section 2.5.1.3), which no key press that we send has use for. */
const MAX_DURATION_MS = 8000;

interface Press {
  readonly event: number;
  readonly frames: number;
}

/** Turns key presses into telephone-event steps, one per 20 ms frame. */
export class DigitSender {
  readonly #waiting: Press[] = [];
  #frame = 0;

  /** True while there is something to send, pauses between keys included. */
  get active(): boolean {
    return this.#waiting.length > 0;
  }

  /** Adds a key; false when there is no such key or the queue is full. */
  push(key: string, durationMs: number): boolean {
    const event = eventOfKey(key);
    if (event === undefined || this.#waiting.length >= MAX_WAITING) return false;
    const bounded = Math.min(MAX_DURATION_MS, Math.max(MIN_DURATION_MS, durationMs));
    this.#waiting.push({ event, frames: Math.ceil(bounded / FRAME_MS) });
    return true;
  }

  /** The step of this frame; undefined in the pause after a key. Call only while `active`. */
  next(): DigitStep | undefined {
    const press = this.#waiting[0];
    if (press === undefined) return undefined;
    const frame = this.#frame;
    this.#frame += 1;
    const lastEnd = press.frames + END_PACKETS - 2;
    if (frame >= lastEnd + GAP_FRAMES) {
      this.#waiting.shift();
      this.#frame = 0;
    }
    if (frame > lastEnd) return undefined;
    return {
      event: press.event,
      first: frame === 0,
      end: frame >= press.frames - 1,
      durationTicks: Math.min(frame + 1, press.frames) * FRAME_TICKS,
    };
  }
}
