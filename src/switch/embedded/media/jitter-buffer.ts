import { timestampAhead } from '../rtp/packet.ts';
import { FRAME_SAMPLES } from './frames.ts';

/** 512 ms of samples. */
const RING_SAMPLES = 4096;
const RING_MASK = RING_SAMPLES - 1;
const MIN_TARGET = FRAME_SAMPLES;
const START_TARGET = 2 * FRAME_SAMPLES;
const MAX_TARGET = 10 * FRAME_SAMPLES;
/** So many late packets in a row mean that the sender's clock stood still or went back: start anew. */
const MAX_LATE_IN_A_ROW = 3;
/** The delay is reconsidered every so many packets (2 s). */
const REVIEW_PACKETS = 100;

/**
 * Holds one received stream back just long enough that its jitter doesn't tear holes into the mix. The delay grows at
 * once when packets come too late and shrinks by single frames when they kept coming early for two seconds, which
 * also follows the drift between the sender's clock and ours.
 */
export class JitterBuffer {
  readonly #ring = new Int16Array(RING_SAMPLES);
  #started = false;
  #source: object | undefined;
  /** Timestamp of the next sample to play. */
  #playAt = 0;
  /** Samples that packets are kept waiting for; grows with jitter. */
  #target = START_TARGET;
  #lateInARow = 0;
  #packets = 0;
  /** The smallest reserve of any packet of this review. */
  #smallestLead = Number.POSITIVE_INFINITY;
  /** Timestamp behind the newest sample. */
  #newestEnd = 0;

  /** The present delay in samples. */
  get targetSamples(): number {
    return this.#target;
  }

  /** Takes a packet's code bytes [start, end). Another `source` object begins a new stream. */
  put(source: object, bytes: Uint8Array, start: number, end: number, timestamp: number, table: Int16Array): void {
    const length = end - start;
    if (length > RING_SAMPLES / 2) return;
    if (!this.#started || this.#source !== source) this.#restart(source, timestamp);
    let lead = timestampAhead(timestamp, this.#playAt);
    if (lead + length > RING_SAMPLES || lead < -RING_SAMPLES) {
      this.#restart(source, timestamp);
      lead = this.#target;
    }
    if (lead < 0) lead = this.#late(source, timestamp, lead);
    else this.#lateInARow = 0;
    if (lead < 0) return;
    this.#review(lead);
    for (let at = 0; at < length; at += 1) {
      this.#ring[(timestamp + at) & RING_MASK] = table[bytes[start + at] ?? 0] ?? 0;
    }
    if (timestampAhead(timestamp + length, this.#newestEnd) > 0) this.#newestEnd = (timestamp + length) >>> 0;
  }

  /** Fills the next frame; false when it holds nothing but silence because nothing has come. */
  get(frame: Int16Array): boolean {
    if (!this.#started || timestampAhead(this.#newestEnd, this.#playAt) <= 0) {
      frame.fill(0);
      // A pause in the stream: its clock goes on with ours.
      if (this.#started) this.#playAt = (this.#playAt + FRAME_SAMPLES) >>> 0;
      return false;
    }
    for (let at = 0; at < FRAME_SAMPLES; at += 1) {
      const slot = (this.#playAt + at) & RING_MASK;
      frame[at] = this.#ring[slot] ?? 0;
      this.#ring[slot] = 0;
    }
    this.#playAt = (this.#playAt + FRAME_SAMPLES) >>> 0;
    return true;
  }

  #restart(source: object, timestamp: number): void {
    this.#ring.fill(0);
    this.#started = true;
    this.#source = source;
    this.#playAt = (timestamp - this.#target) >>> 0;
    this.#newestEnd = timestamp;
    this.#lateInARow = 0;
    this.#packets = 0;
    this.#smallestLead = Number.POSITIVE_INFINITY;
  }

  /** A packet behind the play position: wait longer from now on, or begin anew. Returns its new lead. */
  #late(source: object, timestamp: number, lead: number): number {
    this.#lateInARow += 1;
    if (this.#lateInARow >= MAX_LATE_IN_A_ROW) {
      this.#restart(source, timestamp);
      return this.#target;
    }
    const missing = Math.ceil(-lead / FRAME_SAMPLES) * FRAME_SAMPLES;
    if (this.#target + missing > MAX_TARGET) return lead;
    this.#target += missing;
    // Going back inserts silence now, so that this packet and those behind it find their place.
    this.#playAt = (this.#playAt - missing) >>> 0;
    return lead + missing;
  }

  #review(lead: number): void {
    this.#smallestLead = Math.min(this.#smallestLead, lead);
    this.#packets += 1;
    if (this.#packets < REVIEW_PACKETS) return;
    if (this.#smallestLead > 2 * FRAME_SAMPLES - 1 && this.#smallestLead !== Number.POSITIVE_INFINITY) {
      this.#drop(FRAME_SAMPLES);
      this.#target = Math.max(MIN_TARGET, this.#target - FRAME_SAMPLES);
    }
    this.#packets = 0;
    this.#smallestLead = Number.POSITIVE_INFINITY;
  }

  #drop(samples: number): void {
    for (let at = 0; at < samples; at += 1) this.#ring[(this.#playAt + at) & RING_MASK] = 0;
    this.#playAt = (this.#playAt + samples) >>> 0;
  }
}
