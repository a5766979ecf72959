import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Callee, Citizen } from '../../support/bench.ts';
import type { Codec } from '../../support/phone/codecs.ts';
import { hasTone } from '../../support/phone/hearing.ts';
import { startBench } from '../../support/start-bench.ts';
import { readWavFile, writeToneFile } from '../../support/wav.ts';

const bench = startBench();

/** Citizen (400 Hz) and agent (700 Hz) in a bridge, each with one codec. */
async function talk(citizenCodec: Codec, agentCodec: Codec): Promise<[Citizen, Callee]> {
  const citizen = await bench.answeredCitizen({ codecs: [citizenCodec], toneHz: 400 });
  const agent = await bench.answeredAgent('1001', { codecs: [agentCodec], toneHz: 700 });
  expect([citizen.call.parts.media.codec, agent.call.parts.media.codec]).toEqual([citizenCodec, agentCodec]);
  await bench.bridge(citizen.leg, agent.leg);
  return [citizen, agent];
}

/** Issue 3, section 1 (media: PCMA, PCMU, G.722). */
describe('G.722', () => {
  it.each([
    [['G722', 'PCMA', 'PCMU'], 'G722'],
    [['PCMU', 'G722'], 'PCMU'],
    [['PCMA', 'G722'], 'PCMA'],
  ] as const)('is taken where the offer names it first: %j', async (codecs, expected) => {
    const { call } = await bench.answeredCitizen({ codecs });
    expect(call.parts.media.codec).toBe(expected);
  });

  it.each([
    ['G722', 'PCMA'],
    ['PCMU', 'G722'],
    ['G722', 'G722'],
  ] as const)('talks: a citizen with %s, an agent with %s', async (citizenCodec, agentCodec) => {
    const [citizen, agent] = await talk(citizenCodec, agentCodec);
    await Promise.all([citizen.call.hearsOnly([700]), agent.call.hearsOnly([400])]);
  });

  it('carries what is above telephone band where both have it', async () => {
    const [citizen, agent] = await talk('G722', 'G722');
    citizen.call.says(5000);
    await agent.call.hearsWide(5000);
    agent.call.says(6000);
    await citizen.call.hearsWide(6000);
  });

  it('is mixed with G.711: everybody hears exactly the others', async () => {
    const [citizen, agent] = await talk('G722', 'PCMA');
    const third = await bench.answeredAgent('1002', { codecs: ['G722'], toneHz: 1100 });
    await bench.ok(`uuid_transfer ${citizen.leg} -both conf-wide XML yihaotong`);
    await bench.ok(`uuid_transfer ${third.leg} conf-wide XML yihaotong`);
    await Promise.all([
      citizen.call.hearsOnly([700, 1100]),
      agent.call.hearsOnly([400, 1100]),
      third.call.hearsOnly([400, 700]),
    ]);
  });

  it('is recorded: left what is said, right what is heard', async () => {
    const [citizen] = await talk('G722', 'G722');
    await citizen.call.hearsOnly([700]);
    const file = join(bench.sut.recordingsFolder, 'wide.wav');
    await bench.ok(`uuid_record ${citizen.leg} start ${file}`);
    await pause(1000);
    await bench.ok(`uuid_record ${citizen.leg} stop ${file}`);
    await bench.esl.event('RECORD_STOP', { 'Record-File-Path': file });
    const wav = await readWavFile(file);
    expect(wav.rate).toBe(8000);
    const [left, right] = wav.channels.map((channel) => channel.subarray(2400, 5600));
    expect(left && hasTone(left, 400) && !hasTone(left, 700)).toBe(true);
    expect(right && hasTone(right, 700) && !hasTone(right, 400)).toBe(true);
  });

  it('hears what is played, and its keys are told', async () => {
    const file = join(bench.sut.promptsFolder, 'wide-prompt.wav');
    await writeToneFile(file, 900, 2000);
    const { call, leg } = await bench.answeredCitizen({ codecs: ['G722'] });
    await bench.esl.execute(leg, 'playback', file);
    await call.hearsOnly([900]);
    await call.sendDigit('7');
    await bench.esl.event('DTMF', { 'Unique-ID': leg, 'DTMF-Digit': '7' });
  });

  it('is heard by a supervisor, who whispers and barges in', async () => {
    const [citizen, agent] = await talk('G722', 'G722');
    const supervisor = await bench.answeredAgent('1003', { codecs: ['G722'], toneHz: 2100 });
    await bench.ok(`uuid_transfer ${supervisor.leg} listen-${agent.leg} XML yihaotong`);
    await supervisor.call.hearsOnly([400, 700]);
    await bench.ok(`uuid_transfer ${supervisor.leg} whisper-${agent.leg} XML yihaotong`);
    await agent.call.hearsOnly([400, 2100]);
    await citizen.call.hearsOnly([700]);
    await bench.ok(`uuid_transfer ${supervisor.leg} barge-${agent.leg} XML yihaotong`);
    await citizen.call.hearsOnly([700, 2100]);
  });
});
