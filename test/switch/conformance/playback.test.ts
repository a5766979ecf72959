import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EslMessage } from '../../support/esl-test-client.ts';
import { startBench } from '../../support/start-bench.ts';
import { writeToneFile } from '../../support/wav.ts';

let folder: string;
let short: string;
let other: string;
let long: string;
beforeAll(async () => {
  // The waiting music must be there before the switch starts.
  folder = await mkdtemp(join(tmpdir(), 'yht-prompts-'));
  short = join(folder, 'short.wav');
  other = join(folder, '提示音.wav');
  long = join(folder, 'long.wav');
  await writeToneFile(short, 500, 600);
  await writeToneFile(other, 700, 600);
  await writeToneFile(long, 1000, 20_000);
  await writeToneFile(join(folder, 'music.wav'), 1250, 20_000);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const bench = startBench(() => ({ promptsFolder: folder }));

const done = (id: string, nth = 1): Promise<EslMessage> =>
  bench.esl.event('CHANNEL_EXECUTE_COMPLETE', { 'Application-UUID': id }, { nth, withinMs: 8000 });

describe('a file', () => {
  it('is heard, and its end is told under the id that was sent', async () => {
    const citizen = await bench.answeredCitizen();
    const id = await bench.esl.execute(citizen.leg, 'playback', short);
    await citizen.call.hearsOnly([500]);
    expect((await done(id)).headers).toMatchObject({
      'Unique-ID': citizen.leg,
      Application: 'playback',
      'Application-Data': short,
      'Application-Response': 'FILE PLAYED',
    });
    await citizen.call.hearsNothing();
  });

  it('that is missing fails at once, and the next one plays', async () => {
    const citizen = await bench.answeredCitizen();
    const id = await bench.esl.execute(citizen.leg, 'playback', `${short}.missing.wav`);
    expect((await done(id)).headers['Application-Response']).toBe('FILE NOT FOUND');
    await bench.esl.execute(citizen.leg, 'playback', short);
    await citizen.call.hearsOnly([500]);
  });

  it('with a Chinese name plays as well', async () => {
    const citizen = await bench.answeredCitizen();
    await bench.esl.execute(citizen.leg, 'playback', other);
    await citizen.call.hearsOnly([700]);
  });

  it('is broken off by uuid_break, and the next one plays in full', async () => {
    const citizen = await bench.answeredCitizen();
    const id = await bench.esl.execute(citizen.leg, 'playback', long);
    await citizen.call.hearsOnly([1000]);
    await bench.ok(`uuid_break ${citizen.leg} all`);
    expect((await done(id)).headers['Application-Response']).toBe('FILE PLAYED');
    await citizen.call.hearsNothing();
    const next = await bench.esl.execute(citizen.leg, 'playback', short);
    await citizen.call.hearsOnly([500]);
    await done(next);
  });

  it('is broken off by a bridge', async () => {
    const citizen = await bench.answeredCitizen();
    const agent = await bench.answeredAgent('1001', { toneHz: 650 });
    const id = await bench.esl.execute(citizen.leg, 'playback', long);
    await citizen.call.hearsOnly([1000]);
    await bench.bridge(citizen.leg, agent.leg);
    expect((await done(id)).headers['Application-Response']).toBe('PLAYBACK ERROR');
    await citizen.call.hearsOnly([650]);
  });

  it('is heard by the one leg only', async () => {
    const first = await bench.answeredCitizen();
    const second = await bench.answeredCitizen({ user: '13800000002' });
    await bench.esl.execute(first.leg, 'playback', long);
    await bench.esl.execute(second.leg, 'playback', other);
    await second.call.hearsOnly([700]);
    await first.call.hearsOnly([1000]);
    await second.call.hearsNothing();
  });
});

describe('a sequence', () => {
  it('is played in order', async () => {
    const citizen = await bench.answeredCitizen();
    const id = await bench.esl.execute(citizen.leg, 'playback', `file_string://${short}!silence_stream://200!${other}`);
    await citizen.call.hearsOnly([500]);
    await citizen.call.hearsOnly([700]);
    expect((await done(id)).headers['Application-Response']).toBe('FILE PLAYED');
  });

  it('passes over a missing file', async () => {
    const citizen = await bench.answeredCitizen();
    const id = await bench.esl.execute(citizen.leg, 'playback', `file_string://${short}.missing.wav!${other}`);
    await citizen.call.hearsOnly([700]);
    expect((await done(id)).headers['Application-Response']).toBe('FILE PLAYED');
  });
});

describe('something else than a file', () => {
  it.each(['silence_stream://200', 'tone_stream://%(200,100,450);loops=2'])('%s ends by itself', async (what) => {
    const citizen = await bench.answeredCitizen();
    const id = await bench.esl.execute(citizen.leg, 'playback', what);
    expect((await done(id)).headers['Application-Response']).toBe('FILE PLAYED');
  });

  it('the ringback tone is heard', async () => {
    const citizen = await bench.answeredCitizen();
    await bench.esl.execute(citizen.leg, 'playback', 'tone_stream://%(1000,4000,450);loops=-1');
    await citizen.call.hearsOnly([450]);
  });

  it('the waiting music is heard', async () => {
    const citizen = await bench.answeredCitizen();
    await bench.esl.execute(citizen.leg, 'playback', 'local_stream://moh');
    await citizen.call.hearsOnly([1250]);
  });
});

describe('for ever', () => {
  it('means round after round, each told, until broken off', async () => {
    const citizen = await bench.answeredCitizen();
    const id = await bench.esl.execute(citizen.leg, 'playback', short, { loops: -1 });
    await citizen.call.hearsOnly([500]);
    await done(id, 2);
    await citizen.call.hearsOnly([500]);
    await bench.ok(`uuid_break ${citizen.leg} all`);
    await citizen.call.hearsNothing();
  });

  it('ends when the citizen is bridged', async () => {
    const citizen = await bench.answeredCitizen();
    const agent = await bench.answeredAgent('1001', { toneHz: 650 });
    await bench.esl.execute(citizen.leg, 'playback', short, { loops: -1 });
    await citizen.call.hearsOnly([500]);
    await bench.bridge(citizen.leg, agent.leg);
    await citizen.call.hearsOnly([650]);
    await bench.ok(`uuid_transfer ${citizen.leg} -both parked XML yihaotong`);
    await bench.parked(citizen.leg, 2);
    await citizen.call.hearsNothing();
  });
});

it('uuid_break on a leg where nothing plays harms nothing', async () => {
  const citizen = await bench.answeredCitizen();
  await bench.ok(`uuid_break ${citizen.leg} all`);
  const id = await bench.esl.execute(citizen.leg, 'playback', short);
  await citizen.call.hearsOnly([500]);
  await done(id);
});

it('nothing plays on a leg that is gone', async () => {
  const citizen = await bench.answeredCitizen();
  await citizen.call.hangup();
  await bench.ended(citizen.leg);
  await expect(bench.esl.execute(citizen.leg, 'playback', short)).rejects.toThrow('invalid session id');
});
