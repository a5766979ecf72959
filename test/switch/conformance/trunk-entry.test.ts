import { describe, expect, it } from 'vitest';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench({
  hotlineNumbers: ['12345', '037812345', '+8637812345'],
  carriers: ['127.0.0.1', '127.1.0.0/16'],
});

describe('who may call in', () => {
  it('a carrier by its block of addresses', async () => {
    const citizen = await bench.rings({ localAddress: '127.1.2.3' });
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    expect(parked.headers.variable_sip_network_ip).toBe('127.1.2.3');
    await citizen.call.cancel();
  });

  it.each(['udp', 'tcp'] as const)('nobody else: 403 over %s, and no leg', async (transport) => {
    const stranger = await bench.phone('trunk', { user: '13800000009', localAddress: '127.9.9.9', transport });
    const call = await stranger.call('12345');
    expect(await call.ended()).toMatchObject({ by: 'them', sipStatus: 403 });
    expect(bench.esl.eventsSoFar('CHANNEL_PARK', { variable_sip_call_id: call.callId })).toEqual([]);
  });
});

describe('what can be dialled', () => {
  it.each(['12345', '037812345', '+8637812345'])('the hotline number %s', async (number) => {
    const citizen = await bench.rings({ number });
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    expect(parked.headers.variable_yht_dialled).toBe(number);
    await citizen.call.cancel();
  });

  it.each(['99999', '123456', '1234', 'conf-room1', 'parked', 'fallback-citizen'])('not %s: 404', async (number) => {
    const phone = await bench.phone('trunk', { user: '13800000001' });
    const call = await phone.call(number);
    expect(await call.ended()).toMatchObject({ by: 'them', sipStatus: 404 });
  });

  it('not with codecs that nobody speaks: 488', async () => {
    const phone = await bench.phone('trunk', { user: '13800000001' });
    const request = phone.newRequest('INVITE', [['Content-Type', 'application/sdp']], foreignSdp(phone.local.port));
    const target = { ...request, uri: `sip:12345@${bench.sut.trunk.host}:${bench.sut.trunk.port}` };
    const answer = await phone.send(target, 10_000).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; channels: ${await bench.esl.api('show channels as json')}`);
    });
    expect(answer.status).toBe(488);
  });
});

describe('the caller’s name and number', () => {
  // FreeSWITCH takes the quotes away but no backslash, and reads %XX as URL encoding; a dollar before a brace it makes harmless.
  it.each([
    ['张三', '张三'],
    ['李四，王五', '李四，王五'],
    ['Tom, Dick', 'Tom, Dick'],
    ["O'Brien", "O'Brien"],
    ['50% off', '50% off'],
    ['%E5%BC%A0', '张'],
    ['a "quoted" name', 'a \\"quoted\\" name'],
    ['back\\slash', 'back\\\\slash'],
    ['<sip:evil@example.invalid>', '<sip:evil@example.invalid>'],
    ['semi;colon=1 & more', 'semi;colon=1 & more'],
    ['$' + '{hostname}', '%{hostname}'],
  ])('%s arrives as %s', async (fromName, arrives) => {
    const citizen = await bench.rings({ fromName });
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    expect(parked.headers['Caller-Caller-ID-Name']).toBe(arrives);
    expect(parked.headers['Caller-Caller-ID-Number']).toBe('13800000001');
    await citizen.call.cancel();
  });

  it('a caller without a name has the number as name', async () => {
    const citizen = await bench.rings();
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    expect(parked.headers['Caller-Caller-ID-Name']).toBe('13800000001');
    await citizen.call.cancel();
  });

  it('a carrier’s own header is told as variable', async () => {
    const citizen = await bench.rings({ headers: [['X-Carrier-Call', 'c-42']] });
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    expect(parked.headers['variable_sip_h_X-Carrier-Call']).toBe('c-42');
    await citizen.call.cancel();
  });
});

function foreignSdp(port: number): string {
  return [
    'v=0',
    'o=phone 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 97`,
    'a=rtpmap:97 AMR/8000',
    '',
  ].join('\r\n');
}
