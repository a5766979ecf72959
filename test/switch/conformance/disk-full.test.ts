import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Bench } from '../../support/bench.ts';
import { type FullDisk, fullDisk } from '../../support/full-disk.ts';

let bench: Bench;
let disk: FullDisk;
beforeAll(async () => {
  bench = await Bench.open();
  disk = await fullDisk(join(bench.sut.recordingsFolder, 'full'));
});
afterEach(async () => {
  await bench.settle();
});
afterAll(async () => {
  // The switch's own folder goes with it, and a mounted one can't be removed.
  await disk.release();
  await bench.close();
});

it('a talk goes on when the disk of its recording is full, and the recording’s end says that it failed', async () => {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
  await citizen.call.hearsOnly([650]);
  const file = await disk.file('talk.wav');
  await bench.ok(`uuid_record ${citizen.leg} start ${file}`);
  await pause(3000);
  // The disk has been full for a while by now.
  await citizen.call.hearsOnly([650]);
  await agent.call.hearsOnly([400]);
  expect(citizen.call.isEnded || agent.call.isEnded).toBe(false);
  await citizen.call.hangup();
  const stop = await bench.esl.event('RECORD_STOP', { 'Record-File-Path': file });
  expect(stop.headers['Record-Completion-Cause']).toBe('uri-failure');
  await bench.parked(agent.leg, 2);
});
