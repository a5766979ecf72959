import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeValue,
  encodeFrame,
  encodePlainEvent,
  encodeValue,
  FrameReader,
  HeaderBlock,
  hasForbiddenCharacters,
  parsePlainEvent,
  type WireFrame,
} from '../../src/switch/esl/wire.ts';

/** Feeds `bytes` cut at the given places. */
function readInPieces(bytes: Buffer, cuts: readonly number[]): { frames: WireFrame[]; error: string | undefined } {
  const reader = new FrameReader();
  const frames: WireFrame[] = [];
  let error: string | undefined;
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < places.length; index += 1) {
    const result = reader.push(bytes.subarray(places[index - 1] ?? 0, places[index]));
    frames.push(...result.frames);
    error ??= result.error;
  }
  return { frames, error };
}

describe('values', () => {
  it('survive the way there and back, whatever is in them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeValue(encodeValue(text))).toBe(text);
        expect(hasForbiddenCharacters(encodeValue(text))).toBe(false);
      }),
    );
  });

  it('with a % that is no code stay readable', () => {
    expect(decodeValue('50%off bad')).toBe('50%off bad');
    expect(decodeValue('%')).toBe('%');
    expect(decodeValue('%E5%BC%A0%zz%')).toBe('张%zz%');
    expect(decodeValue('%FF')).toBe('\uFFFD');
    expect(encodeValue('\uD800')).toBe('%EF%BF%BD');
  });

  it('never throw on garbage', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof decodeValue(text) === 'string'));
  });
});

describe('FrameReader', () => {
  const stream = Buffer.concat([
    encodeFrame([['Content-Type', 'auth/request']]),
    encodeFrame([['Content-Type', 'api/response']], '好的\n\n+OK\n'),
    encodePlainEvent(
      [
        ['Event-Name', 'BACKGROUND_JOB'],
        ['Caller-Caller-ID-Name', '张三 50% "a,b"'],
      ],
      '+OK done\n',
    ),
    Buffer.from('\r\nexit\r\n\r\n'),
  ]);

  it('gives the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2000), { maxLength: 40 }), (cuts) => {
        const { frames, error } = readInPieces(stream, cuts);
        expect(error).toBeUndefined();
        expect(frames.map((frame) => frame.headers.raw('content-type'))).toEqual([
          'auth/request',
          'api/response',
          'text/event-plain',
          undefined,
        ]);
        expect(frames[1]?.body.toString()).toBe('好的\n\n+OK\n');
        const event = parsePlainEvent(frames[2]?.body ?? Buffer.alloc(0));
        expect(event.headers.get('Caller-Caller-ID-Name')).toBe('张三 50% "a,b"');
        expect(event.body.toString()).toBe('+OK done\n');
        expect(frames[3]?.headers.firstLine).toBe('exit');
      }),
    );
  });

  it('takes one byte at a time', () => {
    const { frames } = readInPieces(
      stream,
      Array.from({ length: stream.length }, (_, index) => index),
    );
    expect(frames).toHaveLength(4);
  });

  it('never throws on garbage', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
        const reader = new FrameReader({ maxHeaderBytes: 200, maxBodyBytes: 200 });
        for (const chunk of chunks) reader.push(chunk);
      }),
    );
  });

  it('reports what is too big or no number, and stays silent afterwards', () => {
    const small = { maxHeaderBytes: 50, maxBodyBytes: 10 };
    expect(new FrameReader(small).push(Buffer.alloc(60, 0x61)).error).toContain('too long');
    for (const length of ['11', '-1', 'x', '99999999999999']) {
      const reader = new FrameReader(small);
      expect(reader.push(Buffer.from(`Content-Length: ${length}\n\n`)).error).toContain('Content-Length');
      expect(reader.push(Buffer.from('exit\n\n')).frames).toEqual([]);
    }
  });
});

describe('HeaderBlock', () => {
  it('decodes on reading, keeps the first of equal names and takes lines without a colon', () => {
    const block = new HeaderBlock('sendmsg 1-2\ncall-command: execute\ncall-command: other\nX:%E5%A5%BD\nrest');
    expect(block.firstLine).toBe('sendmsg 1-2');
    expect(block.get('call-command')).toBe('execute');
    expect(block.raw('CALL-COMMAND')).toBe('execute');
    expect(block.get('X')).toBe('好');
    expect(block.get('none')).toBeUndefined();
    expect(block.toObject()).toEqual({ 'call-command': 'execute', X: '好' });
  });
});
