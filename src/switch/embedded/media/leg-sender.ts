import type { Socket } from 'node:dgram';
import { assert } from '../../../kernel/assert.ts';
import type { DigitStep } from '../rtp/digit-sender.ts';
import { decodeTables, encodeInto, type G711Law, transcodeInPlace } from '../rtp/g711.ts';
import { OutboundStream } from '../rtp/outbound-stream.ts';
import { RTP_HEADER_BYTES, type RtpView } from '../rtp/packet.ts';
import { TELEPHONE_EVENT_BYTES, writeTelephoneEvent } from '../rtp/telephone-event.ts';
import type { FarSide } from './far-side.ts';
import { FRAME_SAMPLES } from './frames.ts';
import type { LegRecordings } from './leg-recordings.ts';
import { HEARD } from './recorder.ts';
import type { Supervision } from './supervision.ts';
import { keyTone } from './tones.ts';
import { WidebandWriter } from './wideband.ts';

/** The kernel may still hold a packet that was just sent; so many later the buffer is used again. */
const SEND_BUFFERS = 8;
const scratch = new Int16Array(FRAME_SAMPLES);

/** A received packet's sound, as the engine knows it. */
export interface ReceivedSound {
  readonly law: G711Law;
  /** The bytes in that law where the packet itself holds G.722; as long as its payload. */
  readonly narrow: Uint8Array | undefined;
  /** Somebody has added to `narrow`, or will: the packet's own bytes are not what is to be heard. */
  readonly altered: boolean;
}

/** The sending side of a leg: one outgoing stream, fed by the bridged leg's packets or by frames of our own. */
export class LegSender {
  /** Off while the far side is held or doesn't listen: everything handed in is then dropped. */
  open = false;
  /** The supervisor at this leg. */
  supervision: Supervision | undefined;
  readonly #socket: Socket;
  readonly #farSide: FarSide;
  readonly #recordings: LegRecordings;
  readonly #out = new OutboundStream();
  readonly #wideband = new WidebandWriter();
  readonly #buffers = Array.from({ length: SEND_BUFFERS }, () => Buffer.alloc(RTP_HEADER_BYTES + FRAME_SAMPLES));
  #nextBuffer = 0;
  #eventTimestamp = 0;

  constructor(socket: Socket, farSide: FarSide, recordings: LegRecordings) {
    this.#socket = socket;
    this.#farSide = farSide;
    this.#recordings = recordings;
  }

  get packetsSent(): number {
    return this.#out.packetsSent;
  }

  /**
   * Sends a received packet on at once, in its own buffer.
   * @param source identity of the received stream.
   */
  relay(packet: Buffer, view: RtpView, source: object, sound: ReceivedSound | 'event', nowMs: number): void {
    const { remote, law } = this.#farSide;
    if (!this.open || remote === undefined || law === undefined) return;
    const payloadType = sound === 'event' ? remote.telephoneEventType : remote.payloadType;
    if (payloadType === undefined) {
      this.#out.skip(source);
      return;
    }
    const start = this.#out.rewrite(packet, view, source, payloadType, nowMs);
    if (start < 0) return;
    if (sound !== 'event') this.#relaySound(packet, view, sound, remote.codec === 'G722', law, nowMs);
    this.#socket.send(packet, start, view.payloadEnd - start, this.#farSide.port, this.#farSide.address);
  }

  #relaySound(
    packet: Buffer,
    { payloadStart, payloadEnd }: RtpView,
    { law, narrow, altered }: ReceivedSound,
    toWideband: boolean,
    toLaw: G711Law,
    nowMs: number,
  ): void {
    if (narrow !== undefined && toWideband && !altered && this.supervision === undefined) {
      // Both ends speak G.722 and nothing is added between them: its upper band goes through as it is.
      this.#tap(narrow, 0, narrow.length, 'PCMA', nowMs);
      return;
    }
    if (narrow !== undefined) packet.set(narrow, payloadStart);
    transcodeInPlace(packet, payloadStart, payloadEnd, law, toLaw);
    this.#tap(packet, payloadStart, payloadEnd, toLaw, nowMs);
    if (toWideband) this.#wideband.write(packet, payloadStart, payloadEnd);
  }

  /** Sends a frame of samples. @param source whose talk-spurt it belongs to. */
  sendSamples(samples: Int16Array, source: object, tick: number, nowMs: number): void {
    const { law } = this.#farSide;
    if (!this.open || law === undefined) return;
    const packet = this.#takeBuffer();
    encodeInto(packet, RTP_HEADER_BYTES, samples, law);
    this.#sendFrame(packet, source, tick, nowMs);
  }

  /** Sends a frame that is encoded in the far side's law already. */
  sendEncoded(payload: Uint8Array, source: object, tick: number, nowMs: number): void {
    if (!this.open) return;
    const packet = this.#takeBuffer();
    packet.set(payload, RTP_HEADER_BYTES);
    this.#sendFrame(packet, source, tick, nowMs);
  }

  /** Sends one step of a key press: as a telephone event, or as its two tones where the far side knows no events. */
  sendDigit(step: DigitStep, source: object, tick: number, nowMs: number): void {
    const payloadType = this.#farSide.remote?.telephoneEventType;
    if (payloadType === undefined) {
      keyTone(step.event, tick, scratch);
      this.sendSamples(scratch, source, tick, nowMs);
      return;
    }
    if (!this.open) return;
    if (step.first) this.#eventTimestamp = this.#out.beginEvent(nowMs);
    const packet = this.#takeBuffer();
    this.#out.stampEvent(packet, this.#eventTimestamp, payloadType, step.first);
    writeTelephoneEvent(packet, RTP_HEADER_BYTES, step.event, step.end, step.durationTicks);
    const length = RTP_HEADER_BYTES + TELEPHONE_EVENT_BYTES;
    this.#socket.send(packet, 0, length, this.#farSide.port, this.#farSide.address);
  }

  #sendFrame(packet: Buffer, source: object, tick: number, nowMs: number): void {
    const { remote, law } = this.#farSide;
    if (remote === undefined || law === undefined) return;
    this.#out.stamp(packet, source, tick * FRAME_SAMPLES, remote.payloadType, nowMs);
    this.#tap(packet, RTP_HEADER_BYTES, packet.length, law, nowMs);
    if (remote.codec === 'G722') this.#wideband.write(packet, RTP_HEADER_BYTES, packet.length);
    this.#socket.send(packet, 0, packet.length, this.#farSide.port, this.#farSide.address);
  }

  #tap(bytes: Uint8Array, start: number, end: number, law: G711Law, nowMs: number): void {
    const timestamp = this.#out.writtenTimestamp;
    if (this.#recordings.active) {
      this.#recordings.tap(HEARD, this.#out, bytes, start, end, timestamp, decodeTables[law], nowMs);
    }
    this.supervision?.agentHears({ source: this.#out, bytes, start, end, timestamp, law });
  }

  #takeBuffer(): Buffer {
    this.#nextBuffer = (this.#nextBuffer + 1) % SEND_BUFFERS;
    const buffer = this.#buffers[this.#nextBuffer];
    assert(buffer !== undefined, 'the index is within the buffers');
    return buffer;
  }
}
