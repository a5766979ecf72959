import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

describe('a citizen rings', () => {
  it('hears ringing, is parked with the words that control reads, and is answered on command', async () => {
    const citizen = await bench.rings();
    const ringing = await citizen.call.ringing();
    expect(ringing.status).toBe(180);
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    expect(parked.headers).toMatchObject({
      'Call-Direction': 'inbound',
      'Answer-State': 'ringing',
      'Caller-Caller-ID-Number': '13800000001',
      'Caller-Destination-Number': '12345',
      'Caller-Context': 'trunk',
      variable_yht_role: 'citizen',
      variable_yht_dialled: '12345',
      variable_sip_network_ip: '127.0.0.1',
      variable_sip_from_user: '13800000001',
    });
    expect(parked.headers['Event-Date-Timestamp']).toMatch(/^\d{16}$/);
    expect(await bench.esl.api(`sched_del ${citizen.leg}`)).toBe('+OK Deleted: 1');
    expect(await bench.esl.api(`uuid_answer ${citizen.leg}`)).toBe('+OK');
    await citizen.call.answered();
    const answer = await bench.esl.event('CHANNEL_ANSWER', { 'Unique-ID': citizen.leg });
    expect(answer.headers['Answer-State']).toBe('answered');
  });

  it.each([
    ['udp', 'PCMA'],
    ['udp', 'PCMU'],
    ['tcp', 'PCMA'],
    ['tcp', 'PCMU'],
  ] as const)('talks both ways over %s with %s', async (transport, codec) => {
    const citizen = await bench.answeredCitizen({ transport, codecs: [codec], toneHz: 400 });
    const agent = await bench.answeredAgent('1001', { transport, toneHz: 650 });
    await bench.bridge(citizen.leg, agent.leg);
    await agent.call.hearsOnly([400]);
    await citizen.call.hearsOnly([650]);
    expect(citizen.call.parts.media.codec).toBe(codec);
    await citizen.call.hangup();
  });
});

describe('the agent’s phone', () => {
  it('rings with the given caller, answers, is parked and bridged', async () => {
    const citizen = await bench.answeredCitizen({ toneHz: 400 });
    const phone = await bench.agent('1001', { toneHz: 650 });
    const callId = randomUUID();
    const agent = await bench.ringsAgent(phone, '1001', {
      origination_caller_id_name: "'张三'",
      yht_call: callId,
      'sip_h_X-Yht-Call': callId,
    });
    expect(agent.call.callerNumber).toBe('13800000001');
    expect(agent.call.callerName).toBe('张三');
    expect(agent.call.header('X-Yht-Call')).toBe(callId);
    agent.call.ring();
    await bench.esl.event('CHANNEL_PROGRESS', { 'Unique-ID': agent.leg });
    agent.call.answer();
    const answer = await bench.esl.event('CHANNEL_ANSWER', { 'Unique-ID': agent.leg });
    expect(answer.headers).toMatchObject({ 'Call-Direction': 'outbound', variable_yht_call: callId });
    await bench.parked(agent.leg);
    expect(await agent.originated).toBe(`+OK ${agent.leg}`);
    expect(await bench.esl.api(`uuid_bridge ${citizen.leg} ${agent.leg}`)).toBe(`+OK ${agent.leg}`);
    const bridge = await bench.esl.event('CHANNEL_BRIDGE', { 'Bridge-A-Unique-ID': citizen.leg });
    expect(bridge.headers['Bridge-B-Unique-ID']).toBe(agent.leg);
    await agent.call.hearsOnly([400]);
    await citizen.call.hearsOnly([650]);
  });

  it('rings through a gateway as well', async () => {
    const subcentre = await bench.phone('trunk', { user: '12366', localPort: bench.gatewayPort, toneHz: 850 });
    const citizen = await bench.answeredCitizen({ toneHz: 400 });
    const callee = await bench.originate(subcentre, 'sofia/gateway/subcentre/12366', { yht_role: 'subcentre' });
    expect(callee.call.invite.uri).toContain('12366@127.0.0.1');
    expect(callee.call.callerNumber).toBe('13800000001');
    callee.call.ring();
    callee.call.answer();
    await bench.parked(callee.leg);
    await bench.bridge(citizen.leg, callee.leg);
    await callee.call.hearsOnly([400]);
    await citizen.call.hearsOnly([850]);
  });
});

describe('after a bridge', () => {
  it('parks the citizen when the agent hangs up', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await agent.call.hears(400);
    await agent.call.hangup();
    await bench.parked(citizen.leg, 2);
    expect((await bench.ended(agent.leg))['Hangup-Cause']).toBe('NORMAL_CLEARING');
    await citizen.call.hearsNothing();
  });

  it('parks the agent when the citizen hangs up', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await citizen.call.hears(650);
    await citizen.call.hangup();
    await bench.parked(agent.leg, 2);
    expect((await bench.ended(citizen.leg))['Hangup-Cause']).toBe('NORMAL_CLEARING');
  });

  it('parks the citizen every time, not only after the first bridge', async () => {
    const [citizen, first] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await first.call.hangup();
    await bench.parked(citizen.leg, 2);
    const second = await bench.answeredAgent('1002', { toneHz: 750 });
    await bench.bridge(citizen.leg, second.leg);
    await citizen.call.hearsOnly([750]);
    await second.call.hangup();
    await bench.parked(citizen.leg, 3);
    expect(await bench.esl.api(`uuid_exists ${citizen.leg}`)).toBe('true');
  });

  it('parks both on a transfer of both, and they can be bridged again', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await agent.call.hears(400);
    await bench.ok(`uuid_transfer ${citizen.leg} -both parked XML yihaotong`);
    await bench.parked(citizen.leg, 2);
    await bench.parked(agent.leg, 2);
    await agent.call.hearsNothing();
    await bench.bridge(citizen.leg, agent.leg);
    await agent.call.hearsOnly([400]);
    await citizen.call.hearsOnly([650]);
  });

  it('moves one of a bridge to another partner', async () => {
    const [citizen, first] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    const second = await bench.answeredAgent('1002', { toneHz: 750 });
    await bench.bridge(citizen.leg, second.leg);
    await citizen.call.hearsOnly([750]);
    await second.call.hearsOnly([400]);
    await bench.parked(first.leg, 2);
    await first.call.hearsNothing();
  });
});
