import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SipHeaders, type SipMessage, serialiseMessage } from '../../src/switch/embedded/sip/message.ts';
import { MAX_HEAD_BYTES, parseMessage } from '../../src/switch/embedded/sip/parse.ts';
import { SipStreamReader } from '../../src/switch/embedded/sip/tcp-framing.ts';

const invite = [
  'INVITE sip:12345@192.0.2.1:5080 SIP/2.0',
  'v: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1;rport',
  'f: "张三" <sip:13800000000@192.0.2.9>;tag=a1',
  't: <sip:12345@192.0.2.1>',
  'i: call-1@192.0.2.9',
  'CSeq: 1 INVITE',
  'Max-Forwards: 70',
  'Subject: a long',
  ' one that',
  '\tgoes on',
  'l: 4',
  '',
  'body',
];
const bytes = (lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n'));
const without = (name: string): Buffer => bytes(invite.filter((line) => !line.startsWith(name)));
const replaced = (name: string, line: string): Buffer =>
  bytes(invite.map((old) => (old.startsWith(name) ? line : old)));

function sound(data: Buffer): SipMessage {
  const result = parseMessage(data);
  if (result.kind !== 'message') throw new Error(result.reason);
  return result.message;
}

describe('a sound message', () => {
  it('is read with compact names, folded lines and UTF-8', () => {
    const message = sound(bytes(invite));
    expect(message).toMatchObject({ kind: 'request', method: 'INVITE', body: 'body' });
    expect(message.headers.get('from')).toContain('张三');
    expect(message.headers.get('call-id')).toBe('call-1@192.0.2.9');
    expect(message.headers.get('subject')).toBe('a long one that goes on');
  });

  it('may end its lines with LF alone, and carry more than it announces', () => {
    const message = sound(Buffer.from(`${invite.join('\n')} and more`));
    expect(message.body).toBe('body');
  });

  it('survives being written and read again', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);
    fc.assert(
      fc.property(
        token,
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        (tag, body, number) => {
          const headers = new SipHeaders()
            .add('Via', 'SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bKx')
            .add('From', `<sip:a@example.invalid>;tag=${tag}`)
            .add('To', '<sip:b@example.invalid>')
            .add('Call-ID', tag)
            .add('CSeq', `${number} OPTIONS`);
          const uri = 'sip:b@example.invalid';
          const again = sound(serialiseMessage({ kind: 'request', method: 'OPTIONS', uri, headers, body }));
          expect(again).toMatchObject({ method: 'OPTIONS', uri, body });
          expect([...again.headers].slice(0, 5)).toEqual([...headers]);
        },
      ),
    );
  });
});

describe('a broken message', () => {
  it.each([
    ['no CSeq', without('CSeq')],
    ['no From', without('f:')],
    ['CSeq of another method', replaced('CSeq', 'CSeq: 1 BYE')],
    ['a CSeq beyond 2^31', replaced('CSeq', 'CSeq: 2147483648 INVITE')],
    ['a body cut short', replaced('l:', 'l: 400')],
    ['a length that is no number', replaced('l:', 'l: four')],
    ['Max-Forwards of letters', replaced('Max-Forwards', 'Max-Forwards: many')],
    ['a From without end', replaced('f:', 'f: "张三 <sip:1@2>;tag=a')],
    ['another SIP version', replaced('INVITE', 'INVITE sip:12345@192.0.2.1:5080 SIP/3.0')],
  ])('with %s can be answered', (_what, data) => {
    expect(parseMessage(data)).toMatchObject({ kind: 'bad', request: { method: 'INVITE' } });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no end of its headers', Buffer.from('INVITE sip:a@b SIP/2.0\r\nVia: x')],
    ['no Via', without('v:')],
    ['a Via that nobody can read', replaced('v:', 'v: SIP/2.0/UDP')],
    ['no start line', bytes(['hello', ...invite.slice(1)])],
    ['a NUL in a header', replaced('Subject', 'Subject: \0')],
    ['a line without a colon', replaced('Subject', 'Subject')],
    ['headers without end', bytes([...invite.slice(0, 7), `X: ${'a'.repeat(MAX_HEAD_BYTES)}`, '', ''])],
    ['too many headers', bytes([...invite.slice(0, 7), ...Array.from({ length: 300 }, () => 'X: 1'), '', ''])],
    [
      'an ACK without CSeq',
      bytes([`ACK ${invite[0]?.slice(7) ?? ''}`, ...without('CSeq').toString().split('\r\n').slice(1)]),
    ],
  ])('with %s is dropped', (_what, data) => {
    expect(parseMessage(data)).toMatchObject({ kind: 'bad' });
    expect(parseMessage(data)).not.toHaveProperty('request');
  });

  it('never throws, whatever comes', () => {
    const mangled = fc.tuple(fc.nat(400), fc.uint8Array({ maxLength: 20 }), fc.nat(20)).map(([at, junk, drop]) => {
      const whole = bytes(invite);
      return Buffer.concat([whole.subarray(0, at), Buffer.from(junk), whole.subarray(at + drop)]);
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 500 }).map((junk) => Buffer.from(junk)),
          mangled,
        ),
        (data) => {
          parseMessage(data);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a TCP stream', () => {
  const one = bytes(invite);
  const stream = Buffer.concat([one, Buffer.from('\r\n\r\n'), one, one]);

  it('is cut into the same messages however it is fragmented', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 30 }), (cuts) => {
        const reader = new SipStreamReader();
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const messages: Buffer[] = [];
        for (let index = 1; index < places.length; index += 1) {
          const read = reader.push(stream.subarray(places[index - 1], places[index]));
          expect(read.error).toBeUndefined();
          messages.push(...read.messages);
        }
        expect(messages).toEqual([one, one, one]);
      }),
    );
  });

  it('counts the pings of phones that keep their connection open', () => {
    const reader = new SipStreamReader();
    expect(reader.push(Buffer.from('\r\n\r\n')).pings).toBe(1);
  });

  it.each([
    ['headers without end', Buffer.alloc(MAX_HEAD_BYTES + 2, 0x61)],
    ['a length that is no number', bytes(['INVITE sip:a@b SIP/2.0', 'Content-Length: x', '', ''])],
    ['a length beyond all bounds', bytes(['INVITE sip:a@b SIP/2.0', 'Content-Length: 99999999', '', ''])],
  ])('with %s is given up', (_what, data) => {
    expect(new SipStreamReader().push(data).error).toBeTypeOf('string');
  });
});
