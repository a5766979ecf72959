import { describe, expect, it } from 'vitest';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

describe('a phone holds by itself', () => {
  it('and resumes: control is told both times', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await citizen.call.hearsOnly([650]);
    await agent.call.hold();
    await bench.esl.event('CHANNEL_HOLD', { 'Unique-ID': agent.leg });
    expect(agent.call.remoteDirection).toMatch(/^(recvonly|inactive)$/);
    await citizen.call.hearsNothing();
    await agent.call.resume();
    await bench.esl.event('CHANNEL_UNHOLD', { 'Unique-ID': agent.leg });
    await citizen.call.hearsOnly([650]);
    await agent.call.hearsOnly([400]);
  });

  it('and hangs up: the citizen is parked, not lost', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await agent.call.hold();
    await bench.esl.event('CHANNEL_HOLD', { 'Unique-ID': agent.leg });
    await agent.call.hangup();
    await bench.parked(citizen.leg, 2);
    expect(await bench.esl.api(`uuid_exists ${citizen.leg}`)).toBe('true');
  });

  it('and the citizen hangs up: the agent’s leg is parked', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await agent.call.hold();
    await bench.esl.event('CHANNEL_HOLD', { 'Unique-ID': agent.leg });
    await citizen.call.hangup();
    await bench.parked(agent.leg, 2);
  });
});

describe('a citizen presses keys', () => {
  it('as telephone events: each is told once, with its source', async () => {
    const citizen = await bench.answeredCitizen();
    for (const digit of ['1', '2', '0', '*', '#']) {
      await citizen.call.sendDigit(digit);
      const told = await bench.esl.event('DTMF', { 'Unique-ID': citizen.leg, 'DTMF-Digit': digit });
      expect(told.headers['DTMF-Source']).toBe('RTP');
      expect(Number(told.headers['DTMF-Duration'])).toBeGreaterThan(0);
    }
    expect(bench.esl.eventsSoFar('DTMF', { 'Unique-ID': citizen.leg })).toHaveLength(5);
  });

  it('quickly, the same key twice: two digits', async () => {
    const citizen = await bench.answeredCitizen();
    await citizen.call.sendDigit('5');
    await citizen.call.sendDigit('5');
    await bench.esl.event('DTMF', { 'Unique-ID': citizen.leg, 'DTMF-Digit': '5' }, { nth: 2 });
  });

  it('by INFO', async () => {
    const citizen = await bench.answeredCitizen();
    await citizen.call.sendDigit('8', 'info');
    const told = await bench.esl.event('DTMF', { 'Unique-ID': citizen.leg, 'DTMF-Digit': '8' });
    expect(told.headers['DTMF-Source']).toBe('ENDPOINT');
  });

  it('while a prompt plays: the digit is told at once and the prompt goes on', async () => {
    const citizen = await bench.answeredCitizen();
    await bench.esl.execute(citizen.leg, 'playback', 'tone_stream://%(10000,0,500)');
    await citizen.call.hearsOnly([500]);
    await citizen.call.sendDigit('*');
    await bench.esl.event('DTMF', { 'Unique-ID': citizen.leg, 'DTMF-Digit': '*' });
    await citizen.call.hearsOnly([500]);
  });

  it('in a bridge: the agent’s phone gets them as telephone events, and control is told', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await agent.call.hears(400);
    await citizen.call.sendDigit('7');
    await agent.call.receivesDigits('7');
    await citizen.call.sendDigit('9', 'info');
    await agent.call.receivesDigits('79');
    await bench.esl.event('DTMF', { 'Unique-ID': citizen.leg, 'DTMF-Digit': '7' });
    await bench.esl.event('DTMF', { 'Unique-ID': citizen.leg, 'DTMF-Digit': '9' });
  });
});
