import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InboundStream } from '../../src/switch/embedded/rtp/inbound-stream.ts';
import { OutboundStream } from '../../src/switch/embedded/rtp/outbound-stream.ts';
import { createRtpView, parseRtp, type RtpView, writeRtpHeader } from '../../src/switch/embedded/rtp/packet.ts';
import { PortPool } from '../../src/switch/embedded/rtp/ports.ts';

const header = fc.record({
  payloadType: fc.integer({ min: 0, max: 63 }),
  marker: fc.boolean(),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
  ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
});

type Header = Pick<RtpView, 'payloadType' | 'marker' | 'sequence' | 'timestamp' | 'ssrc'>;

function packetOf(fields: Header, payloadBytes = 160): Buffer {
  const packet = Buffer.alloc(12 + payloadBytes, 0xd5);
  writeRtpHeader(packet, 0, fields.payloadType, fields.marker, fields.sequence, fields.timestamp, fields.ssrc);
  return packet;
}

function parsed(packet: Uint8Array): RtpView {
  const view = createRtpView();
  expect(parseRtp(packet, view)).toBe(true);
  return view;
}

describe('an RTP packet', () => {
  it('reads as it was written', () => {
    fc.assert(
      fc.property(header, fc.integer({ min: 1, max: 400 }), (fields, payloadBytes) => {
        const packet = packetOf(fields, payloadBytes);
        expect(parsed(packet)).toEqual({ ...fields, payloadStart: 12, payloadEnd: packet.length });
      }),
    );
  });

  it('gives up its payload behind contributing sources, an extension and before padding', () => {
    const packet = Buffer.concat([
      Buffer.from([0x80 | 0x20 | 0x10 | 2, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]),
      Buffer.alloc(8),
      Buffer.from([0xbe, 0xde, 0, 1, 9, 9, 9, 9]),
      Buffer.from([1, 2, 3, 4]),
      Buffer.from([0, 0, 3]),
    ]);
    const view = parsed(packet);
    expect([...packet.subarray(view.payloadStart, view.payloadEnd)]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['nothing', []],
    ['a header without payload', [0x80, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]],
    ['version 1', [0x40, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1]],
    ['a sender report', [0x80, 200, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1]],
    ['padding longer than the packet', [0xa0, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 200]],
    ['padding of nothing', [0xa0, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0]],
    ['an extension cut off', [0x90, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde]],
  ])('refuses %s', (_, bytes) => {
    expect(parseRtp(Uint8Array.from(bytes), createRtpView())).toBe(false);
  });

  it('never throws, and never points outside', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        if (bytes[0] !== undefined) bytes[0] = (bytes[0] & 0x3f) | 0x80;
        const view = createRtpView();
        if (!parseRtp(bytes, view)) return;
        expect(view.payloadStart).toBeGreaterThanOrEqual(12);
        expect(view.payloadEnd).toBeGreaterThan(view.payloadStart);
        expect(view.payloadEnd).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe('a received stream', () => {
  it('tells in order, late, twice and restarted apart, and counts what is lost', () => {
    const stream = new InboundStream(1, 65_534);
    expect(stream.accept(65_535)).toBe('new');
    expect(stream.accept(2)).toBe('new');
    expect(stream.lost).toBe(2);
    expect(stream.accept(0)).toBe('late');
    expect(stream.accept(0)).toBe('duplicate');
    expect(stream.accept(2)).toBe('duplicate');
    expect(stream.lost).toBe(1);
    expect(stream.accept(30_000)).toBe('restart');
    expect(stream.accept(30_001)).toBe('new');
    expect(stream.lost).toBe(1);
  });
});

describe('a sent stream', () => {
  const relay = (out: OutboundStream, source: object, fields: Partial<Header>, nowMs: number): Header | undefined => {
    const packet = packetOf({ payloadType: 8, marker: false, sequence: 0, timestamp: 0, ssrc: 7, ...fields });
    const start = out.rewrite(packet, parsed(packet), source, 0, nowMs);
    return start < 0 ? undefined : parsed(packet.subarray(start));
  };

  it('keeps ssrc, numbers and time together when its source changes', () => {
    const out = new OutboundStream();
    const one = relay(out, {}, { sequence: 500, timestamp: 9000 }, 1000);
    const other = {};
    const two = relay(out, other, { sequence: 65_535, timestamp: 0xffff_fff0 }, 1500);
    const three = relay(out, other, { sequence: 0, timestamp: 0xffff_fff0 + 160 - 2 ** 32 }, 1520);
    expect([one?.marker, two?.marker, three?.marker]).toEqual([true, true, false]);
    expect(two?.ssrc).toBe(one?.ssrc);
    expect(((two?.sequence ?? 0) - (one?.sequence ?? 0)) & 0xffff).toBe(1);
    expect(((two?.timestamp ?? 0) - (one?.timestamp ?? 0)) | 0).toBe(4000);
    expect(((three?.sequence ?? 0) - (two?.sequence ?? 0)) & 0xffff).toBe(1);
    expect(((three?.timestamp ?? 0) - (two?.timestamp ?? 0)) | 0).toBe(160);
  });

  it('shows a loss as a loss and leaves reordered packets in their place', () => {
    const out = new OutboundStream();
    const source = {};
    const first = relay(out, source, { sequence: 10, timestamp: 1600 }, 0);
    const fourth = relay(out, source, { sequence: 13, timestamp: 2080 }, 60);
    const third = relay(out, source, { sequence: 12, timestamp: 1920 }, 61);
    expect(((fourth?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff).toBe(3);
    expect(((third?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff).toBe(2);
    // What is older than the talk-spurt would take the numbers of the source before.
    expect(relay(out, source, { sequence: 9, timestamp: 1440 }, 62)).toBeUndefined();
  });

  it('hides packets that are left out on purpose', () => {
    const out = new OutboundStream();
    const source = {};
    const one = relay(out, source, { sequence: 10, timestamp: 1600 }, 0);
    out.skip(source);
    out.skip(source);
    const two = relay(out, source, { sequence: 13, timestamp: 2080 }, 60);
    expect(((two?.sequence ?? 0) - (one?.sequence ?? 0)) & 0xffff).toBe(1);
  });

  it('begins a talk-spurt when a source jumps, and marks frames after a pause', () => {
    const out = new OutboundStream();
    const source = {};
    relay(out, source, { sequence: 10, timestamp: 1600 }, 10);
    const jumped = relay(out, source, { sequence: 40_000, timestamp: 3_000_000_000 }, 30);
    expect(jumped?.marker).toBe(true);
    const frame = Buffer.alloc(172);
    const player = {};
    const marks = [0, 160, 800, 960].map((timestamp, n) => {
      out.stamp(frame, player, timestamp, 8, 50 + n * 20);
      return parsed(frame).marker;
    });
    expect(marks).toEqual([true, false, true, false]);
  });
});

describe('the ports', () => {
  it('are even, each used once, and rest after use', () => {
    let nowMs = 0;
    const pool = new PortPool(10_001, 10_006, () => nowMs);
    const taken = [pool.take(), pool.take(), pool.take()];
    expect(taken.toSorted()).toEqual([10_002, 10_004, 10_006]);
    expect(pool.take()).toBeUndefined();
    pool.release(10_004);
    nowMs = 1999;
    expect(pool.take()).toBeUndefined();
    nowMs = 2001;
    expect(pool.take()).toBe(10_004);
  });

  it('refuse an empty range', () => {
    expect(() => new PortPool(10_001, 10_001, () => 0)).toThrow('no even port');
  });
});
