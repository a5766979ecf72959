import type { Socket } from 'node:dgram';
import { assert } from '../../../kernel/assert.ts';
import type { DigitStep } from '../rtp/digit-sender.ts';
import { decodeTables, encodeInto, transcodeInPlace } from '../rtp/g711.ts';
import { OutboundStream } from '../rtp/outbound-stream.ts';
import { RTP_HEADER_BYTES, type RtpView } from '../rtp/packet.ts';
import { TELEPHONE_EVENT_BYTES, writeTelephoneEvent } from '../rtp/telephone-event.ts';
import type { AudioCodec } from './api.ts';
import type { FarSide } from './far-side.ts';
import { FRAME_SAMPLES } from './frames.ts';
import type { LegRecordings } from './leg-recordings.ts';
import { HEARD } from './recorder.ts';
import type { Supervision } from './supervision.ts';
import { keyTone } from './tones.ts';

/** The kernel may still hold a packet that was just sent; so many later the buffer is used again. */
const SEND_BUFFERS = 8;
const scratch = new Int16Array(FRAME_SAMPLES);

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
  relay(packet: Buffer, view: RtpView, source: object, kind: AudioCodec | 'event', nowMs: number): void {
    const remote = this.#farSide.remote;
    if (!this.open || remote === undefined) return;
    const payloadType = kind === 'event' ? remote.telephoneEventType : remote.payloadType;
    if (payloadType === undefined) {
      this.#out.skip(source);
      return;
    }
    const start = this.#out.rewrite(packet, view, source, payloadType, nowMs);
    if (start < 0) return;
    if (kind !== 'event') {
      transcodeInPlace(packet, view.payloadStart, view.payloadEnd, kind, remote.codec);
      this.#tap(packet, view.payloadStart, view.payloadEnd, remote.codec, nowMs);
    }
    this.#socket.send(packet, start, view.payloadEnd - start, this.#farSide.port, this.#farSide.address);
  }

  /** Sends a frame of samples. @param source whose talk-spurt it belongs to. */
  sendSamples(samples: Int16Array, source: object, tick: number, nowMs: number): void {
    const remote = this.#farSide.remote;
    if (!this.open || remote === undefined) return;
    const packet = this.#takeBuffer();
    encodeInto(packet, RTP_HEADER_BYTES, samples, remote.codec);
    this.#sendFrame(packet, source, tick, remote.payloadType, remote.codec, nowMs);
  }

  /** Sends a frame that is encoded in the far side's codec already. */
  sendEncoded(payload: Uint8Array, source: object, tick: number, nowMs: number): void {
    const remote = this.#farSide.remote;
    if (!this.open || remote === undefined) return;
    const packet = this.#takeBuffer();
    packet.set(payload, RTP_HEADER_BYTES);
    this.#sendFrame(packet, source, tick, remote.payloadType, remote.codec, nowMs);
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

  #sendFrame(
    packet: Buffer,
    source: object,
    tick: number,
    payloadType: number,
    codec: AudioCodec,
    nowMs: number,
  ): void {
    this.#out.stamp(packet, source, tick * FRAME_SAMPLES, payloadType, nowMs);
    this.#tap(packet, RTP_HEADER_BYTES, packet.length, codec, nowMs);
    this.#socket.send(packet, 0, packet.length, this.#farSide.port, this.#farSide.address);
  }

  #tap(packet: Buffer, start: number, end: number, codec: AudioCodec, nowMs: number): void {
    const timestamp = this.#out.writtenTimestamp;
    if (this.#recordings.active) {
      this.#recordings.tap(HEARD, this.#out, packet, start, end, timestamp, decodeTables[codec], nowMs);
    }
    this.supervision?.agentHears({ source: this.#out, bytes: packet, start, end, timestamp, codec });
  }

  #takeBuffer(): Buffer {
    this.#nextBuffer = (this.#nextBuffer + 1) % SEND_BUFFERS;
    const buffer = this.#buffers[this.#nextBuffer];
    assert(buffer !== undefined, 'the index is within the buffers');
    return buffer;
  }
}
