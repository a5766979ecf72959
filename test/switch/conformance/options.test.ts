import { describe, expect, it } from 'vitest';
import { header } from '../../support/phone/sip-message.ts';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

describe('OPTIONS is answered', () => {
  it.each([
    ['trunk', 'udp'],
    ['trunk', 'tcp'],
    ['agents', 'udp'],
    ['agents', 'tcp'],
  ] as const)('on the %s side over %s, without any call, with what is allowed', async (side, transport) => {
    const phone = await bench.phone(side, { user: '13800000001', transport });
    const answer = await phone.send(phone.newRequest('OPTIONS'));
    expect(answer.status).toBe(200);
    expect(header(answer, 'Allow')).toMatch(/INVITE.*BYE/);
    expect(header(answer, 'Accept')).toContain('application/sdp');
  });

  it('for a number that nobody has as well: it asks for the switch, not for the number', async () => {
    const phone = await bench.phone('trunk', { user: '13800000001' });
    const { host, port } = bench.sut.trunk;
    const request = { ...phone.newRequest('OPTIONS'), uri: `sip:99999@${host}:${port}` };
    expect((await phone.send(request)).status).toBe(200);
  });

  it('in a call, which goes on', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    expect((await citizen.call.request('OPTIONS')).status).toBe(200);
    expect((await agent.call.request('OPTIONS')).status).toBe(200);
    await citizen.call.hearsOnly([650]);
    await agent.call.hearsOnly([400]);
  });

  it('with 481 in a call that is over', async () => {
    const citizen = await bench.answeredCitizen();
    await citizen.call.hangup();
    await bench.ended(citizen.leg);
    expect((await citizen.call.request('OPTIONS')).status).toBe(481);
  });
});
