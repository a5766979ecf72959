import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually, originateCommand } from '../../support/bench.ts';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

const toPhone = (user: string): string => `sofia/agents/${user}%${bench.sut.domain}`;

describe('a rung phone refuses', () => {
  it.each([
    [400, 'NORMAL_TEMPORARY_FAILURE', '41'],
    [403, 'CALL_REJECTED', '21'],
    [404, 'UNALLOCATED_NUMBER', '1'],
    [408, 'RECOVERY_ON_TIMER_EXPIRE', '102'],
    [480, 'NO_USER_RESPONSE', '18'],
    [484, 'INVALID_NUMBER_FORMAT', '28'],
    [486, 'USER_BUSY', '17'],
    [487, 'ORIGINATOR_CANCEL', '16'],
    [488, 'INCOMPATIBLE_DESTINATION', '88'],
    [500, 'NORMAL_TEMPORARY_FAILURE', '41'],
    [502, 'NETWORK_OUT_OF_ORDER', '38'],
    [503, 'NORMAL_TEMPORARY_FAILURE', '41'],
    [504, 'RECOVERY_ON_TIMER_EXPIRE', '102'],
    [600, 'USER_BUSY', '17'],
    [603, 'CALL_REJECTED', '21'],
  ])('with %d: %s', async (status, cause, q850) => {
    const phone = await bench.agent('1001');
    const callee = await bench.ringsAgent(phone, '1001');
    callee.call.ring();
    await bench.esl.event('CHANNEL_PROGRESS', { 'Unique-ID': callee.leg });
    callee.call.reject(status);
    expect(await callee.originated).toBe(`-ERR ${cause}`);
    expect(await bench.ended(callee.leg)).toMatchObject({
      'Hangup-Cause': cause,
      variable_hangup_cause_q850: q850,
      variable_sip_invite_failure_status: String(status),
      variable_sip_hangup_disposition: 'recv_refuse',
      variable_yht_role: 'agent',
    });
  });
});

it('a phone that forwards by itself (302) has refused; nobody else is rung', async () => {
  const phone = await bench.agent('1001');
  const callee = await bench.ringsAgent(phone, '1001');
  callee.call.reject(302);
  expect(await callee.originated).toBe('-ERR REQUESTED_CHAN_UNAVAIL');
  expect((await bench.ended(callee.leg))['Hangup-Cause']).toBe('REQUESTED_CHAN_UNAVAIL');
});

describe('a phone can’t be rung', () => {
  it('because nobody registered it: the job alone tells, there is no leg', async () => {
    const leg = randomUUID();
    expect(await bench.esl.bgapi(originateCommand(leg, toPhone('1003')))).toBe('-ERR USER_NOT_REGISTERED');
    expect(bench.esl.eventsSoFar('CHANNEL_HANGUP_COMPLETE', { 'Unique-ID': leg })).toEqual([]);
  });

  it('because the gateway is not configured: the job alone tells', async () => {
    const answer = await bench.esl.bgapi(originateCommand(randomUUID(), 'sofia/gateway/nowhere/12366'));
    expect(answer).toBe('-ERR INVALID_GATEWAY');
  });

  it('because nobody answers the ringing in time', async () => {
    const phone = await bench.agent('1001');
    const callee = await bench.ringsAgent(phone, '1001', { originate_timeout: '1' });
    callee.call.ring();
    expect(await callee.originated).toBe('-ERR NO_ANSWER');
    expect(await callee.call.ended()).toMatchObject({ by: 'them', method: 'CANCEL' });
    expect(await bench.ended(callee.leg)).toMatchObject({
      'Hangup-Cause': 'NO_ANSWER',
      variable_hangup_cause_q850: '19',
      variable_sip_hangup_disposition: 'send_cancel',
    });
  });

  it('because it never says a word', async () => {
    const phone = await bench.agent('1001');
    const callee = await bench.ringsAgent(phone, '1001', { originate_timeout: '1' });
    expect(await callee.originated).toBe('-ERR NO_ANSWER');
  });

  it('because it has lost its power', async () => {
    const phone = await bench.agent('1002');
    await phone.vanish();
    const leg = randomUUID();
    const answer = await bench.esl.bgapi(originateCommand(leg, toPhone('1002'), { originate_timeout: '2' }));
    // A closed port tells at once (503 inside the switch); a dead machine only by the time-out.
    expect(answer).toMatch(/^-ERR (NORMAL_TEMPORARY_FAILURE|NO_ANSWER)$/);
    expect((await bench.ended(leg))['Hangup-Cause']).toBe(answer.slice('-ERR '.length));
  });
});

