import { describe, expect, it } from 'vitest';
import { SipStreamReader } from '../../src/switch/embedded/sip/tcp-framing.ts';
import { fuzzedReaders } from '../support/fuzz/readers.ts';
import { fuzz } from '../support/fuzz/run.ts';

const INPUTS = 4000;
const SEED = 4475;
/** Of a whole test, on a machine that does much else. */
const TIMEOUT_MS = 60_000;

it.each(fuzzedReaders)('the $name reader takes whatever comes', { timeout: TIMEOUT_MS }, (reader) => {
  expect(fuzz(reader, INPUTS, SEED).throws).toEqual([]);
});

/** A message, a description or a header filled up to 60 KiB with one repeated piece. */
const pieces = [
  ' ',
  ';',
  ',',
  '"',
  '\\',
  '<',
  '>',
  '%',
  ':',
  '=',
  '\t;',
  ' /',
  '\r\n ',
  '\n',
  'a=rtpmap:8 x/8\r\n',
  '[x] ',
  '\0',
];
const starts: Readonly<Record<string, readonly string[]>> = {
  sip: [
    'OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa',
    'OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: "a',
    'OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nAuthorization: Digest username=',
    'OPTIONS sip:a',
  ],
  sdp: [
    'v=0\r\nm=audio 1 RTP/AVP ',
    'v=0\r\nm=audio 1 RTP/AVP 8\r\na=imageattr:1 send [x',
    'v=0\r\nm=audio 1 RTP/AVP 8\r\na=candidate:1 1 UDP 1 h 1 typ host ',
    'v=0\r\nc=IN IP4 h\r\nm=audio 1 RTP/AVP 8\r\n',
  ],
  esl: ['Content-Type: ', 'Event-Name: x\n'],
  'esl-command': ['api originate {', "api originate {a='", 'event plain '],
};
/** Linear readers need a few milliseconds of the processor for 60 KiB, quadratic ones seconds. */
const MAX_CPU_MS = 400;

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('no 60 KiB of one thing take more than linear time', { timeout: TIMEOUT_MS }, () => {
  const cases = fuzzedReaders.flatMap((reader) =>
    (starts[reader.name] ?? []).flatMap((start) => pieces.map((piece) => ({ reader, start, piece }))),
  );
  it.each(cases)('$reader.name: $start and many $piece', ({ reader, start, piece }) => {
    for (const end of ['', '\r\n\r\n', 'x\r\n\r\n']) {
      // Below the limit for headers, and far above it.
      for (const bytes of [30_000, 60_000]) {
        const input = Buffer.from(start + piece.repeat(Math.floor(bytes / piece.length)) + end);
        expect(cpuMs(() => reader.read(input))).toBeLessThan(MAX_CPU_MS);
      }
    }
  });

  it('a stream that comes byte by byte', () => {
    const head = `OPTIONS sip:a@h SIP/2.0\r\n${'x: y\r\n'.repeat(200)}`;
    const bytes = Buffer.from(`${head}Content-Length: 60000\r\n\r\n${'b'.repeat(60_000)}`);
    const reader = new SipStreamReader();
    let messages = 0;
    const spent = cpuMs(() => {
      for (let at = 0; at < bytes.length; at += 1) messages += reader.push(bytes.subarray(at, at + 1)).messages.length;
    });
    expect(messages).toBe(1);
    expect(spent).toBeLessThan(MAX_CPU_MS);
  });
});
