import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EslEvent, readJsonEvent, readPlainEvent } from '../../src/switch/esl/event.ts';
import { encodeFrame, encodePlainEvent, FrameReader } from '../../src/switch/esl/wire.ts';

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/).map((word) => `variable_${word}`);
const value = fc.string({
  unit: fc.oneof(fc.constantFrom('%', '%4', '%zz', '张', '😀', '\n', ':', ' ', 'a'), fc.string()),
});

type Message =
  | { readonly kind: 'reply'; readonly text: string }
  | { readonly kind: 'api'; readonly body: string }
  | { readonly kind: 'event'; readonly headers: Record<string, string>; readonly body: string | undefined };

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant('reply' as const), text: fc.stringMatching(/^[+-][A-Za-z %]{0,30}$/) }),
  fc.record({ kind: fc.constant('api' as const), body: fc.string({ unit: 'grapheme', minLength: 1 }) }),
  fc.record({
    kind: fc.constant('event' as const),
    headers: fc.dictionary(name, value, { maxKeys: 12, noNullPrototype: true }),
    body: fc.option(fc.string({ unit: 'grapheme', minLength: 1 }), { nil: undefined }),
  }),
);

function encode(one: Message): Buffer {
  if (one.kind === 'event') {
    return encodePlainEvent(Object.entries({ 'Event-Name': 'CUSTOM', ...one.headers }), one.body);
  }
  if (one.kind === 'api') return encodeFrame([['Content-Type', 'api/response']], one.body);
  return encodeFrame([
    ['Content-Type', 'command/reply'],
    ['Reply-Text', one.text],
  ]);
}

/** Cuts bytes at the given places. */
function* pieces(bytes: Buffer, cuts: readonly number[]): Iterable<Buffer> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const place of [...places, bytes.length]) {
    yield bytes.subarray(from, place);
    from = place;
  }
}

function readAll(chunks: Iterable<Buffer>): Message[] {
  const reader = new FrameReader();
  const seen: Message[] = [];
  for (const chunk of chunks) {
    const { frames, error } = reader.push(chunk);
    expect(error).toBeUndefined();
    for (const frame of frames) {
      const type = frame.headers.raw('Content-Type');
      if (type === 'command/reply') seen.push({ kind: 'reply', text: frame.headers.raw('Reply-Text') ?? '' });
      else if (type === 'api/response') seen.push({ kind: 'api', body: frame.body.toString('utf8') });
      else seen.push(readBack(readPlainEvent(frame.body)));
    }
  }
  return seen;
}

function readBack(event: EslEvent | undefined): Message {
  const { 'Event-Name': eventName, 'Content-Length': _length, ...headers } = Object.fromEntries(event?.headers() ?? []);
  expect(eventName).toBe('CUSTOM');
  return { kind: 'event', headers, body: event?.body === '' ? undefined : event?.body };
}

/** Lone surrogates and leading spaces are what the wire can't keep. */
const kept = (one: Message): Message => {
  if (one.kind !== 'event') return one;
  const headers = Object.entries(one.headers).map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('utf8')]);
  return { ...one, headers: Object.fromEntries(headers) as Record<string, string> };
};

describe('replies and events on one stream', () => {
  it('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), fc.array(fc.nat()), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(encode));
        expect(readAll(pieces(bytes, cuts))).toEqual(messages.map(kept));
      }),
    );
  });

  it('are the same at every single cut and byte by byte', () => {
    const messages: Message[] = [
      { kind: 'reply', text: '-ERR 50%off bad' },
      { kind: 'event', headers: { variable_caller: '张三 100%, "x"\n' }, body: '+OK 完成\n' },
      { kind: 'api', body: '{"a":"中"}' },
      { kind: 'event', headers: { variable_empty: '' }, body: undefined },
    ];
    const bytes = Buffer.concat(messages.map(encode));
    for (let cut = 0; cut <= bytes.length; cut += 1) expect(readAll(pieces(bytes, [cut]))).toEqual(messages);
    const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    expect(readAll(single)).toEqual(messages);
  });

  it('are refused beyond their size, in a header block and in a body', () => {
    const limits = { maxHeaderBytes: 1000, maxBodyBytes: 1000 };
    expect(new FrameReader(limits).push(Buffer.from('x'.repeat(1001))).error).toBeDefined();
    expect(new FrameReader(limits).push(Buffer.from('Content-Length: 1001\n\n')).error).toBeDefined();
    expect(new FrameReader(limits).push(Buffer.from('Content-Length: -1\n\n')).error).toBeDefined();
    expect(new FrameReader(limits).push(Buffer.from('Content-Length: 1000\n\n')).error).toBeUndefined();
  });
});

describe('an event', () => {
  it('gives undefined for what is absent or empty', () => {
    const event = readPlainEvent(Buffer.from('Event-Name: HEARTBEAT\nA: _undef_\nB: \nC: 100%25%\n\n'));
    expect([event?.get('A'), event?.get('B'), event?.get('C'), event?.get('D')]).toEqual([
      undefined,
      undefined,
      '100%%',
      undefined,
    ]);
  });

  it('reads JSON as well, and nothing from what is neither', () => {
    const event = readJsonEvent(Buffer.from('{"Event-Name":"CHANNEL_PARK","variable_x":"张","_body":"text","n":1}'));
    expect([event?.name, event?.get('variable_x'), event?.body, event?.get('constructor')]).toEqual([
      'CHANNEL_PARK',
      '张',
      'text',
      undefined,
    ]);
    for (const odd of ['', '[', 'null', '3', '{}', '{"Event-Name":3}']) {
      expect(readJsonEvent(Buffer.from(odd))).toBeUndefined();
    }
    expect(readPlainEvent(Buffer.from('no header at all'))).toBeUndefined();
  });
});