describe('control ends a leg', () => {
  it.each(['NORMAL_CLEARING', 'ORIGINATOR_CANCEL'])('that rings, with %s', async (cause) => {
    const phone = await bench.agent('1001');
    const callee = await bench.ringsAgent(phone, '1001');
    callee.call.ring();
    await bench.esl.event('CHANNEL_PROGRESS', { 'Unique-ID': callee.leg });
    await bench.ok(`uuid_kill ${callee.leg} ${cause}`);
    expect(await callee.call.ended()).toMatchObject({ by: 'them', method: 'CANCEL' });
    expect(await callee.originated).toBe(`-ERR ${cause}`);
    expect(await bench.ended(callee.leg)).toMatchObject({
      'Hangup-Cause': cause,
      variable_sip_hangup_disposition: 'send_cancel',
    });
  });

  it.each([
    ['USER_BUSY', 486],
    ['NO_ANSWER', 480],
    ['CALL_REJECTED', 603],
    ['UNALLOCATED_NUMBER', 404],
    ['NORMAL_TEMPORARY_FAILURE', 503],
    ['NORMAL_CLEARING', 480],
  ])('of a citizen who still hears ringing, with %s: %d', async (cause, status) => {
    const citizen = await bench.rings();
    await bench.ok(`uuid_kill ${citizen.leg} ${cause}`);
    expect(await citizen.call.ended()).toMatchObject({ by: 'them', method: 'response', sipStatus: status });
    expect(await bench.ended(citizen.leg)).toMatchObject({
      'Hangup-Cause': cause,
      variable_sip_hangup_disposition: 'send_refuse',
    });
  });

  it('of an answered citizen: BYE', async () => {
    const citizen = await bench.answeredCitizen();
    await bench.ok(`uuid_kill ${citizen.leg} NORMAL_CLEARING`);
    expect(await citizen.call.ended()).toMatchObject({ by: 'them', method: 'BYE' });
    expect(await bench.ended(citizen.leg)).toMatchObject({
      'Hangup-Cause': 'NORMAL_CLEARING',
      variable_hangup_cause_q850: '16',
      variable_sip_hangup_disposition: 'send_bye',
    });
  });

  it('a second time: it is gone', async () => {
    const citizen = await bench.answeredCitizen();
    await bench.ok(`uuid_kill ${citizen.leg}`);
    await bench.ended(citizen.leg);
    expect(await bench.esl.api(`uuid_kill ${citizen.leg}`)).toBe('-ERR No such channel!');
  });
});

