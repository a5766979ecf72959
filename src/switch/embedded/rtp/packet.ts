/** The fixed RTP header (RFC 3550 section 5.1) without contributing sources or extension. */
export const RTP_HEADER_BYTES = 12;

/** The fields of one received packet. One object is filled again and again, so that reading makes no garbage. */
export interface RtpView {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** Where the payload lies in the packet: [payloadStart, payloadEnd). */
  payloadStart: number;
  payloadEnd: number;
}

/** An empty view to hand to `parseRtp`. */
export function createRtpView(): RtpView {
  return { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0, payloadStart: 0, payloadEnd: 0 };
}

const readUint32 = (packet: Uint8Array, at: number): number =>
  (((packet[at] ?? 0) << 24) | ((packet[at + 1] ?? 0) << 16) | ((packet[at + 2] ?? 0) << 8) | (packet[at + 3] ?? 0)) >>>
  0;

/** Where the payload begins behind contributing sources and header extension; beyond the packet when it is cut. */
function payloadOffset(packet: Uint8Array, first: number): number {
  const start = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) === 0) return start;
  // RFC 3550 section 5.3.1: the extension's length counts 32-bit words without its own four-byte header.
  const words = ((packet[start + 2] ?? 0xff) << 8) | (packet[start + 3] ?? 0xff);
  return start + 4 + words * 4;
}

/**
 * Reads an RTP packet into `view`.
 * @returns false for anything that is not RTP version 2 with a payload (RFC 3550 appendix A.1); `view` is then undefined in content.
 */
export function parseRtp(packet: Uint8Array, view: RtpView): boolean {
  if (packet.length <= RTP_HEADER_BYTES) return false;
  const first = packet[0] ?? 0;
  if (first >> 6 !== 2) return false;
  const second = packet[1] ?? 0;
  // RFC 5761 section 4: 64..95 in these seven bits is RTCP (sender and receiver reports and their kin), not RTP.
  const payloadType = second & 0x7f;
  if (payloadType >= 64 && payloadType <= 95) return false;
  let end = packet.length;
  if ((first & 0x20) !== 0) {
    const padding = packet[end - 1] ?? 0;
    if (padding === 0) return false;
    end -= padding;
  }
  const start = payloadOffset(packet, first);
  if (start >= end) return false;
  view.payloadType = payloadType;
  view.marker = (second & 0x80) !== 0;
  view.sequence = ((packet[2] ?? 0) << 8) | (packet[3] ?? 0);
  view.timestamp = readUint32(packet, 4);
  view.ssrc = readUint32(packet, 8);
  view.payloadStart = start;
  view.payloadEnd = end;
  return true;
}

/** Writes a fixed header (no padding, no extension) at `offset`; all numbers are taken modulo their width. */
export function writeRtpHeader(
  packet: Uint8Array,
  offset: number,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  packet[offset] = 0x80;
  packet[offset + 1] = (marker ? 0x80 : 0) | (payloadType & 0x7f);
  packet[offset + 2] = sequence >>> 8;
  packet[offset + 3] = sequence;
  packet[offset + 4] = timestamp >>> 24;
  packet[offset + 5] = timestamp >>> 16;
  packet[offset + 6] = timestamp >>> 8;
  packet[offset + 7] = timestamp;
  packet[offset + 8] = ssrc >>> 24;
  packet[offset + 9] = ssrc >>> 16;
  packet[offset + 10] = ssrc >>> 8;
  packet[offset + 11] = ssrc;
}

/** How far sequence number `a` is ahead of `b`, -32768..32767 (RFC 1982 arithmetic on 16 bits). */
export const sequenceAhead = (a: number, b: number): number => ((a - b) << 16) >> 16;

/** How far timestamp `a` is ahead of `b`, as a signed 32-bit number. */
export const timestampAhead = (a: number, b: number): number => (a - b) | 0;
