import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { hasTone } from '../../support/phone/hearing.ts';
import { startBench } from '../../support/start-bench.ts';
import { readWavFile, writeToneFile } from '../../support/wav.ts';

const bench = startBench();
beforeAll(() => writeToneFile(join(bench.sut.promptsFolder, 'fallback.wav'), 500, 600));

it('a citizen whom control never takes is answered, told, recorded and kept', async () => {
  const citizen = await bench.rings({ toneHz: 400 });
  await citizen.call.answered({ withinMs: 8000 });
  await citizen.call.hearsOnly([500]);
  await citizen.call.hearsNothing();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await citizen.call.hangup();
  expect((await bench.ended(citizen.leg))['Hangup-Cause']).toBe('NORMAL_CLEARING');
  const folder = join(bench.sut.recordingsFolder, 'fallback');
  const file = (await readdir(folder)).find((name) => name.endsWith(`_${citizen.leg}.wav`));
  expect(file).toMatch(/^[0-9]{10}_[0-9]+_12345_[0-9a-f-]{36}[.]wav$/);
  const wav = await readWavFile(join(folder, file ?? ''));
  const sound = wav.channels[0]?.subarray(1600, 3200);
  expect(sound && hasTone(sound, 400)).toBe(true);
});

it('a citizen whom control has taken stays parked', async () => {
  const citizen = await bench.rings();
  expect(await bench.esl.api(`sched_del ${citizen.leg}`)).toBe('+OK Deleted: 1');
  expect(await bench.esl.api(`sched_del ${citizen.leg}`)).toBe('+OK Deleted: 0');
  await new Promise((resolve) => setTimeout(resolve, 5500));
  expect(citizen.call.isAnswered).toBe(false);
  expect(citizen.call.isEnded).toBe(false);
  await citizen.call.cancel();
});

it('legs that come back to be parked and are not taken: the citizen is treated, the agent is let go', async () => {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  await bench.ok(`uuid_transfer ${citizen.leg} -both parked XML yihaotong`);
  await bench.parked(citizen.leg, 2);
  expect(await agent.call.ended({ withinMs: 25_000 })).toMatchObject({ by: 'them', method: 'BYE' });
  await citizen.call.hears(500, { withinMs: 25_000 });
}, 40_000);
