import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasTone, isSilent } from '../../support/phone/hearing.ts';
import { startBench } from '../../support/start-bench.ts';
import { readWavFile } from '../../support/wav.ts';

const bench = startBench();

const path = (name: string): string => join(bench.sut.recordingsFolder, name);
const stopped = (file: string) => bench.esl.event('RECORD_STOP', { 'Record-File-Path': file });

/** Cuts a piece out of the middle, where beginnings and ends don't disturb. */
const middle = (samples: Int16Array): Int16Array =>
  samples.subarray(Math.floor(samples.length * 0.4), Math.floor(samples.length * 0.4) + 1600);

it('is stereo at 8 kHz: left what the citizen says, right what he hears', async () => {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  await citizen.call.hearsOnly([650]);
  const file = path('stereo.wav');
  await bench.ok(`uuid_record ${citizen.leg} start ${file}`);
  const started = await bench.esl.event('RECORD_START', { 'Unique-ID': citizen.leg });
  expect(started.headers['Record-File-Path']).toBe(file);
  await pauseOf(1000);
  await agent.call.hears(400);
  await bench.ok(`uuid_record ${citizen.leg} stop ${file}`);
  await stopped(file);
  const wav = await readWavFile(file);
  expect(wav.rate).toBe(8000);
  expect(wav.channels).toHaveLength(2);
  const [left, right] = wav.channels.map(middle);
  expect(left && hasTone(left, 400) && !hasTone(left, 650)).toBe(true);
  expect(right && hasTone(right, 650) && !hasTone(right, 400)).toBe(true);
});

it('is silent while masked, and goes on afterwards', async () => {
  const [citizen] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  await citizen.call.hearsOnly([650]);
  const file = path('masked.wav');
  await bench.ok(`uuid_record ${citizen.leg} start ${file}`);
  await pauseOf(600);
  await bench.ok(`uuid_record ${citizen.leg} mask ${file}`);
  await pauseOf(600);
  await bench.ok(`uuid_record ${citizen.leg} unmask ${file}`);
  await pauseOf(600);
  await bench.ok(`uuid_record ${citizen.leg} stop ${file}`);
  await stopped(file);
  const wav = await readWavFile(file);
  for (const channel of wav.channels) {
    const third = Math.floor(channel.length / 3);
    expect(isSilent(channel.subarray(0, third - 800))).toBe(false);
    expect(isSilent(channel.subarray(third + 1200, third + 2000))).toBe(true);
    // Its end may be off by 100 ms; before that the voice is there again.
    expect(isSilent(channel.subarray(-2400, -800))).toBe(false);
  }
});

it('goes on while the citizen is parked, conferenced and bridged again', async () => {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  const file = path('moved.wav');
  await bench.ok(`uuid_record ${citizen.leg} start ${file}`);
  await citizen.call.hearsOnly([650]);
  await bench.ok(`uuid_transfer ${citizen.leg} -both conf-recorded XML yihaotong`);
  for (const leg of [citizen.leg, agent.leg]) {
    await bench.esl.event('CUSTOM', { Action: 'add-member', 'Conference-Name': 'recorded', 'Unique-ID': leg });
  }
  await citizen.call.hearsOnly([650]);
  await bench.ok(`uuid_transfer ${agent.leg} parked XML yihaotong`);
  await bench.ok(`uuid_transfer ${citizen.leg} parked XML yihaotong`);
  await bench.parked(citizen.leg, 2);
  await bench.parked(agent.leg, 2);
  expect(bench.esl.eventsSoFar('RECORD_STOP', { 'Record-File-Path': file })).toEqual([]);
  await bench.bridge(citizen.leg, agent.leg);
  await citizen.call.hearsOnly([650]);
  await pauseOf(400);
  await citizen.call.hangup();
  await stopped(file);
  const [left, right] = (await readWavFile(file)).channels;
  expect(left && hasTone(left.subarray(-2400, -800), 400)).toBe(true);
  expect(right && hasTone(right.subarray(-2400, -800), 650)).toBe(true);
});

it('of a short talk is kept, and ends by itself with the leg', async () => {
  const [citizen] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  const file = path('short/of/a/new/folder.wav');
  await bench.ok(`uuid_record ${citizen.leg} start ${file}`);
  await citizen.call.hears(650);
  await pauseOf(1500);
  await citizen.call.hangup();
  await stopped(file);
  expect((await readWavFile(file)).channels[0]?.length).toBeGreaterThan(8000);
});

it('of a leg that is gone is refused', async () => {
  const citizen = await bench.answeredCitizen();
  await citizen.call.hangup();
  await bench.ended(citizen.leg);
  expect(await bench.esl.api(`uuid_record ${citizen.leg} start ${path('gone.wav')}`)).toMatch(/^-ERR/);
});

it('by the record application stops at its limit', async () => {
  const citizen = await bench.answeredCitizen({ toneHz: 400 });
  const file = path('message.wav');
  const id = await bench.esl.execute(citizen.leg, 'record', `${file} 1`);
  await bench.esl.event('CHANNEL_EXECUTE_COMPLETE', { 'Application-UUID': id });
  const [only] = (await readWavFile(file)).channels;
  expect(only && hasTone(middle(only), 400)).toBe(true);
});

/** Lets sound flow into the file; its length is what is tested, not how long it took. */
function pauseOf(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
