import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBaresip } from '../../support/baresip.ts';
import { Bench, originateCommand } from '../../support/bench.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { freePort } from '../../support/free-ports.ts';
import { header } from '../../support/phone/sip-message.ts';

const certificate = makeCertificate();
const overTls = { transport: 'tls', certificate } as const;

let bench: Bench;
let gatewayPort: number;
beforeAll(async () => {
  gatewayPort = await freePort();
  bench = await Bench.open({
    tls: certificate,
    gateways: [{ name: 'secure', host: '127.0.0.1', port: gatewayPort, transport: 'tls' }],
  });
});
afterEach(async () => {
  await bench.settle();
});
afterAll(async () => {
  await bench.close();
});

const seat = (user: string) => bench.agent(user, { ...overTls, server: bench.sut.agentsTls });

/** Issue 3, section 1 (registration: TCP, UDP, TLS). */
describe('a softphone over TLS', () => {
  it('registers, is told to control, and withdraws', async () => {
    const phone = await seat('1001');
    const about = { 'Event-Subclass': 'sofia::register', 'from-user': '1001' };
    const { headers } = await bench.esl.event('CUSTOM', about);
    expect(headers).toMatchObject({ 'profile-name': 'agents', 'network-ip': '127.0.0.1' });
    expect(headers.contact).toContain('transport=tls');
    await phone.unregister();
    await bench.esl.event('CUSTOM', { ...about, 'Event-Subclass': 'sofia::unregister' });
  });

  it('is rung on its own connection, talks, holds, resumes and is hung up', async () => {
    const agent = await bench.ringsAgent(await seat('1001'), '1001');
    expect(header(agent.call.invite, 'Via')).toMatch(/^SIP\/2\.0\/TLS 127\.0\.0\.1:/);
    const { host, port } = bench.sut.agentsTls;
    expect(header(agent.call.invite, 'Contact')).toMatch(new RegExp(`@${host}:${port};transport=tls>`));
    agent.call.says(700);
    agent.call.answer();
    await bench.parked(agent.leg);
    const citizen = await bench.answeredCitizen({ toneHz: 400 });
    await bench.bridge(citizen.leg, agent.leg);
    await Promise.all([citizen.call.hearsOnly([700]), agent.call.hearsOnly([400])]);
    await agent.call.hold();
    await bench.esl.event('CHANNEL_HOLD', { 'Unique-ID': agent.leg });
    await agent.call.resume();
    await citizen.call.hearsOnly([700]);
    await bench.ok(`uuid_kill ${agent.leg}`);
    expect(await agent.call.ended()).toMatchObject({ by: 'them', method: 'BYE' });
  });

  it('with a wrong password is refused', async () => {
    const options = { user: '1002', password: 'not this', domain: bench.sut.domain };
    const phone = await bench.phone('agents', { ...options, ...overTls, server: bench.sut.agentsTls });
    expect((await phone.tryRegister()).status).toBe(403);
  });
});

describe('baresip over TLS', () => {
  it('registers, rings, answers, talks and is hung up', async () => {
    const softphone = await startBaresip({
      ...{ server: bench.sut.agentsTls, domain: bench.sut.domain, user: '1003', password: bench.passwordOf('1003') },
      ...{ transport: 'tls', certificate, toneHz: 650 },
    });
    try {
      await softphone.says(/200 OK .*binding/);
      const citizen = await bench.answeredCitizen({ toneHz: 400 });
      const leg = randomUUID();
      const originated = bench.esl.bgapi(originateCommand(leg, `sofia/agents/1003%${bench.sut.domain}`));
      await bench.parked(leg, 1, { withinMs: 10_000 });
      expect(await originated).toBe(`+OK ${leg}`);
      await bench.bridge(citizen.leg, leg);
      await citizen.call.hears(650);
      await bench.ok(`uuid_kill ${leg}`);
      await softphone.says('session closed');
    } finally {
      await softphone.stop();
    }
  });
});

