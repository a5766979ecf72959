import type { Clock, Timer } from '../../../kernel/clock.ts';
import { timestampAhead } from './packet.ts';

/** The keys by event code (RFC 4733 section 3.2); flash and line events are not keys and are left out. */
const KEYS = '0123456789*#ABCD';

/** Length of the payload of one telephone event (RFC 4733 section 2.3). */
export const TELEPHONE_EVENT_BYTES = 4;

const TICKS_PER_MS = 8;
/** The duration field is full: the event goes on in a new segment (RFC 4733 section 2.5.1.3). */
const FULL_SEGMENT = 0xffff;
/** Senders repeat at least every 50 ms; after four silent intervals the end packets are taken as lost. */
const LOST_END_MS = 200;

/** The event code of a key, or undefined when there is no such key. */
export function eventOfKey(key: string): number | undefined {
  const code = key.length === 1 ? KEYS.indexOf(key.toUpperCase()) : -1;
  return code < 0 ? undefined : code;
}

/** Writes an event's payload at `offset`; volume is in dBm0 below zero, duration in RTP ticks. */
export function writeTelephoneEvent(
  packet: Uint8Array,
  offset: number,
  event: number,
  end: boolean,
  durationTicks: number,
): void {
  packet[offset] = event;
  packet[offset + 1] = (end ? 0x80 : 0) | 10;
  packet[offset + 2] = durationTicks >>> 8;
  packet[offset + 3] = durationTicks;
}

interface PressedKey {
  readonly event: number;
  /** Of the first segment. */
  readonly startTimestamp: number;
  segmentTimestamp: number;
  /** Ticks of this segment. */
  durationTicks: number;
  lastPacketAtMs: number;
}

/**
 * Makes key presses out of telephone-event packets. Each press is told once: at its first end packet, when the next
 * press begins, or when nothing more of it comes for 200 ms, since all three end packets can be lost.
 */
export class DigitReceiver {
  readonly #clock: Clock;
  readonly #onDigit: (digit: string, durationMs: number) => void;
  #pressed: PressedKey | undefined;
  /** The segment that was told last; its end packets come three times. */
  #toldTimestamp: number | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, onDigit: (digit: string, durationMs: number) => void) {
    this.#clock = clock;
    this.#onDigit = onDigit;
  }

  /** Takes one packet's payload [start, end). Events that are no keys and cut payloads are ignored. */
  receive(packet: Uint8Array, start: number, end: number, timestamp: number): void {
    if (end - start < TELEPHONE_EVENT_BYTES) return;
    const event = packet[start] ?? 0xff;
    if (event >= KEYS.length || timestamp === this.#toldTimestamp) return;
    const durationTicks = ((packet[start + 2] ?? 0) << 8) | (packet[start + 3] ?? 0);
    if (!this.#join(event, timestamp, durationTicks)) return;
    if (((packet[start + 1] ?? 0) & 0x80) !== 0) this.#tell();
  }

  /** Forgets a press under way and its timer. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pressed = undefined;
  }

  /** Adds the packet to the press under way or begins one; false for a straggler of an earlier press. */
  #join(event: number, timestamp: number, durationTicks: number): boolean {
    const nowMs = this.#clock.now();
    const pressed = this.#pressed;
    if (pressed !== undefined && pressed.segmentTimestamp === timestamp) {
      // Packets may come reordered: the duration only grows.
      pressed.durationTicks = Math.max(pressed.durationTicks, durationTicks);
      pressed.lastPacketAtMs = nowMs;
      return true;
    }
    if (pressed !== undefined) {
      if (timestampAhead(timestamp, pressed.segmentTimestamp) < 0) return false;
      if (this.#continues(pressed, event, timestamp)) {
        pressed.segmentTimestamp = timestamp;
        pressed.durationTicks = durationTicks;
        pressed.lastPacketAtMs = nowMs;
        return true;
      }
      this.#tell();
    }
    this.#pressed = {
      event,
      startTimestamp: timestamp,
      segmentTimestamp: timestamp,
      durationTicks,
      lastPacketAtMs: nowMs,
    };
    this.#timer ??= this.#clock.setTimer(LOST_END_MS, () => this.#onTimer());
    return true;
  }

  /** RFC 4733 section 2.5.1.3: a long event goes on under a timestamp that follows the full segment. */
  #continues(pressed: PressedKey, event: number, timestamp: number): boolean {
    return (
      event === pressed.event &&
      pressed.durationTicks >= FULL_SEGMENT - 800 &&
      timestampAhead(timestamp, pressed.segmentTimestamp) <= FULL_SEGMENT + 800
    );
  }

  #tell(): void {
    const pressed = this.#pressed;
    if (pressed === undefined) return;
    this.#pressed = undefined;
    this.#toldTimestamp = pressed.segmentTimestamp;
    const ticks = timestampAhead(pressed.segmentTimestamp, pressed.startTimestamp) + pressed.durationTicks;
    this.#onDigit(KEYS.charAt(pressed.event), Math.round(ticks / TICKS_PER_MS));
  }

  #onTimer(): void {
    this.#timer = undefined;
    const pressed = this.#pressed;
    if (pressed === undefined) return;
    const leftMs = pressed.lastPacketAtMs + LOST_END_MS - this.#clock.now();
    if (leftMs <= 0) this.#tell();
    else this.#timer = this.#clock.setTimer(leftMs, () => this.#onTimer());
  }
}
