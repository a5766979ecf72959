import { expect, it } from 'vitest';
import { startBench } from '../support/start-bench.ts';

const bench = startBench();

/** docs/switch-contract.md: the embedded switch speaks no SRTP, and says so. FreeSWITCH's rows: conformance/srtp.test.ts. */
it('a caller who offers nothing but SRTP is refused with 488, and nobody hears him', async () => {
  const citizen = await bench.rings({ srtp: true, toneHz: 400 });
  await bench.ok(`sched_del ${citizen.leg}`);
  await bench.esl.api(`uuid_answer ${citizen.leg}`);
  expect(await citizen.call.ended()).toMatchObject({ by: 'them', sipStatus: 488 });
  expect(await bench.ended(citizen.leg)).toMatchObject({ 'Hangup-Cause': 'INCOMPATIBLE_DESTINATION' });
});
