/** The readers that face the outside, each with honest inputs to start from. */
import { parseOriginate } from '../../../src/switch/embedded/core/originate-syntax.ts';
import { Subscriptions } from '../../../src/switch/embedded/esl-server/subscriptions.ts';
import { parseWav } from '../../../src/switch/embedded/media/wav-reader.ts';
import { createRtpView, parseRtp } from '../../../src/switch/embedded/rtp/packet.ts';
import { DigitReceiver } from '../../../src/switch/embedded/rtp/telephone-event.ts';
import { readReason } from '../../../src/switch/embedded/sip/call.ts';
import { readInfoDigit } from '../../../src/switch/embedded/sip/dialog-usage.ts';
import { parseDigestCredentials } from '../../../src/switch/embedded/sip/digest.ts';
import { parseMessage } from '../../../src/switch/embedded/sip/parse.ts';
import { readSdp, writeAnswer } from '../../../src/switch/embedded/sip/sdp.ts';
import { SipStreamReader } from '../../../src/switch/embedded/sip/tcp-framing.ts';
import { listValues, parseNameAddress, parseUri, parseVia } from '../../../src/switch/embedded/sip/values.ts';
import { readJsonEvent, readPlainEvent } from '../../../src/switch/esl/event.ts';
import { encodePlainEvent, FrameReader } from '../../../src/switch/esl/wire.ts';
import { ManualClock } from '../manual-clock.ts';
import { invalidTorture } from '../torture/invalid.ts';
import { sdp } from '../torture/message.ts';
import { oddTorture } from '../torture/oddities.ts';
import { validTorture } from '../torture/valid.ts';

/** A reader under fuzz. It may refuse whatever it likes; it may not throw. */
export interface FuzzedReader {
  readonly name: string;
  readonly corpus: readonly Buffer[];
  read(input: Buffer): void;
}

const DIGEST =
  'Digest username="1001", realm="yihaotong.local", nonce="abc.def.ghi", uri="sip:yihaotong.local", ' +
  'response="0123456789abcdef0123456789abcdef", algorithm=MD5, qop=auth, nc=00000001, cnonce="x\\"y"';

function readSip(input: Buffer): void {
  const result = parseMessage(input);
  const message = result.kind === 'message' ? result.message : result.request;
  if (message !== undefined) {
    const { headers } = message;
    for (const [, value, key] of headers) {
      if (key === 'via') for (const via of listValues([value])) parseVia(via);
      parseUri(parseNameAddress(value)?.uri ?? value);
      parseDigestCredentials(value);
    }
    readReason(headers.all('reason'));
    readInfoDigit(headers.get('content-type') ?? '', message.body);
    readSdp(message.body);
  }
  const stream = new SipStreamReader();
  const middle = input.length >> 1;
  stream.push(input.subarray(0, middle));
  stream.push(input.subarray(middle));
}

function readDescription(input: Buffer): void {
  const offer = readSdp(input.toString('utf8'));
  if (offer !== undefined) writeAnswer({ address: '127.0.0.1', port: 4000, sessionId: 1, version: 1 }, offer);
}

function rtpReader(): (input: Buffer) => void {
  const view = createRtpView();
  const digits = new DigitReceiver(new ManualClock(), () => undefined);
  return (input) => {
    if (parseRtp(input, view)) digits.receive(input, view.payloadStart, view.payloadEnd, view.timestamp);
  };
}

function readEventSocket(input: Buffer): void {
  const reader = new FrameReader();
  const middle = input.length >> 1;
  for (const part of [input.subarray(0, middle), input.subarray(middle)]) {
    for (const frame of reader.push(part).frames) {
      for (const event of [readPlainEvent(frame.body), readJsonEvent(frame.body)]) {
        if (event !== undefined) for (const [name] of event.headers()) event.get(name);
      }
      frame.headers.toObject();
    }
  }
}

