import { expect, it } from 'vitest';
import { originateCommand } from '../../support/bench.ts';
import { header } from '../../support/phone/sip-message.ts';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench({ maxChannels: 2 });

/** Issue 3, section 5: «at twice the capacity each caller gets the planned treatment … then busy». */
it('a switch that is full refuses callers with 503 and Retry-After, and still rings whom control wants', async () => {
  // FreeSWITCH takes no registrations either while it is full.
  const phone = await bench.agent('1002');
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  const late = await bench.phone('trunk', { user: '13800000002' });
  const invite = late.newRequest('INVITE', [['Content-Type', 'application/sdp']], '');
  const refusal = await late.send(
    { ...invite, uri: `sip:12345@${bench.sut.trunk.host}:${bench.sut.trunk.port}` },
    5000,
  );
  expect(refusal.status).toBe(503);
  expect(header(refusal, 'Retry-After')).toMatch(/^\d+$/);

  const dialString = `sofia/agents/1002%${bench.sut.domain}`;
  const unmarked = await bench.esl.bgapi(originateCommand(crypto.randomUUID(), dialString));
  expect(unmarked).toMatch(/^-ERR /);
  // The leg that a caller needs who is in already.
  const third = await bench.ringsAgent(phone, '1002', { no_throttle_limits: 'true' });
  third.call.answer();
  await bench.parked(third.leg);
  await citizen.call.hearsOnly([650]);
  await agent.call.hearsOnly([400]);

  await citizen.call.hangup();
  await agent.call.hangup();
  await third.call.hangup();
  for (const leg of [citizen.leg, agent.leg, third.leg]) await bench.ended(leg);
  // There is room again.
  const next = await bench.answeredCitizen();
  await next.call.hangup();
});
