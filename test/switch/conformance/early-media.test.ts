import { describe, expect, it } from 'vitest';
import type { Callee } from '../../support/bench.ts';
import { startBench } from '../../support/start-bench.ts';

const tones = { citizen: 400, agent: 650, subcentre: 800 } as const;

const bench = startBench();

/** The exchange behind the gateway is rung; what it lets hear before the answer counts, unless `vars` say otherwise. */
async function ringOutside(vars: Readonly<Record<string, string>> = {}): Promise<Callee> {
  const exchange = await bench.phone('trunk', {
    user: '12366',
    localPort: bench.gatewayPort,
    toneHz: tones.subcentre,
  });
  const heard = { ignore_early_media: 'false', yht_role: 'subcentre', ...vars };
  return await bench.originate(exchange, 'sofia/gateway/subcentre/12366', heard);
}

/** An agent who hears the line ring in its own way. */
async function agentHearsIt(callee: Callee): Promise<Callee> {
  const agent = await bench.answeredAgent('1001', { toneHz: tones.agent });
  callee.call.progress();
  await bench.parked(callee.leg);
  await bench.bridge(agent.leg, callee.leg);
  await agent.call.hearsOnly([tones.subcentre]);
  return agent;
}

describe('a line that is rung', () => {
  it('says 180: it rings, and is parked when it answers', async () => {
    const callee = await ringOutside();
    callee.call.ring();
    await bench.esl.event('CHANNEL_PROGRESS', { 'Unique-ID': callee.leg });
    expect(bench.esl.eventsSoFar('CHANNEL_PARK', { 'Unique-ID': callee.leg })).toEqual([]);
    callee.call.answer();
    await bench.parked(callee.leg);
    expect(await callee.originated).toBe(`+OK ${callee.leg}`);
  });

  it('says 183 with sound: it is parked, unanswered, and the job is done', async () => {
    const callee = await ringOutside({ originate_timeout: '1' });
    callee.call.ring();
    callee.call.progress();
    await bench.esl.event('CHANNEL_PROGRESS_MEDIA', { 'Unique-ID': callee.leg });
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': callee.leg });
    expect(parked.headers['Answer-State']).toBe('early');
    expect(await callee.originated).toBe(`+OK ${callee.leg}`);
    expect(JSON.parse(await bench.esl.api(`uuid_dump ${callee.leg} json`))).toMatchObject({ 'Answer-State': 'early' });
    callee.call.answer();
    await bench.esl.event('CHANNEL_ANSWER', { 'Unique-ID': callee.leg });
    // It is where it was: the answer parks nobody a second time.
    expect(bench.esl.eventsSoFar('CHANNEL_PARK', { 'Unique-ID': callee.leg })).toHaveLength(1);
  });

  it('says 183 with sound that is not wanted: it is parked when it answers', async () => {
    const callee = await ringOutside({ ignore_early_media: 'true' });
    callee.call.progress();
    await bench.esl.event('CHANNEL_PROGRESS_MEDIA', { 'Unique-ID': callee.leg });
    expect(bench.esl.eventsSoFar('CHANNEL_PARK', { 'Unique-ID': callee.leg })).toEqual([]);
    callee.call.answer();
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': callee.leg });
    expect(parked.headers['Answer-State']).toBe('answered');
  });
});

describe('an agent in a bridge with a line that is heard before it answers', () => {
  it('hears it, and talks with whoever answers', async () => {
    const callee = await ringOutside();
    const agent = await agentHearsIt(callee);
    callee.call.answer();
    await bench.esl.event('CHANNEL_ANSWER', { 'Unique-ID': callee.leg });
    await agent.call.hearsOnly([tones.subcentre]);
    await callee.call.hearsOnly([tones.agent]);
    await callee.call.hangup();
    await bench.parked(agent.leg, 2);
  });

  it('leaves: the line goes on ringing, and the citizen gets whoever answers', async () => {
    const callee = await ringOutside();
    const agent = await agentHearsIt(callee);
    await agent.call.hangup();
    await bench.parked(callee.leg, 2);
    const citizen = await bench.answeredCitizen({ toneHz: tones.citizen });
    callee.call.answer();
    await bench.esl.event('CHANNEL_ANSWER', { 'Unique-ID': callee.leg });
    await bench.bridge(citizen.leg, callee.leg);
    await citizen.call.hearsOnly([tones.subcentre]);
    await callee.call.hearsOnly([tones.citizen]);
  });

  it('is still there, parked, when the line is busy after all', async () => {
    const callee = await ringOutside();
    const agent = await agentHearsIt(callee);
    callee.call.reject(486);
    expect((await bench.ended(callee.leg))['Hangup-Cause']).toBe('USER_BUSY');
    await bench.parked(agent.leg, 2);
    await agent.call.hearsNothing();
  });

  it('is parked when control gives the line up, which gets CANCEL', async () => {
    const callee = await ringOutside();
    const agent = await agentHearsIt(callee);
    await bench.ok(`uuid_kill ${callee.leg} ORIGINATOR_CANCEL`);
    expect(await callee.call.ended()).toMatchObject({ by: 'them', method: 'CANCEL' });
    await bench.parked(agent.leg, 2);
  });

  it('hands it to the citizen in the moment of its answer', async () => {
    const callee = await ringOutside();
    const agent = await agentHearsIt(callee);
    const citizen = await bench.answeredCitizen({ toneHz: tones.citizen });
    callee.call.answer();
    await bench.esl.event('CHANNEL_ANSWER', { 'Unique-ID': callee.leg });
    await bench.bridge(citizen.leg, callee.leg);
    await bench.parked(agent.leg, 2);
    await citizen.call.hearsOnly([tones.subcentre]);
    await callee.call.hearsOnly([tones.citizen]);
    await agent.call.hearsNothing();
  });
});
