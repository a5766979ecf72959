import { expect, it } from 'vitest';
import { startBench } from '../../support/start-bench.ts';
import { switchKind } from '../../support/switch.ts';

const bench = startBench({ mediaTimeoutMs: 1500 });

it('an agent’s phone that loses its power in a call is given up, and the citizen is parked', async () => {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  await citizen.call.hears(650);
  await agent.phone.vanish();
  expect((await bench.ended(agent.leg, { withinMs: 10_000 }))['Hangup-Cause']).toBe('MEDIA_TIMEOUT');
  await bench.parked(citizen.leg, 2);
  await citizen.call.hearsNothing();
});

it('a citizen who is gone without BYE is given up, and the agent’s leg is parked', async () => {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  await agent.call.hears(400);
  await citizen.phone.vanish();
  expect((await bench.ended(citizen.leg, { withinMs: 10_000 }))['Hangup-Cause']).toBe('MEDIA_TIMEOUT');
  await bench.parked(agent.leg, 2);
});

it('a parked citizen who is gone without BYE is given up', async () => {
  const citizen = await bench.answeredCitizen();
  await citizen.phone.vanish();
  expect((await bench.ended(citizen.leg, { withinMs: 10_000 }))['Hangup-Cause']).toBe('MEDIA_TIMEOUT');
});

it('a phone that talks is never given up, however quiet', async () => {
  const citizen = await bench.answeredCitizen();
  const agent = await bench.answeredAgent('1001');
  await bench.bridge(citizen.leg, agent.leg);
  await new Promise((resolve) => setTimeout(resolve, 3500));
  expect(citizen.call.isEnded).toBe(false);
  expect(agent.call.isEnded).toBe(false);
});

// FreeSWITCH gives up a phone that holds without sending anything as well (docs/switch-contract.md).
if (switchKind === 'embedded') {
  it('a phone that holds is not given up', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await agent.call.hold();
    await bench.esl.event('CHANNEL_HOLD', { 'Unique-ID': agent.leg });
    await new Promise((resolve) => setTimeout(resolve, 3500));
    expect(agent.call.isEnded).toBe(false);
    expect(citizen.call.isEnded).toBe(false);
  });
}