describe('the citizen ends the call', () => {
  it('while it rings: CANCEL', async () => {
    const citizen = await bench.rings();
    await citizen.call.cancel();
    expect(await citizen.call.ended()).toMatchObject({ by: 'us', sipStatus: 487 });
    expect(await bench.ended(citizen.leg)).toMatchObject({
      'Hangup-Cause': 'ORIGINATOR_CANCEL',
      variable_sip_term_status: '487',
      variable_sip_hangup_disposition: 'recv_cancel',
    });
  });

  it('with CANCEL at the very moment of the answer: one end, no leg left', async () => {
    const citizen = await bench.rings();
    const [, answer] = await Promise.all([citizen.call.cancel(), bench.esl.api(`uuid_answer ${citizen.leg}`)]);
    expect(answer).toMatch(/^(\+OK|-ERR)/);
    await citizen.call.ended();
    await bench.ended(citizen.leg);
    expect(bench.esl.eventsSoFar('CHANNEL_HANGUP_COMPLETE', { 'Unique-ID': citizen.leg })).toHaveLength(1);
  });

  it('while parked after the answer', async () => {
    const citizen = await bench.answeredCitizen();
    await citizen.call.hangup();
    expect(await bench.ended(citizen.leg)).toMatchObject({
      'Hangup-Cause': 'NORMAL_CLEARING',
      variable_sip_hangup_disposition: 'recv_bye',
    });
  });

  it('while music plays for ever', async () => {
    const citizen = await bench.answeredCitizen();
    await bench.esl.execute(citizen.leg, 'playback', 'tone_stream://%(1000,0,500)', { loops: -1 });
    await citizen.call.hears(500);
    await citizen.call.hangup();
    expect((await bench.ended(citizen.leg))['Hangup-Cause']).toBe('NORMAL_CLEARING');
  });

  it('while the agent’s phone rings: the phone goes on ringing until control stops it', async () => {
    const citizen = await bench.answeredCitizen();
    const phone = await bench.agent('1001');
    const callee = await bench.ringsAgent(phone, '1001');
    callee.call.ring();
    await citizen.call.hangup();
    await bench.ended(citizen.leg);
    expect(callee.call.isEnded).toBe(false);
    await bench.ok(`uuid_kill ${callee.leg} ORIGINATOR_CANCEL`);
    await callee.call.ended();
  });

  it('just before the bridge is asked for: the bridge is refused, the agent stays parked', async () => {
    const citizen = await bench.answeredCitizen();
    const agent = await bench.answeredAgent('1001');
    await citizen.call.hangup();
    await bench.ended(citizen.leg);
    expect(await bench.esl.api(`uuid_bridge ${citizen.leg} ${agent.leg}`)).toMatch(/^-ERR/);
    expect(await bench.esl.api(`uuid_exists ${agent.leg}`)).toBe('true');
  });

  it('at the very moment of the bridge: control can park the agent’s leg', async () => {
    const citizen = await bench.answeredCitizen();
    const agent = await bench.answeredAgent('1001');
    await Promise.all([bench.esl.api(`uuid_bridge ${citizen.leg} ${agent.leg}`), citizen.call.hangup()]);
    await bench.ended(citizen.leg);
    await bench.ok(`uuid_transfer ${agent.leg} parked XML yihaotong`);
    await bench.parked(agent.leg, 2);
  });

  it('and the agent at the same moment: two ends', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await Promise.all([citizen.call.hangup(), agent.call.hangup()]);
    await bench.ended(citizen.leg);
    await bench.ended(agent.leg);
  });
});

it('the agent hangs up at the very moment of the bridge: the citizen is parked, not lost', async () => {
  const citizen = await bench.answeredCitizen();
  const agent = await bench.answeredAgent('1001');
  const [reply] = await Promise.all([bench.esl.api(`uuid_bridge ${citizen.leg} ${agent.leg}`), agent.call.hangup()]);
  await bench.ended(agent.leg);
  await eventually(async () => (await bench.esl.api(`uuid_exists ${citizen.leg}`)) === 'true');
  // Where the BYE was faster than the command, the bridge is refused and the citizen has never left the park.
  if (reply.startsWith('+OK')) await bench.parked(citizen.leg, 2);
  else expect(reply).toContain('-ERR Invalid uuid');
});

it('a parked leg that control never takes ends by itself after park_timeout', async () => {
  const phone = await bench.agent('1001');
  const callee = await bench.ringsAgent(phone, '1001', { park_timeout: '1:NORMAL_CLEARING' });
  callee.call.answer();
  await bench.parked(callee.leg);
  expect((await bench.ended(callee.leg))['Hangup-Cause']).toBe('NORMAL_CLEARING');
  expect(await callee.call.ended()).toMatchObject({ by: 'them', method: 'BYE' });
});

it('park_timeout counts for the first park alone: an agent may hold for as long as he likes', async () => {
  const citizen = await bench.answeredCitizen();
  const phone = await bench.agent('1001');
  const agent = await bench.ringsAgent(phone, '1001', { park_timeout: '1:NORMAL_CLEARING' });
  agent.call.answer();
  await bench.parked(agent.leg);
  await bench.bridge(citizen.leg, agent.leg);
  await bench.ok(`uuid_transfer ${citizen.leg} -both parked XML yihaotong`);
  await bench.parked(agent.leg, 2);
  await bench.ok(`sched_del ${agent.leg}`);
  await pause(2_500);
  expect(await bench.esl.api(`uuid_exists ${agent.leg}`)).toBe('true');
});
