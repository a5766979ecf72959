import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Callee, Citizen } from '../../support/bench.ts';
import type { EslMessage } from '../../support/esl-test-client.ts';
import { hasTone, isSilent } from '../../support/phone/hearing.ts';
import { startBench } from '../../support/start-bench.ts';
import { readWavFile } from '../../support/wav.ts';

const CITIZEN = 400;
const AGENT = 650;
const SUPERVISOR = 900;
const SUBCENTRE = 1150;
/** How long somebody is watched who must not hear the supervisor. */
const watchedMs = 400;
const withinMs = 200;
const judgingMs = 200;

type Mode = 'listen' | 'whisper' | 'barge';
type Party = Citizen | Callee;

const bench = startBench();

const place = (mode: Mode, agent: Callee): string => `${mode}-${agent.leg} XML yihaotong`;

/** Sends the supervisor to the agent's leg; resolves when the switch says that he is there. */
async function supervise(supervisor: Callee, agent: Callee, mode: Mode): Promise<EslMessage> {
  const told = { 'Event-Subclass': 'yihaotong::supervise', 'Unique-ID': supervisor.leg, 'Supervise-Mode': mode };
  const nth = bench.esl.eventsSoFar('CUSTOM', told).length + 1;
  await bench.ok(`uuid_transfer ${supervisor.leg} ${place(mode, agent)}`);
  return await bench.esl.event('CUSTOM', told, { nth });
}

async function supervised(): Promise<{ citizen: Citizen; agent: Callee; supervisor: Callee }> {
  const [citizen, agent] = await bench.talk({ citizenHz: CITIZEN, agentHz: AGENT });
  const phone = await bench.agent('1003', { toneHz: SUPERVISOR });
  const supervisor = await bench.ringsAgent(phone, '1003', { yht_role: 'supervisor' });
  supervisor.call.answer();
  await bench.parked(supervisor.leg);
  return { citizen, agent, supervisor };
}

/** These hear nothing of the supervisor, now and for a while. */
async function unheardBy(...parties: readonly Party[]): Promise<void> {
  await pause(watchedMs);
  for (const { call } of parties) expect(hasTone(call.parts.media.lastSound(watchedMs), SUPERVISOR)).toBe(false);
}

describe('a supervisor at a talking agent’s leg', () => {
  it('listens: hears both and is heard by nobody', async () => {
    const { citizen, agent, supervisor } = await supervised();
    const told = await supervise(supervisor, agent, 'listen');
    expect(told.headers['Supervise-Leg']).toBe(agent.leg);
    await supervisor.call.hearsOnly([CITIZEN, AGENT]);
    await unheardBy(citizen, agent);
    await citizen.call.hearsOnly([AGENT]);
    await agent.call.hearsOnly([CITIZEN]);
  });

  it('whispers: is heard by the agent alone, and the citizen’s recording has nothing of it', async () => {
    const { citizen, agent, supervisor } = await supervised();
    const file = join(bench.sut.recordingsFolder, 'whisper.wav');
    await bench.ok(`uuid_record ${citizen.leg} start ${file}`);
    await supervise(supervisor, agent, 'whisper');
    await agent.call.hearsOnly([CITIZEN, SUPERVISOR]);
    await supervisor.call.hearsOnly([CITIZEN, AGENT]);
    await unheardBy(citizen);
    await citizen.call.hearsOnly([AGENT]);
    await pause(600);
    await bench.ok(`uuid_record ${citizen.leg} stop ${file}`);
    await bench.esl.event('RECORD_STOP', { 'Record-File-Path': file });
    const [said, heard] = (await readWavFile(file)).channels;
    expect(said && hasTone(said, CITIZEN) && !hasTone(said, SUPERVISOR)).toBe(true);
    expect(heard && hasTone(heard, AGENT) && !hasTone(heard, SUPERVISOR)).toBe(true);
  });

  it('barges: is heard by both', async () => {
    const { citizen, agent, supervisor } = await supervised();
    await supervise(supervisor, agent, 'barge');
    await citizen.call.hearsOnly([AGENT, SUPERVISOR]);
    await agent.call.hearsOnly([CITIZEN, SUPERVISOR]);
    await supervisor.call.hearsOnly([CITIZEN, AGENT]);
  });

  it('changes between the three, and leaves no trace', async () => {
    const { citizen, agent, supervisor } = await supervised();
    await supervise(supervisor, agent, 'listen');
    await supervisor.call.hearsOnly([CITIZEN, AGENT]);
    await supervise(supervisor, agent, 'whisper');
    await agent.call.hearsOnly([CITIZEN, SUPERVISOR]);
    await supervise(supervisor, agent, 'barge');
    await citizen.call.hearsOnly([AGENT, SUPERVISOR]);
    await supervise(supervisor, agent, 'listen');
    await citizen.call.hearsOnly([AGENT]);
    await agent.call.hearsOnly([CITIZEN]);
    await supervise(supervisor, agent, 'barge');
    await citizen.call.hearsOnly([AGENT, SUPERVISOR]);
    await supervisor.call.hangup();
    await bench.ended(supervisor.leg);
    await citizen.call.hearsOnly([AGENT]);
    await agent.call.hearsOnly([CITIZEN]);
    expect(bench.esl.eventsSoFar('CHANNEL_UNBRIDGE', { 'Unique-ID': citizen.leg })).toEqual([]);
  });

  it('is heard within 200 ms', async () => {
    const { citizen, agent, supervisor } = await supervised();
    await supervise(supervisor, agent, 'listen');
    await supervisor.call.hearsOnly([CITIZEN, AGENT]);
    const beganAtMs = performance.now();
    await supervise(supervisor, agent, 'barge');
    await citizen.call.hears(SUPERVISOR);
    // The tone must fill a part of the 200 ms that the phone listens back before it counts as heard.
    expect(performance.now() - beganAtMs).toBeLessThan(withinMs + judgingMs);
  });

  it('presses keys that change nothing', async () => {
    const { citizen, agent, supervisor } = await supervised();
    await supervise(supervisor, agent, 'listen');
    await supervisor.call.hearsOnly([CITIZEN, AGENT]);
    await supervisor.call.sendDigit('3');
    await unheardBy(citizen, agent);
  });
});

