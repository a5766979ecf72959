import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { randomIds } from '../../../src/kernel/ids.ts';
import { fullDisk } from '../../support/full-disk.ts';
import { liveCall, nothingLeft, recordOf } from '../../support/hotline/calls.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, promptTones, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import { hasTone, isSilent } from '../../support/phone/hearing.ts';
import type { TestPhone } from '../../support/phone/phone.ts';
import { readWavFile, type WavFile } from '../../support/wav.ts';

/** Sound is judged in pieces half as long as what a phone has heard for sure, so that one lies wholly within it. */
const pieceMs = 100;
/** How long each part of the talk lasts. */
const phaseMs = 600;

/** What is heard one after the other: the known tones of each piece, without repetitions. */
function story(channel: Int16Array, rate: number): string[] {
  const length = (rate * pieceMs) / 1000;
  const known: Record<string, number> = { ...tones, music: promptTones.music };
  const heard: string[] = [];
  for (let at = 0; at + length <= channel.length; at += length) {
    const piece = channel.subarray(at, at + length);
    const names = Object.keys(known).filter((name) => hasTone(piece, known[name] ?? 0));
    const what = isSilent(piece) ? 'silence' : names.join('+');
    if (what !== '' && heard.at(-1) !== what) heard.push(what);
  }
  return heard;
}

/** Whether the words of `wanted` come in `heard` in this order, whatever is between them. */
const comesIn = (heard: readonly string[], wanted: readonly string[]): boolean =>
  heard.reduce((found, word) => (word === wanted[found] ? found + 1 : found), 0) === wanted.length;

