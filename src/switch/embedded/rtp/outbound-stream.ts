import { randomInt } from 'node:crypto';
import { RTP_HEADER_BYTES, type RtpView, sequenceAhead, timestampAhead, writeRtpHeader } from './packet.ts';

/** RTP clock ticks per millisecond for G.711 and its telephone events. */
const TICKS_PER_MS = 8;
/** A source whose timestamps jump by more than this (30 s) is taken as a new talk-spurt of a restarted source. */
const MAX_TIMESTAMP_JUMP = 30_000 * TICKS_PER_MS;
const MAX_SEQUENCE_JUMP = 3000;
/** The shortest step between two talk-spurts: one frame. */
const FRAME_TICKS = 160;

/**
 * The one synchronisation source that a leg sends. Whatever feeds it (the other leg's packets, a file, a mixer), the
 * far side sees one ssrc, gapless sequence numbers but for real losses, and timestamps that follow the wall clock.
 */
export class OutboundStream {
  readonly ssrc = randomInt(1, 0xffff_ffff);
  packetsSent = 0;
  /** The timestamp of the packet that was written last. */
  writtenTimestamp = 0;
  /** The sequence number that the next packet of our own gets. */
  #nextSequence = randomInt(0, 0x7fff);
  #lastTimestamp = randomInt(0, 0x7fff_ffff);
  /** When `#lastTimestamp` was first sent. */
  #lastTimestampAtMs = 0;
  /** Whose numbers the offsets below translate. */
  #source: object | undefined;
  #sequenceOffset = 0;
  #timestampOffset = 0;
  /** The first sequence number used for the present source; what is older belongs to the time before. */
  #firstSequence = 0;

  /**
   * Rewrites a received packet for this stream, in place, its fixed header directly before the payload.
   * @param source identity of the received stream; another object begins a new talk-spurt.
   * @returns where the packet now begins, or -1 when it is older than the talk-spurt and must not be sent.
   */
  rewrite(packet: Uint8Array, view: RtpView, source: object, payloadType: number, nowMs: number): number {
    const fresh = this.#source !== source || this.#jumped(view);
    if (fresh) {
      this.#begin(source, view.timestamp, nowMs);
      this.#sequenceOffset = this.#nextSequence - view.sequence;
      this.#firstSequence = this.#nextSequence;
    }
    const sequence = (view.sequence + this.#sequenceOffset) & 0xffff;
    if (sequenceAhead(sequence, this.#firstSequence) < 0) return -1;
    if (sequenceAhead(sequence, this.#nextSequence) >= 0) this.#nextSequence = (sequence + 1) & 0xffff;
    const timestamp = (view.timestamp + this.#timestampOffset) >>> 0;
    this.#keep(timestamp, nowMs);
    const start = view.payloadStart - RTP_HEADER_BYTES;
    writeRtpHeader(packet, start, payloadType, view.marker || fresh, sequence, timestamp, this.ssrc);
    this.writtenTimestamp = timestamp;
    this.packetsSent += 1;
    return start;
  }

  /** A packet of the present source is left out on purpose: the far side must not take it for a loss. */
  skip(source: object): void {
    if (this.#source === source) this.#sequenceOffset -= 1;
  }

  /**
   * Writes the header of a packet of our own (payload behind it at 12).
   * @param sourceTimestamp the source's own clock, 8 per millisecond; a jump in it begins a new talk-spurt.
   */
  stamp(packet: Uint8Array, source: object, sourceTimestamp: number, payloadType: number, nowMs: number): void {
    let marker = false;
    if (this.#source !== source) {
      this.#begin(source, sourceTimestamp, nowMs);
      marker = true;
    }
    const timestamp = (sourceTimestamp + this.#timestampOffset) >>> 0;
    // RFC 3551 section 4.1: the marker bit tells the first packet after a silence, here also after skipped ticks.
    if (timestampAhead(timestamp, this.#lastTimestamp) > FRAME_TICKS) marker = true;
    this.#keep(timestamp, nowMs);
    this.#write(packet, payloadType, marker, timestamp);
  }

  /** The timestamp that a telephone event starting now carries in all its packets (RFC 4733 section 2.2). */
  beginEvent(nowMs: number): number {
    this.#source = undefined;
    const timestamp = this.#following(nowMs);
    this.#keep(timestamp, nowMs);
    return timestamp;
  }

  /** Writes the header of a telephone-event packet. */
  stampEvent(packet: Uint8Array, timestamp: number, payloadType: number, first: boolean): void {
    this.#write(packet, payloadType, first, timestamp);
  }

  #write(packet: Uint8Array, payloadType: number, marker: boolean, timestamp: number): void {
    writeRtpHeader(packet, 0, payloadType, marker, this.#nextSequence, timestamp, this.ssrc);
    this.writtenTimestamp = timestamp;
    this.#nextSequence = (this.#nextSequence + 1) & 0xffff;
    this.packetsSent += 1;
  }

  #begin(source: object, sourceTimestamp: number, nowMs: number): void {
    this.#source = source;
    this.#timestampOffset = this.#following(nowMs) - sourceTimestamp;
  }

  /** The timestamp that fits now: the last one and the time since then, at least one frame on. */
  #following(nowMs: number): number {
    const elapsed = this.#lastTimestampAtMs === 0 ? 0 : Math.round((nowMs - this.#lastTimestampAtMs) * TICKS_PER_MS);
    return (this.#lastTimestamp + Math.max(FRAME_TICKS, elapsed)) >>> 0;
  }

  #keep(timestamp: number, nowMs: number): void {
    if (this.#lastTimestampAtMs !== 0 && timestampAhead(timestamp, this.#lastTimestamp) <= 0) return;
    this.#lastTimestamp = timestamp;
    this.#lastTimestampAtMs = nowMs;
  }

  #jumped(view: RtpView): boolean {
    const sequence = (view.sequence + this.#sequenceOffset) & 0xffff;
    const timestamp = (view.timestamp + this.#timestampOffset) >>> 0;
    return (
      Math.abs(sequenceAhead(sequence, this.#nextSequence)) > MAX_SEQUENCE_JUMP ||
      Math.abs(timestampAhead(timestamp, this.#lastTimestamp)) > MAX_TIMESTAMP_JUMP
    );
  }
}