describe('it goes on whatever becomes of the agent’s leg', () => {
  it('in a hold: the agent is heard, and hears a whisper; then they talk again', async () => {
    const { citizen, agent, supervisor } = await supervised();
    await supervise(supervisor, agent, 'whisper');
    await agent.call.hearsOnly([CITIZEN, SUPERVISOR]);
    await bench.ok(`uuid_transfer ${citizen.leg} -both parked XML yihaotong`);
    await bench.parked(agent.leg, 2);
    await agent.call.hearsOnly([SUPERVISOR]);
    await supervisor.call.hearsOnly([AGENT]);
    await citizen.call.hearsNothing();
    await bench.bridge(citizen.leg, agent.leg);
    await agent.call.hearsOnly([CITIZEN, SUPERVISOR]);
    await supervisor.call.hearsOnly([CITIZEN, AGENT]);
    await citizen.call.hearsOnly([AGENT]);
  });

  it('in a conference: listens, whispers and barges', async () => {
    const { citizen, agent, supervisor } = await supervised();
    const third = await bench.answeredAgent('1002', { toneHz: SUBCENTRE });
    await supervise(supervisor, agent, 'whisper');
    await agent.call.hearsOnly([CITIZEN, SUPERVISOR]);
    await bench.ok(`uuid_transfer ${citizen.leg} -both conf-supervised XML yihaotong`);
    await bench.ok(`uuid_transfer ${third.leg} conf-supervised XML yihaotong`);
    await citizen.call.hearsOnly([AGENT, SUBCENTRE]);
    await third.call.hearsOnly([CITIZEN, AGENT]);
    await agent.call.hearsOnly([CITIZEN, SUBCENTRE, SUPERVISOR]);
    await supervisor.call.hearsOnly([CITIZEN, AGENT, SUBCENTRE]);
    await unheardBy(citizen, third);
    await supervise(supervisor, agent, 'barge');
    await citizen.call.hearsOnly([AGENT, SUBCENTRE, SUPERVISOR]);
    await third.call.hearsOnly([CITIZEN, AGENT, SUPERVISOR]);
    await agent.call.hearsOnly([CITIZEN, SUBCENTRE, SUPERVISOR]);
    await supervise(supervisor, agent, 'listen');
    await citizen.call.hearsOnly([AGENT, SUBCENTRE]);
    await third.call.hearsOnly([CITIZEN, AGENT]);
    await agent.call.hearsOnly([CITIZEN, SUBCENTRE]);
    await supervisor.call.hearsOnly([CITIZEN, AGENT, SUBCENTRE]);
  });

  it('until it ends: then the supervisor is parked', async () => {
    const { agent, supervisor } = await supervised();
    await supervise(supervisor, agent, 'listen');
    await supervisor.call.hearsOnly([CITIZEN, AGENT]);
    await agent.call.hangup();
    await bench.parked(supervisor.leg, 2);
    await supervisor.call.hearsNothing();
  });

  it('and parks a supervisor whose agent has gone already', async () => {
    const { agent, supervisor } = await supervised();
    await agent.call.hangup();
    await bench.ended(agent.leg);
    await bench.ok(`uuid_transfer ${supervisor.leg} ${place('listen', agent)}`);
    await bench.parked(supervisor.leg, 2);
    expect(isSilent(supervisor.call.parts.media.lastSound(100))).toBe(true);
  });
});
