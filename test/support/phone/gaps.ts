/** Gaps in the sound that a phone hears: what a citizen would notice when something dies. */
import { hasTone } from './hearing.ts';
import type { PhoneMedia } from './media.ts';

const tickMs = 10;

export interface Gap {
  readonly who: string;
  /** The longest time without a packet that carries the far side's tone. */
  readonly longestMs: number;
  /** Packets with the tone. */
  readonly heard: number;
  /** What the far side sent in the same time. */
  readonly sent: number;
}

export interface Gaps {
  readonly lines: readonly Gap[];
  /** For so long this very process was held up at a time: a gap of that length is its own. */
  readonly stallMs: number;
}

/** Watches from its making until `end` how long each line goes without the tone that it should hear. */
export class GapWatch {
  readonly #lines: { readonly media: PhoneMedia; readonly end: (atMs: number) => Gap }[] = [];
  readonly #ticking: NodeJS.Timeout;
  #lastTickMs = performance.now();
  #stallMs = 0;

  constructor() {
    this.#ticking = setInterval(() => {
      const nowMs = performance.now();
      this.#stallMs = Math.max(this.#stallMs, nowMs - this.#lastTickMs - tickMs);
      this.#lastTickMs = nowMs;
    }, tickMs);
  }

  add(who: string, media: PhoneMedia, hz: number, far: PhoneMedia): void {
    const sentBefore = far.sentPackets;
    let lastMs = performance.now();
    let longestMs = 0;
    let heard = 0;
    media.listen(({ samples }, atMs) => {
      if (!hasTone(samples, hz)) return;
      longestMs = Math.max(longestMs, atMs - lastMs);
      lastMs = atMs;
      heard += 1;
    });
    const end = (atMs: number): Gap => ({
      who,
      longestMs: Math.max(longestMs, atMs - lastMs),
      heard,
      sent: far.sentPackets - sentBefore,
    });
    this.#lines.push({ media, end });
  }

  end(): Gaps {
    clearInterval(this.#ticking);
    const nowMs = performance.now();
    const lines = this.#lines.map(({ media, end }) => {
      media.listen(undefined);
      return end(nowMs);
    });
    return {
      lines,
      stallMs: Math.max(this.#stallMs, nowMs - this.#lastTickMs - tickMs),
    };
  }
}
