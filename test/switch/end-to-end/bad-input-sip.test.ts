import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nothingLeft } from '../../support/hotline/calls.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { stillServes } from '../../support/hotline/service.ts';
import { readyAgent, tones } from '../../support/hotline/talking.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

const invite = (lines: readonly string[] = [], body = ''): string =>
  [
    'INVITE sip:12345@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK${Math.random().toString(36).slice(2)}`,
    'Max-Forwards: 70',
    'From: <sip:13800000000@127.0.0.1>;tag=bad',
    'To: <sip:12345@127.0.0.1>',
    `Call-ID: ${Math.random().toString(36).slice(2)}@bad`,
    'CSeq: 1 INVITE',
    'Contact: <sip:13800000000@127.0.0.1:9>',
    ...lines,
    '',
    body,
  ].join('\r\n');

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n';
const withSdp = ['Content-Type: application/sdp'];

const broken: readonly (readonly [string, string | Buffer])[] = [
  ['text that is no SIP', 'GET / HTTP/1.1\r\nHost: 12345\r\n\r\n'],
  ['bytes that are no text', Buffer.from(Array.from({ length: 1200 }, (_, at) => (at * 73 + 129) % 256))],
  ['a header that never ends', `${invite().slice(0, 60)}${'x'.repeat(5000)}`],
  ['no Call-ID', invite().replace(/Call-ID:[^\r]*\r\n/, '')],
  ['a CSeq without number', invite().replace('CSeq: 1 INVITE', 'CSeq: INVITE')],
  ['an address that is none', invite().replace('From: <sip:13800000000@127.0.0.1>', 'From: "open <sip:@@@>>')],
  ['a body cut short', invite([...withSdp, 'Content-Length: 4000'], sdp.slice(0, 40))],
  ['a body that is no SDP', invite([...withSdp, 'Content-Length: 11'], 'm=\r\n\r\nc=\r\n')],
  ['a length that is no number', invite([...withSdp, 'Content-Length: many'], sdp)],
  ['NUL in the headers', invite(['Subject: a\u0000b'])],
];

/** Issue 2, «Bad input, tried in tests»: malformed SIP, unknown addresses and numbers, wrong passwords. */
describe('the hotline takes calls after', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  afterEach(() => stillServes(hotline, agent));

  async function sendAll(messages: readonly (string | Buffer)[], side: 'trunk' | 'agents'): Promise<void> {
    const { host, port } = hotline.switch[side];
    const socket = createSocket('udp4');
    for (const message of messages)
      await new Promise<void>((resolve, reject) => {
        socket.send(message, port, host, (error) => (error ? reject(error) : resolve()));
      });
    socket.close();
    const tcp = connect(port, host);
    await once(tcp, 'connect');
    tcp.on('error', () => tcp.destroy());
    for (const message of messages) tcp.write(message);
    tcp.end();
    tcp.resume();
    // A switch that closes at once is as good as one that reads to the end.
    tcp.destroySoon();
    if (!tcp.closed) await once(tcp, 'close');
  }

  it.each(broken)('%s on both sides, by UDP and TCP', async (_name, message) => {
    await sendAll([message], 'trunk');
    await sendAll([message], 'agents');
  });

  it('an INVITE in two halves whose second never comes (TCP)', async () => {
    const { host, port } = hotline.switch.trunk;
    const tcp = connect(port, host);
    await once(tcp, 'connect');
    tcp.write(invite([...withSdp, `Content-Length: ${sdp.length}`], sdp.slice(0, 20)).replace('/UDP', '/TCP'));
    await stillServes(hotline, agent);
    tcp.destroy();
    await once(tcp, 'close');
  });

  it('an INVITE from an address that is no carrier’s: 403', async () => {
    const stranger = await hotline.citizen('13800060001', { localAddress: '127.0.0.9' });
    const call = await stranger.call('12345');
    expect(await call.ended()).toMatchObject({ by: 'them', sipStatus: 403 });
    expect(hotline.app.control.runtime.all()).toEqual([]);
  });

  it('calls to numbers that are none of the hotline’s: 404', async () => {
    const citizen = await hotline.citizen('13800060002');
    for (const number of ['99999', '110', '12345678901', 'admin', '12345%3B']) {
      const call = await citizen.call(number);
      expect(await call.ended(), number).toMatchObject({ by: 'them', sipStatus: 404 });
    }
    expect(hotline.app.control.runtime.all()).toEqual([]);
  });

  it('an agent’s phone that wants to dial out: 403', async () => {
    const call = await agent.phone.call('13900000000');
    expect(await call.ended()).toMatchObject({ by: 'them', sipStatus: 403 });
  });

  it('an offer without a codec that we have: 488 or an end before any conversation', async () => {
    const video = sdp.replace('m=audio 40000 RTP/AVP 8', 'm=audio 40000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2');
    const citizen = await hotline.citizen('13800060003');
    const request = citizen.newRequest('INVITE', [['Content-Type', 'application/sdp']], video);
    const response = await citizen.send({ ...request, uri: 'sip:12345@127.0.0.1' }, 10_000);
    expect(response.status).toBe(488);
    await nothingLeft(hotline);
  });

  it('re-INVITE, INFO and BYE that belong to no call', async () => {
    const citizen = await hotline.citizen('13800060004');
    for (const method of ['BYE', 'INFO', 'OPTIONS', 'UPDATE']) {
      const response = await citizen.send(citizen.newRequest(method));
      expect(response.status, method).toBeGreaterThanOrEqual(200);
    }
  });

  it('keys before the answer, in a talk and after a hang-up', async () => {
    const citizen = await hotline.citizen('13800060005', { toneHz: tones.citizen });
    const call = await citizen.call('12345');
    await call.answered();
    for (const digit of '0123456789*#') await call.sendDigit(digit);
    const ringing = await agent.phone.nextInvite();
    ringing.answer();
    await call.hears(tones.agent);
    for (const digit of '19') await call.sendDigit(digit, 'info');
    await call.hears(tones.agent);
    await call.hangup();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await agent.desk.do({ do: 'endWrapUp' });
  });
});
