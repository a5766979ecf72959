import { encodeInto, type G711Law } from '../rtp/g711.ts';
import type { MediaConference } from './api.ts';
import { FRAME_SAMPLES } from './frames.ts';
import { addFrame, mixWithout } from './mixing.ts';
import type { Ticker, Ticking } from './ticker.ts';

/** What the mixer asks of a leg. */
export interface ConferenceMember {
  /** The law in which it is sent to; undefined while it can't be sent to. */
  readonly mixLaw: G711Law | undefined;
  /** Fills what it says in this frame; false when it is silent. */
  takeSpeech(frame: Int16Array): boolean;
  /** Hands it the code bytes of what it hears. */
  hearMix(payload: Uint8Array, source: object, tick: number, nowMs: number): void;
}

interface Seat {
  readonly speech: Int16Array;
  speaking: boolean;
}

/** A conference: on every tick everybody hears the sum of all others. */
export class ConferenceRoom implements MediaConference, Ticking {
  readonly name: string;
  readonly #ticker: Ticker;
  readonly #onEmpty: (room: ConferenceRoom) => void;
  readonly #seats = new Map<ConferenceMember, Seat>();
  readonly #sum = new Int32Array(FRAME_SAMPLES);
  readonly #mix = new Int16Array(FRAME_SAMPLES);
  readonly #own = new Uint8Array(FRAME_SAMPLES);
  /** What all who are silent hear is the same: encoded once per law and tick. */
  readonly #shared = { PCMA: new Uint8Array(FRAME_SAMPLES), PCMU: new Uint8Array(FRAME_SAMPLES) };
  readonly #sharedTick = { PCMA: -1, PCMU: -1 };

  constructor(name: string, ticker: Ticker, onEmpty: (room: ConferenceRoom) => void) {
    this.name = name;
    this.#ticker = ticker;
    this.#onEmpty = onEmpty;
  }

  get size(): number {
    return this.#seats.size;
  }

  /** Takes a member in. */
  join(member: ConferenceMember): void {
    this.#seats.set(member, { speech: new Int16Array(FRAME_SAMPLES), speaking: false });
    this.#ticker.add(this);
  }

  /** Lets a member go; the last one ends the conference. */
  leave(member: ConferenceMember): void {
    if (!this.#seats.delete(member) || this.#seats.size > 0) return;
    this.#ticker.remove(this);
    this.#onEmpty(this);
  }

  tick(index: number, nowMs: number): void {
    this.#sum.fill(0);
    for (const [member, seat] of this.#seats) {
      seat.speaking = member.takeSpeech(seat.speech);
      if (seat.speaking) addFrame(this.#sum, seat.speech);
    }
    for (const [member, seat] of this.#seats) {
      const law = member.mixLaw;
      if (law === undefined) continue;
      const payload = seat.speaking ? this.#without(seat.speech, law) : this.#everything(law, index);
      member.hearMix(payload, this, index, nowMs);
    }
  }

  #without(speech: Int16Array, law: G711Law): Uint8Array {
    mixWithout(this.#sum, speech, this.#mix);
    encodeInto(this.#own, 0, this.#mix, law);
    return this.#own;
  }

  #everything(law: G711Law, tick: number): Uint8Array {
    if (this.#sharedTick[law] !== tick) {
      mixWithout(this.#sum, undefined, this.#mix);
      encodeInto(this.#shared[law], 0, this.#mix, law);
      this.#sharedTick[law] = tick;
    }
    return this.#shared[law];
  }
}
