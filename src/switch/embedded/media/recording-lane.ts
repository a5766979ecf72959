import { timestampAhead } from '../rtp/packet.ts';
import { SAMPLE_RATE, SAMPLES_PER_MS } from './frames.ts';

/** How long a packet may be late and still find its place; also how far the writer stays behind. */
export const HOLD_BACK_SAMPLES = 500 * SAMPLES_PER_MS;
/** How far ahead of its arrival a packet may lie: the first packet of a stream can itself have been late. */
export const MAX_AHEAD_SAMPLES = 100 * SAMPLES_PER_MS;
/** A timestamp further off than this is a restarted sender, not jitter. */
const JUMP_SAMPLES = SAMPLE_RATE;
/** Packets out of the window this far apart are no burst after a stall of our own event loop. */
const SPACED_SAMPLES = 10 * SAMPLES_PER_MS;
const MAX_STRIKES = 2;
/** The drift between the two clocks is reconsidered every so many packets (5 s of 20 ms packets). */
const REVIEW_PACKETS = 250;
const MAX_DRIFT_SAMPLES = 40 * SAMPLES_PER_MS;

/**
 * Finds the place of a stream's packets on the wall clock: by timestamp, so that jitter, loss and reordering leave no
 * trace, tied to the arrival of the first packet and tied anew when the two drift apart.
 */
export class RecordingLane {
  #source: object | undefined;
  #anchorTimestamp = 0;
  #anchorAt = 0;
  #strikes = 0;
  #lastArrivalAt = 0;
  #packets = 0;
  /** The least lateness of any packet of this review: that of the fastest way through the network. */
  #leastLate = Number.POSITIVE_INFINITY;

  /**
   * @param nowAt the present as a sample index of the recording.
   * @returns the sample index of the packet's first sample (negative: before the recording), or undefined when the
   *   packet is too far off to be placed.
   */
  place(source: object, timestamp: number, length: number, nowAt: number): number | undefined {
    if (this.#source !== source) return this.#anchor(source, timestamp, length, nowAt);
    const at = this.#anchorAt + timestampAhead(timestamp, this.#anchorTimestamp);
    const late = nowAt - (at + length);
    const spaced = nowAt - this.#lastArrivalAt >= SPACED_SAMPLES;
    this.#lastArrivalAt = nowAt;
    if (late <= HOLD_BACK_SAMPLES && late >= -MAX_AHEAD_SAMPLES) {
      this.#strikes = 0;
      // Following the stream keeps the 32-bit difference small in calls of any length.
      this.#anchorTimestamp = timestamp;
      this.#anchorAt = at;
      this.#review(late);
      return at;
    }
    if (spaced) this.#strikes += 1;
    if (Math.abs(late) > JUMP_SAMPLES || this.#strikes >= MAX_STRIKES) {
      return this.#anchor(source, timestamp, length, nowAt);
    }
    return undefined;
  }

  /** Moves the following packets when even the fastest ones have been too late or too early for a while. */
  #review(late: number): void {
    this.#leastLate = Math.min(this.#leastLate, late);
    this.#packets += 1;
    if (this.#packets < REVIEW_PACKETS) return;
    if (Math.abs(this.#leastLate) > MAX_DRIFT_SAMPLES) this.#anchorAt += this.#leastLate;
    this.#packets = 0;
    this.#leastLate = Number.POSITIVE_INFINITY;
  }

  #anchor(source: object, timestamp: number, length: number, nowAt: number): number {
    this.#source = source;
    this.#anchorTimestamp = timestamp;
    this.#anchorAt = nowAt - length;
    this.#strikes = 0;
    this.#lastArrivalAt = nowAt;
    this.#packets = 0;
    this.#leastLate = Number.POSITIVE_INFINITY;
    return this.#anchorAt;
  }
}
