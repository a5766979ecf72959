import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { liveCall, nothingLeft, recordOf } from '../../support/hotline/calls.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, promptTones, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import { until } from '../../support/until.ts';

/** What nobody takes for a hole in a voice, on a machine that runs other tests beside this one. */
const holeMs = 400;

const callbacksSchema = z.object({
  callbacks: z.array(z.looseObject({ callerNumber: z.string(), reason: z.string() })),
});

/** Issue 3, section 5, «twice the capacity»; seed rows A08 (traffic above seat capacity), B12 (a day of panic). */
describe('a hotline for four calls, one of them waiting', () => {
  const hotline = startHotline({
    environment: { MAX_LIVE_CALLS: '4', QUEUE_MAX_WAITING: '1' },
    prompts: promptTones,
    // Longer than the crowd takes to come in, so that nobody has gone before the last is there.
    promptMs: 3000,
  });
  let supervisor: DeskClient;
  let talks: { readonly agent: Awaited<ReturnType<typeof readyAgent>>; readonly talk: Talk }[];

  beforeAll(async () => {
    supervisor = await hotline.desk('banzhang');
    talks = [];
    for (const login of ['1001', '1002']) {
      const agent = await readyAgent(hotline, login);
      talks.push({ agent, talk: await talk(hotline, agent, `1390000${login}`) });
    }
  });

  it('gives each of a crowd what is planned, and who is in keeps his sound and gets every leg that he needs', async () => {
    const sinceMs = performance.now();
    // Two talk already: two more are let in, of whom one may wait; four are told beyond that; the last one hears busy.
    const crowd = Array.from({ length: 7 }, (_, index) => `1380006000${index}`);
    const phones = await Promise.all(crowd.map((number) => hotline.citizen(number)));
    const calls = await Promise.all(phones.map((phone) => phone.call('12345')));
    await until('everybody’s treatment', () => {
      const states = hotline.app.control.runtime.all().map(({ state }) => state);
      const count = (wanted: string) => states.filter((state) => state === wanted).length;
      return count('waiting') === 1 && count('closing') === 5 && calls.filter((call) => call.isEnded).length === 1;
    });
    for (const [index, call] of calls.entries()) {
      const mine = hotline.app.control.runtime.all().find(({ callerNumber }) => callerNumber === crowd[index]);
      if (mine === undefined) expect(await call.ended()).toMatchObject({ by: 'them', sipStatus: 486 });
      else await call.hearsOnly([promptTones[mine.state === 'waiting' ? 'music' : 'busy-callback']]);
    }

    // Meanwhile a call that is in gets a third party, and the other one a listener.
    const [first, second] = talks;
    if (first === undefined || second === undefined) throw new Error('two agents talk');
    const subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
    await first.agent.desk.do({ do: 'consult', callId: first.talk.callId, number: '12366' });
    const third = await subcentre.nextInvite();
    third.answer();
    await third.hearsOnly([tones.agent]);
    const listener = await hotline.agentPhone('1009');
    await supervisor.do({ do: 'supervise', callId: second.talk.callId, mode: 'listen' });
    const listening = await listener.nextInvite();
    listening.answer();
    await listening.hearsOnly([tones.citizen, tones.agent]);

    // The other talk went on through it all, without a hole.
    for (const [call, hz] of [
      [second.talk.citizen, tones.agent],
      [second.talk.agent, tones.citizen],
    ] as const) {
      const arrivals = call.parts.media.arrivalsOf(hz, sinceMs);
      const holes = arrivals.slice(1).filter((atMs, index) => atMs - (arrivals[index] ?? atMs) > holeMs);
      expect(holes).toEqual([]);
      expect(arrivals.length).toBeGreaterThan(((performance.now() - sinceMs) / 20) * 0.9);
    }

    await until('the end of all announcements', () => calls.filter((call) => call.isEnded).length === 6);
    const list = async () => callbacksSchema.parse((await supervisor.api('/api/callbacks')).body).callbacks;
    await until('all who are owed a call-back on the list', async () => (await list()).length >= 5);
    const owed = await list();
    for (const { callerNumber } of owed) expect(crowd).toContain(callerNumber);
    const reasons = owed.map(({ reason }) => reason).toSorted();
    expect(reasons).toEqual([...Array<string>(4).fill('over-capacity'), 'queue-full']);

    await first.agent.desk.do({ do: 'cancelConsult', callId: first.talk.callId });
    await first.agent.desk.callState('talking');
    await third.ended();
    for (const { agent, talk: one } of talks) await finish(one, agent.desk);
    await listening.ended();
    for (const call of calls) if (!call.isEnded) await call.hangup();
    await nothingLeft(hotline);
  });
});

describe('a hotline for one call', () => {
  const hotline = startHotline({ environment: { MAX_LIVE_CALLS: '1' }, prompts: promptTones, promptMs: 2000 });

  it('tells one caller more that he will be called back, or to call later if he hides his number; the rest hear busy', async () => {
    const supervisor = await hotline.desk('banzhang');
    const served = await (await hotline.citizen('13800061001')).call('12345');
    await served.hears(promptTones.music);
    const hidden = await (await hotline.citizen('anonymous')).call('12345');
    await hidden.hears(promptTones['queue-full-busy']);
    const { id } = await liveCall(hotline, '', ['closing']);
    const busy = await (await hotline.citizen('13800061003')).call('12345');
    expect(await busy.ended()).toMatchObject({ by: 'them', sipStatus: 486 });
    expect((await hidden.ended()).by).toBe('them');
    expect(await recordOf(hotline, supervisor, id)).toMatchObject({ endClass: 'us', endReason: 'over-capacity' });
    const metrics = await (await fetch(`${hotline.webUrl}/metrics`)).text();
    expect(metrics).toMatch(/^yht_calls_refused_total 1$/m);
    await served.hears(promptTones.music);
    await served.hangup();
    await nothingLeft(hotline);
  });
});
