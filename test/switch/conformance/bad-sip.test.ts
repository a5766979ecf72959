import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startBench } from '../../support/start-bench.ts';
import { invalidTorture } from '../../support/torture/invalid.ts';
import { oddTorture } from '../../support/torture/oddities.ts';
import { validTorture } from '../../support/torture/valid.ts';

const bench = startBench();

const head = (method: string, cseq = `1 ${method}`): string[] => [
  `${method} sip:12345@127.0.0.1 SIP/2.0`,
  'Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKbad',
  'From: <sip:1@127.0.0.1>;tag=bad',
  'To: <sip:12345@127.0.0.1>',
  'Call-ID: bad@127.0.0.1',
  `CSeq: ${cseq}`,
];
const whole = (lines: string[], body = ''): string => `${lines.join('\r\n')}\r\n\r\n${body}`;

const garbage: readonly (readonly [string, string | Buffer])[] = [
  ['nothing', ''],
  ['line ends', '\r\n\r\n\r\n\r\n'],
  ['words', 'hello'],
  ['zeros', Buffer.alloc(2000)],
  ['bytes that are no UTF-8', Buffer.from(Array.from({ length: 500 }, (_, index) => (index * 37 + 128) % 256))],
  ['a request line alone', 'INVITE sip:12345@127.0.0.1 SIP/2.0\r\n\r\n'],
  ['no Via', whole(head('INVITE').filter((line) => !line.startsWith('Via')))],
  ['no Call-ID', whole(head('INVITE').filter((line) => !line.startsWith('Call-ID')))],
  ['no CSeq', whole(head('INVITE').filter((line) => !line.startsWith('CSeq')))],
  ['a CSeq that is no number', whole(head('INVITE', 'many INVITE'))],
  ['a CSeq of another method', whole(head('INVITE', '1 BYE'))],
  ['a negative length', whole([...head('INVITE'), 'Content-Length: -5'])],
  ['a length beyond everything', whole([...head('INVITE'), 'Content-Length: 99999999999'])],
  ['a body cut short', whole([...head('INVITE'), 'Content-Type: application/sdp', 'Content-Length: 500'], 'v=0\r\no=')],
  ['an SDP of nonsense', whole([...head('INVITE'), 'Content-Type: application/sdp', 'Content-Length: 8'], 'm=audio\r')],
  ['a header without a colon', whole([...head('INVITE'), 'Nonsense'])],
  ['a header of 60 kB', whole([...head('INVITE'), `X-Long: ${'a'.repeat(60_000)}`])],
  ['a thousand headers', whole([...head('OPTIONS'), ...Array.from({ length: 1000 }, (_, index) => `X-${index}: 1`)])],
  ['an unknown method', whole(head('SING'))],
  ['BYE for a call that isn’t', whole(head('BYE'))],
  ['CANCEL for a call that isn’t', whole(head('CANCEL'))],
  ['ACK for a call that isn’t', whole(head('ACK'))],
  ['an answer that nobody asked for', whole(['SIP/2.0 200 OK', ...head('INVITE').slice(1)])],
  ['an answer with an impossible status', whole(['SIP/2.0 999 Oops', ...head('INVITE').slice(1)])],
  ['an unbalanced name', whole(head('INVITE').map((line) => line.replace('From: <', 'From: "open <')))],
];

/** A call that goes through proves that the switch is alive and well. */
async function stillWorks(): Promise<void> {
  const citizen = await bench.answeredCitizen();
  await citizen.call.hangup();
  await bench.ended(citizen.leg);
}

describe('the switch lives on after', () => {
  it.each(garbage)('%s by UDP', async (_, data) => {
    const socket = createSocket('udp4');
    for (const side of ['trunk', 'agents'] as const) {
      const { host, port } = bench.sut[side];
      await new Promise<void>((resolve, reject) => {
        socket.send(data, port, host, (error) => (error ? reject(error) : resolve()));
      });
    }
    socket.close();
    await stillWorks();
  });

  it('all of it by TCP', async () => {
    for (const [, data] of garbage) {
      for (const side of ['trunk', 'agents'] as const) {
        const socket = connect(bench.sut[side].port, bench.sut[side].host);
        socket.on('error', () => socket.destroy());
        await once(socket, 'connect');
        socket.end(data);
        socket.resume();
        socket.destroySoon();
      }
    }
    await stillWorks();
  });

  it('the torture messages of RFC 4475, by UDP and by TCP, to both sides', async () => {
    const socket = createSocket('udp4');
    for (const { bytes } of [...validTorture, ...invalidTorture, ...oddTorture]) {
      for (const side of ['trunk', 'agents'] as const) {
        const { host, port } = bench.sut[side];
        await new Promise<void>((resolve, reject) => {
          socket.send(bytes, port, host, (error) => (error ? reject(error) : resolve()));
        });
        const stream = connect(port, host);
        stream.on('error', () => stream.destroy());
        await once(stream, 'connect');
        stream.end(bytes);
        stream.resume();
        stream.destroySoon();
      }
    }
    socket.close();
    await bench.agent('1001');
    await stillWorks();
  });

  it('hang-ups that come twice', async () => {
    const citizen = await bench.answeredCitizen();
    await citizen.call.hangup();
    const again = citizen.call.parts.dialog.request('BYE');
    const answer = await citizen.call.parts.transactions.request(again, 5000);
    expect([200, 481]).toContain(answer.status);
    await stillWorks();
  });

  it('RTP that is none', async () => {
    const citizen = await bench.answeredCitizen({ toneHz: 400 });
    const agent = await bench.answeredAgent('1001');
    await bench.bridge(citizen.leg, agent.leg);
    const media = citizen.call.remoteMedia;
    const socket = createSocket('udp4');
    for (const data of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(1400, 0xff), Buffer.from('GET / HTTP/1.1')]) {
      await new Promise<void>((resolve, reject) => {
        socket.send(data, media.port, media.host, (error) => (error ? reject(error) : resolve()));
      });
    }
    socket.close();
    await agent.call.hears(400);
  });
});
