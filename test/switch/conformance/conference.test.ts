import { describe, expect, it } from 'vitest';
import type { Callee, Citizen } from '../../support/bench.ts';
import type { EslMessage } from '../../support/esl-test-client.ts';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

/** Citizen 400 Hz, agent 650 Hz, sub-centre 900 Hz, all three in one room. */
async function threeWay(room: string): Promise<{ citizen: Citizen; agent: Callee; third: Callee }> {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  const third = await bench.answeredAgent('1002', { toneHz: 900 });
  await bench.ok(`uuid_transfer ${citizen.leg} -both conf-${room} XML yihaotong`);
  await bench.ok(`uuid_transfer ${third.leg} conf-${room} XML yihaotong`);
  return { citizen, agent, third };
}

const member = (action: string, room: string, leg: string): Promise<EslMessage> =>
  bench.esl.event('CUSTOM', {
    'Event-Subclass': 'conference::maintenance',
    Action: action,
    'Conference-Name': room,
    'Unique-ID': leg,
  });

describe('a conference of three', () => {
  it('lets each hear exactly the others', async () => {
    const { citizen, agent, third } = await threeWay('all');
    await citizen.call.hearsOnly([650, 900]);
    await agent.call.hearsOnly([400, 900]);
    await third.call.hearsOnly([400, 650]);
    for (const leg of [citizen.leg, agent.leg, third.leg]) {
      const joined = await member('add-member', 'all', leg);
      expect(joined.headers['Member-ID']).toMatch(/^\d+$/);
      expect(joined.headers['Conference-Size']).toMatch(/^[123]$/);
    }
  });

  it('goes on with two when one hangs up', async () => {
    const { citizen, agent, third } = await threeWay('two');
    await citizen.call.hearsOnly([650, 900]);
    await agent.call.hangup();
    await member('del-member', 'two', agent.leg);
    await citizen.call.hearsOnly([900]);
    await third.call.hearsOnly([400]);
  });

  it('lets one go to be parked, and the two others be bridged', async () => {
    const { citizen, agent, third } = await threeWay('leave');
    await citizen.call.hearsOnly([650, 900]);
    await bench.ok(`uuid_transfer ${agent.leg} parked XML yihaotong`);
    await bench.parked(agent.leg, 2);
    await member('del-member', 'leave', agent.leg);
    await bench.bridge(citizen.leg, third.leg);
    await citizen.call.hearsOnly([900]);
    await third.call.hearsOnly([400]);
    await agent.call.hearsNothing();
  });

  it('is quiet for the one who is alone, and ends with the last', async () => {
    const { citizen, agent, third } = await threeWay('alone');
    await citizen.call.hearsOnly([650, 900]);
    await agent.call.hangup();
    await third.call.hangup();
    await citizen.call.hearsNothing();
    await bench.ok(`uuid_transfer ${citizen.leg} parked XML yihaotong`);
    await bench.parked(citizen.leg, 2);
    await bench.esl.event('CUSTOM', { Action: 'conference-destroy', 'Conference-Name': 'alone' });
  });

  it('ends for a citizen whom all others have left, and nobody takes out: he is parked', async () => {
    const { citizen, agent, third } = await threeWay('left');
    await citizen.call.hearsOnly([650, 900]);
    await agent.call.hangup();
    await citizen.call.hearsOnly([900]);
    await third.call.hangup();
    await bench.parked(citizen.leg, 2, { withinMs: 10_000 });
    await bench.esl.event('CUSTOM', { Action: 'conference-destroy', 'Conference-Name': 'left' });
    expect(await bench.esl.api(`sched_del ${citizen.leg}`)).toBe('+OK Deleted: 1');
    expect(citizen.call.isEnded).toBe(false);
  });

  it('does not end while somebody who works there is in it, nor for one who comes back', async () => {
    const { citizen, agent, third } = await threeWay('back');
    await citizen.call.hearsOnly([650, 900]);
    for (const leg of [third.leg, agent.leg]) {
      await bench.ok(`uuid_transfer ${leg} parked XML yihaotong`);
      await bench.parked(leg, 2);
    }
    await bench.ok(`uuid_transfer ${agent.leg} conf-back XML yihaotong`);
    // Well after the grace, by the switch's own clock.
    await bench.ok(`sched_transfer +9 ${third.leg} fallback-agent XML yihaotong`);
    await bench.ended(third.leg, { withinMs: 12_000 });
    await citizen.call.hearsOnly([650]);
    expect(bench.esl.eventsSoFar('CUSTOM', { Action: 'conference-destroy', 'Conference-Name': 'back' })).toEqual([]);
  });

  it('obeys mute, unmute and kick', async () => {
    const { citizen, third } = await threeWay('moderated');
    await citizen.call.hearsOnly([650, 900]);
    const id = (await member('add-member', 'moderated', third.leg)).headers['Member-ID'];
    await bench.ok(`conference moderated mute ${id}`);
    await citizen.call.hearsOnly([650]);
    await bench.ok(`conference moderated unmute ${id}`);
    await citizen.call.hearsOnly([650, 900]);
    await bench.ok(`conference moderated kick ${id}`);
    await bench.parked(third.leg, 2);
    await citizen.call.hearsOnly([650]);
  });

  it('still tells the digits of its members', async () => {
    const { citizen } = await threeWay('digits');
    await citizen.call.hearsOnly([650, 900]);
    await citizen.call.sendDigit('3');
    await bench.esl.event('DTMF', { 'Unique-ID': citizen.leg, 'DTMF-Digit': '3' });
  });
});

it('two conferences don’t hear each other', async () => {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  const others = [
    await bench.answeredAgent('1002', { toneHz: 900 }),
    await bench.answeredAgent('1003', { toneHz: 1150 }),
  ];
  await bench.ok(`uuid_transfer ${citizen.leg} -both conf-one XML yihaotong`);
  for (const other of others) await bench.ok(`uuid_transfer ${other.leg} conf-other XML yihaotong`);
  await citizen.call.hearsOnly([650]);
  await agent.call.hearsOnly([400]);
  await others[0]?.call.hearsOnly([1150]);
  await others[1]?.call.hearsOnly([900]);
});

it('commands to a conference that isn’t there are refused', async () => {
  expect(await bench.esl.api('conference nowhere kick 1')).toMatch(/^-ERR/);
});