describe('a carrier over TLS', () => {
  it('calls in, is answered, heard, and hears the end', async () => {
    const citizen = await bench.answeredCitizen({ ...overTls, server: bench.sut.trunkTls, toneHz: 400 });
    const { port } = bench.sut.trunkTls;
    expect(header(citizen.call.responses.at(-1) ?? citizen.call.invite, 'Contact')).toContain(`:${port};transport=tls`);
    const agent = await bench.answeredAgent('1001', { toneHz: 700 });
    await bench.bridge(citizen.leg, agent.leg);
    await Promise.all([citizen.call.hearsOnly([700]), agent.call.hearsOnly([400])]);
    await bench.ok(`uuid_kill ${citizen.leg}`);
    expect(await citizen.call.ended()).toMatchObject({ by: 'them', method: 'BYE' });
  });

  it('cancels before the answer', async () => {
    const { call, leg } = await bench.rings({ ...overTls, server: bench.sut.trunkTls });
    await call.ringing();
    await call.cancel();
    expect(await bench.ended(leg)).toMatchObject({ 'Hangup-Cause': 'ORIGINATOR_CANCEL' });
  });

  it('whom the list doesn’t know gets 403', async () => {
    const options = { user: '13800000009', localAddress: '127.0.0.9', server: bench.sut.trunkTls };
    const phone = await bench.phone('trunk', { ...options, ...overTls });
    expect(await (await phone.call('12345')).ended()).toMatchObject({ sipStatus: 403 });
  });
});

describe('a gateway over TLS', () => {
  const at = () => ({ user: '12366', server: bench.sut.trunkTls, localPort: gatewayPort });

  it('is called, answers, and hangs up', async () => {
    const phone = await bench.phone('trunk', { ...at(), ...overTls, toneHz: 900 });
    const callee = await bench.originate(phone, 'sofia/gateway/secure/12366', { yht_role: 'subcentre' });
    expect(header(callee.call.invite, 'Via')).toMatch(/^SIP\/2\.0\/TLS /);
    callee.call.answer();
    await bench.parked(callee.leg);
    const citizen = await bench.answeredCitizen({ toneHz: 400 });
    await bench.bridge(citizen.leg, callee.leg);
    await Promise.all([citizen.call.hearsOnly([900]), callee.call.hearsOnly([400])]);
    await callee.call.hangup();
    await bench.ended(callee.leg);
  });

  it('for whom nobody vouches is not called', async () => {
    const phone = await bench.phone('trunk', { ...at(), transport: 'tls', certificate: makeCertificate() });
    const rung = originateCommand(randomUUID(), 'sofia/gateway/secure/12366', { originate_timeout: '2' });
    // FreeSWITCH tries on until the time is up.
    expect(await bench.esl.bgapi(rung)).toMatch(/^-ERR (NORMAL_TEMPORARY_FAILURE|NO_ANSWER)$/);
    await expect(phone.nextInvite({ withinMs: 100 })).rejects.toThrow('in vain');
  });
});

describe('what is no TLS on the port of TLS', () => {
  function sends(bytes: string | Buffer): Socket {
    const socket: Socket = connect(bench.sut.agentsTls);
    socket.on('error', () => undefined);
    socket.write(bytes);
    return socket.resume();
  }

  const isServed = async () => expect((await (await seat('1004')).tryRegister()).status).toBe(200);

  it.each([
    ['a REGISTER in plain text', `REGISTER sip:yihaotong.local SIP/2.0\r\nContent-Length: 0\r\n\r\n`],
    ['noise', Buffer.from('80ff1603990100ffee00aa', 'hex')],
  ])('%s is shut out, and a phone that speaks it is served', async (_, bytes) => {
    await once(sends(bytes), 'close');
    await isServed();
  });

  it('a handshake that stops in its middle holds up nobody', async () => {
    const halves = Array.from({ length: 20 }, () => sends(Buffer.from('1603010001ff', 'hex')));
    await isServed();
    for (const half of halves) half.destroy();
  });

  it('an old version is refused', async () => {
    const old: ConnectionOptions = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' };
    const socket = connectTls({ ...bench.sut.agentsTls, ca: certificate.cert, ...old });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toMatch(/version|protocol|closed|reset|disconnected/i);
  });
});