/** Seed row A19: every call is recorded; issue 2, «the call that must work», 5 and 9. */
describe('the recording of a call', () => {
  const hotline = startHotline({ prompts: promptTones, environment: { RING_TIMEOUT_MS: '5000' } });
  const file = join(tmpdir(), `yht-recording-${randomIds.uuid()}.wav`);
  let agent: { desk: DeskClient; phone: TestPhone };
  let supervisor: DeskClient;
  let current: Talk;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
    supervisor = await hotline.desk('banzhang');
  });

  afterEach(async () => {
    await agent.desk.do({ do: 'endWrapUp' });
    await nothingLeft(hotline);
  });

  afterAll(() => rm(file, { force: true }));

  /** The file as the API delivers it. */
  async function recordingOf(desk: DeskClient, callId: string): Promise<WavFile> {
    const record = await recordOf(hotline, desk, callId);
    expect(record.recording).toEqual({ url: `/api/calls/${callId}/recording` });
    const { status, body } = await desk.api(record.recording?.url ?? '');
    expect(status).toBe(200);
    await writeFile(file, body as Buffer);
    return readWavFile(file);
  }

  it('has the citizen on the left, what he hears on the right, and the length of the talk', async () => {
    current = await talk(hotline, agent, '13800040001');
    await current.citizen.hearsOnly([tones.agent]);
    await current.agent.hearsOnly([tones.citizen]);
    current.citizen.says(undefined);
    await current.agent.hearsNothing();
    current.citizen.says(tones.citizen);
    await current.agent.hearsOnly([tones.citizen]);
    await current.citizen.hangup();
    await current.agent.ended();
    const { rate, channels } = await recordingOf(agent.desk, current.callId);
    expect({ rate, channels: channels.length }).toEqual({ rate: 8000, channels: 2 });
    const [left, right] = channels as [Int16Array, Int16Array];
    // FreeSWITCH writes a moment of silence before the first packet.
    expect(story(left, rate).join(' ')).toMatch(/^(silence )?citizen silence citizen$/);
    expect(story(right, rate)).toContain('agent');
    expect(story(right, rate)).not.toContain('citizen');
    const record = await recordOf(hotline, agent.desk, current.callId);
    const talkMs = (record.endedAtMs ?? 0) - (record.agentAnsweredAtMs ?? 0);
    expect(Math.abs((left.length / rate) * 1000 - talkMs)).toBeLessThan(1000);
  });

  it('goes on through hold, consultation and three-way talk', async () => {
    const subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
    current = await talk(hotline, agent, '13800040002');
    const { callId, citizen } = current;
    /** The citizen hears this for a while: FreeSWITCH's recording lacks moments around each change of the legs. */
    const listens = async (wanted: readonly number[]) => {
      await citizen.hearsOnly(wanted);
      await pause(phaseMs);
      await citizen.hearsOnly(wanted);
    };
    await listens([tones.agent]);
    await agent.desk.do({ do: 'hold', callId });
    await agent.desk.callState('held');
    await listens([promptTones.music]);
    await agent.desk.do({ do: 'resume', callId });
    await agent.desk.callState('talking');
    await listens([tones.agent]);
    await agent.desk.do({ do: 'consult', callId, number: '12366' });
    const third = await subcentre.nextInvite();
    third.answer();
    await agent.desk.callState('consulting');
    await listens([promptTones.music]);
    await agent.desk.do({ do: 'joinThreeWay', callId });
    await agent.desk.callState('threeWay');
    await listens([tones.agent, tones.subcentre]);
    await agent.desk.do({ do: 'leave', callId });
    await current.agent.ended();
    await listens([tones.subcentre]);
    await citizen.hangup();
    await third.ended();
    const { rate, channels } = await recordingOf(agent.desk, callId);
    const [left, right] = channels as [Int16Array, Int16Array];
    const heard = story(right, rate);
    const wanted = ['agent', 'music', 'agent', 'music', 'agent+subcentre', 'subcentre'];
    expect(comesIn(heard, wanted), `heard ${heard.join(', ')}`).toBe(true);
    expect(new Set(story(left, rate))).toContain('citizen');
    expect(story(left, rate)).not.toContain('agent');
  });

  it('is heard by the agent who talked and by the supervisor, and by nobody else', async () => {
    // 1001 refuses the call; 1002 takes it.
    const second = await readyAgent(hotline, '1002');
    const subcentreDesk = await hotline.desk('12366');
    const call = await (await hotline.citizen('13800040003', { toneHz: tones.citizen })).call('12345');
    const refused = await agent.phone.nextInvite();
    refused.reject(486);
    const ringing = await second.phone.nextInvite();
    const { call: offer } = await second.desk.push('offer');
    ringing.answer();
    await call.hears(tones.agent);
    await call.hangup();
    await ringing.ended();
    await recordOf(hotline, second.desk, offer.callId);
    const path = `/api/calls/${offer.callId}/recording`;
    const statusFor = async (desk: DeskClient) => (await desk.api(path)).status;
    expect(await statusFor(second.desk)).toBe(200);
    expect(await statusFor(supervisor)).toBe(200);
    expect(await statusFor(subcentreDesk)).toBe(403);
    expect(await statusFor(agent.desk)).toBe(403);
    expect((await fetch(`${hotline.webUrl}${path}`)).status).toBe(401);
    await second.desk.do({ do: 'signOff' });
    subcentreDesk.close();
    await agent.desk.do({ do: 'ready' });
  });

  /** Issue 3, section 1, «disk full (the call goes on, an alarm is raised)». */
  it('raises the alarm when the disk is full, and the talk goes on', async () => {
    const citizen = await (await hotline.citizen('13800040006', { toneHz: tones.citizen })).call('12345');
    const ringing = await agent.phone.nextInvite();
    const { id, startedAtMs } = await liveCall(hotline, '13800040006', ['offering']);
    const day = new Date(startedAtMs).toISOString().slice(0, 10);
    const disk = await fullDisk(join(hotline.switch.recordingsFolder, day));
    const path = await disk.file(`${id}.wav`);
    ringing.answer();
    await ringing.hears(tones.citizen);
    const told = () =>
      Promise.all([
        agent.desk.push('notice', ({ text }) => text.startsWith('录音中断') && text.includes('请把要点记入工单')),
        supervisor.push('notice', ({ text }) => text.startsWith('录音中断') && text.includes('清理录音磁盘')),
      ]);
    // FreeSWITCH tells at the end what it could not write; that there is no room is found at once.
    const atOnce = disk.mounted || hotline.switch.kind === 'embedded';
    if (atOnce) {
      await told();
      expect(await agent.desk.callState('talking')).toMatchObject({ recording: false, recordingLost: true });
    }
    await citizen.hearsOnly([tones.agent]);
    await ringing.hearsOnly([tones.citizen]);
    if (disk.mounted) {
      const health = await supervisor.api('/healthz');
      expect(health).toMatchObject({ status: 200, body: { recordings: { state: 'full' } } });
    }
    // Long enough for FreeSWITCH to fill what room there is.
    await pause(phaseMs * 3);
    await citizen.hangup();
    await ringing.ended();
    await told();
    const { journal } = await recordOf(hotline, supervisor, id);
    const entries = z.array(z.looseObject({ event: z.string(), details: z.unknown() })).parse(journal);
    // A file that leads to /dev/full FreeSWITCH may refuse to begin.
    const failed = entries.find(({ event }) => event === 'recordingFailed' || event === 'commandFailed');
    expect(failed?.details).toMatchObject(
      failed?.event === 'commandFailed'
        ? { command: 'record' }
        : { path, failure: disk.mounted ? 'disk-full' : 'not-written' },
    );
    const counted = async () =>
      /^yht_recordings_failed_total (\d+)$/m.exec(await (await fetch(`${hotline.webUrl}/metrics`)).text())?.[1];
    expect(await counted()).toBe('1');
    await disk.release();
  });

  it('is there even if the talk was short, and 404 where nobody talked', async () => {
    current = await talk(hotline, agent, '13800040004');
    await finish(current, agent.desk);
    await recordOf(hotline, agent.desk, current.callId);
    await agent.desk.do({ do: 'break', reason: '小休' });
    const call = await (await hotline.citizen('13800040005')).call('12345');
    await call.answered();
    const [waiting] = hotline.app.control.runtime.all();
    await call.hangup();
    const record = await recordOf(hotline, supervisor, waiting?.id ?? '');
    expect(record.recording).toBeNull();
    expect((await supervisor.api(`/api/calls/${record.id}/recording`)).status).toBe(404);
    await agent.desk.do({ do: 'ready' });
  });
});