function readCommand(input: Buffer): void {
  const reader = new FrameReader({ maxHeaderBytes: 64 * 1024, maxBodyBytes: 256 * 1024 });
  for (const frame of reader.push(input).frames) {
    const line = frame.headers.firstLine.trim();
    parseOriginate(line.replace(/^(bg)?api originate /, ''));
    new Subscriptions().add(line.split(/\s+/));
    for (const name of ['Job-UUID', 'call-command', 'execute-app-name', 'loops']) frame.headers.raw(name);
  }
}

function wav(format: number, bits: number, chunks: readonly Buffer[] = []): Buffer {
  const head = Buffer.from('RIFF\x24\x01\0\0WAVEfmt \x10\0\0\0', 'latin1');
  const fmt = Buffer.alloc(16);
  fmt.writeUInt16LE(format, 0);
  fmt.writeUInt16LE(1, 2);
  fmt.writeUInt32LE(8000, 4);
  fmt.writeUInt16LE(bits, 14);
  return Buffer.concat([head, fmt, ...chunks, Buffer.from('data\x40\0\0\0', 'latin1'), Buffer.alloc(64)]);
}

const event = encodePlainEvent([
  ['Event-Name', 'CHANNEL_PARK'],
  ['Caller-Caller-ID-Name', '张三 % "x"'],
  ['Unique-ID', '957fbdc9-7dcc-44f5-a975-3ee10522859a'],
]);

export const fuzzedReaders: readonly FuzzedReader[] = [
  {
    name: 'sip',
    corpus: [
      ...[...validTorture, ...invalidTorture, ...oddTorture]
        .map(({ bytes }) => bytes)
        .filter(({ length }) => length < 2000),
      Buffer.from(
        `REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa;rport\r\nFrom: <sip:1@h>;tag=a\r\nTo: <sip:1@h>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nReason: Q.850;cause=16\r\nAuthorization: ${DIGEST}\r\n\r\n`,
      ),
    ],
    read: readSip,
  },
  {
    name: 'sdp',
    corpus: [
      Buffer.from(sdp('192.0.2.1')),
      Buffer.from(
        'v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\nc=IN IP4 192.0.2.9\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendonly\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host\r\na=imageattr:97 send [x=800,y=640] recv [x=480]\r\n',
      ),
    ],
    read: readDescription,
  },
  {
    name: 'rtp',
    corpus: [
      Buffer.concat([Buffer.from([0x80, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4]), Buffer.alloc(160, 0xd5)]),
      Buffer.from([0x80, 0xe5, 0, 2, 0, 0, 0, 160, 1, 2, 3, 4, 5, 0x8a, 3, 0x20]),
      Buffer.from([0xb1, 8, 0, 3, 0, 0, 0, 160, 1, 2, 3, 4, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 0, 0, 0, 0, 1, 2, 0, 2]),
    ],
    read: rtpReader(),
  },
  {
    name: 'esl',
    corpus: [
      event,
      Buffer.concat([Buffer.from('Content-Type: auth/request\n\n'), event, event]),
      Buffer.from('Content-Type: command/reply\nReply-Text: +OK accepted\n\n'),
      Buffer.from(
        'Content-Length: 54\nContent-Type: text/event-json\n\n{"Event-Name":"HEARTBEAT","a":"b","_body":"一号通"}',
      ),
    ],
    read: readEventSocket,
  },
  {
    name: 'esl-command',
    corpus: [
      'auth something\n\n',
      'event plain CHANNEL_PARK CUSTOM sofia::register\n\n',
      "bgapi originate {origination_uuid=a-b,x='y, z'}[leg=1]user/1001@yihaotong.local &park()\nJob-UUID: 1\n\n",
      'sendmsg 957fbdc9-7dcc-44f5-a975-3ee10522859a\ncall-command: execute\nexecute-app-name: playback\nContent-Length: 5\n\nx.wav',
    ].map((text) => Buffer.from(text)),
    read: readCommand,
  },
  {
    name: 'wav',
    corpus: [
      wav(1, 16),
      wav(6, 8, [Buffer.from('LIST\x04\0\0\0INFO', 'latin1')]),
      wav(0xfffe, 16, [Buffer.from('fact\x04\0\0\0\0\0\0\0', 'latin1')]),
    ],
    read: (input) => void parseWav(input),
  },
];
