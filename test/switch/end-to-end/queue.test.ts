import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { liveCall, nothingLeft, recordOf } from '../../support/hotline/calls.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, promptTones, readyAgent, talk, tones } from '../../support/hotline/talking.ts';
import type { IncomingCall } from '../../support/phone/incoming-call.ts';
import type { OutgoingCall } from '../../support/phone/outgoing-call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

const position = [promptTones['position-before'], promptTones.d1, promptTones['position-after']];

/** Seed rows A08 (traffic above seat capacity), B12 (a day of panic); issue 2, «the call that must work», 3. */
describe('a queue with room for one', () => {
  const hotline = startHotline({ environment: { QUEUE_MAX_WAITING: '1' }, prompts: promptTones });
  let supervisor: DeskClient;

  beforeAll(async () => {
    supervisor = await hotline.desk('banzhang');
  });

  it('says to the second caller that he will be called back, and ends with our own limit as the reason', async () => {
    const first = await (await hotline.citizen('13800050001')).call('12345');
    await first.answered();
    await first.hears(promptTones.music);
    const second = await (await hotline.citizen('13800050002')).call('12345');
    await second.hears(promptTones['busy-callback']);
    expect(second.parts.media.arrivalsOf(promptTones.music, 0)).toEqual([]);
    const { id } = await liveCall(hotline, '13800050002', ['closing']);
    expect((await second.ended()).by).toBe('them');
    expect(await recordOf(hotline, supervisor, id)).toMatchObject({ endClass: 'us', endReason: 'queue-full' });
    // Whoever has a place keeps it, and the place is free again when he goes.
    await first.hears(promptTones.music);
    await first.hangup();
    await nothingLeft(hotline);
    const third = await (await hotline.citizen('13800050003')).call('12345');
    await third.hears(promptTones.music);
    await third.hangup();
    await nothingLeft(hotline);
  });

  it('takes calls as fast as there are free agents, however many at once', async () => {
    const agents = [await readyAgent(hotline, '1001'), await readyAgent(hotline, '1002')];
    const phones = await Promise.all(['13800050004', '13800050005'].map((number) => hotline.citizen(number)));
    const calls = await Promise.all(phones.map((phone) => phone.call('12345')));
    for (const { phone } of agents) (await phone.nextInvite()).answer();
    for (const call of calls) await call.hears(tones.agent);
    for (const call of calls) await call.hangup();
    for (const { desk } of agents) {
      await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
      await desk.do({ do: 'signOff' });
    }
    await nothingLeft(hotline);
  });
});

/** Issue 2, «the call that must work», 3: never dropped in silence. */
describe('the longest wait', () => {
  const hotline = startHotline({ environment: { QUEUE_MAX_WAIT_MS: '1500' }, prompts: promptTones });

  it('ends with an excuse, and a planned end', async () => {
    const supervisor = await hotline.desk('banzhang');
    const call = await (await hotline.citizen('13800050011')).call('12345');
    await call.hears(promptTones.music);
    const { id } = await liveCall(hotline, '13800050011', ['waiting']);
    await call.hears(promptTones['no-agent-sorry']);
    expect((await call.ended()).by).toBe('them');
    expect(await recordOf(hotline, supervisor, id)).toMatchObject({ endClass: 'us', endReason: 'wait-limit' });
    await nothingLeft(hotline);
  });

  it('does not cut off a caller for whom a phone rings already', async () => {
    const agent = await readyAgent(hotline);
    const call = await (await hotline.citizen('13800050012', { toneHz: tones.citizen })).call('12345');
    const ringing = await agent.phone.nextInvite();
    ringing.ring();
    const { id, queuedAtMs } = await liveCall(hotline, '13800050012', ['offering']);
    await expect.poll(() => Date.now() - (queuedAtMs ?? 0), { timeout: 5000 }).toBeGreaterThan(2000);
    ringing.answer();
    await call.hears(tones.agent);
    await call.hangup();
    await ringing.ended();
    expect(await recordOf(hotline, agent.desk, id)).toMatchObject({ endClass: 'success' });
    await nothingLeft(hotline);
  });
});

/** Issue 2, «the call that must work», 3: music and position announcements; 8: wrap-up. */
describe('waiting callers and agents', () => {
  const hotline = startHotline({ environment: { WRAP_UP_MS: '1000' }, prompts: promptTones });

  it('hear their position, and then the music again; first come is first served', { timeout: 60_000 }, async () => {
    const first = await (await hotline.citizen('13800050021')).call('12345');
    await first.hears(promptTones.music);
    const second = await (await hotline.citizen('13800050022')).call('12345');
    await second.hears(promptTones.music);
    // The first announcement comes half a minute after the beginning of the wait.
    await first.hears(promptTones['all-busy-wait'], { withinMs: 35_000 });
    for (const tone of position) await second.hears(tone, { withinMs: 35_000 });
    await first.hears(promptTones.music);
    await second.hears(promptTones.music);
    const agent = await readyAgent(hotline);
    const one = await agent.phone.nextInvite();
    expect(one.callerNumber).toBe('13800050021');
    one.answer();
    await first.hears(tones.agent);
    await first.hangup();
    await one.ended();
    // The wrap-up ends by itself, and the next caller comes.
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    const two = await agent.phone.nextInvite({ withinMs: 6000 });
    expect(two.callerNumber).toBe('13800050022');
    two.answer();
    await second.hears(tones.agent);
    await second.hangup();
    await two.ended();
    await nothingLeft(hotline);
    await agent.desk.do({ do: 'signOff' });
    agent.desk.close();
    await agent.phone.close();
  });

  it('get no call on a break; a break that is asked for during a call begins behind it', async () => {
    const agent = await readyAgent(hotline);
    await agent.desk.do({ do: 'break', reason: '就餐' });
    const waiting = await (await hotline.citizen('13800050023', { toneHz: tones.citizen })).call('12345');
    await waiting.hears(promptTones.music);
    await liveCall(hotline, '13800050023', ['waiting']);
    expect(agent.desk.pushes.filter((push) => push.type === 'offer')).toEqual([]);
    await agent.desk.do({ do: 'ready' });
    const ringing = await agent.phone.nextInvite();
    ringing.answer();
    await waiting.hears(tones.agent);
    await agent.desk.do({ do: 'break', reason: '会议' });
    await agent.desk.seatIs('busy still', (seat) => seat.status === 'busy');
    await waiting.hears(tones.agent);
    await waiting.hangup();
    await agent.desk.seatIs('on the break', (seat) => seat.status === 'break' && seat.reason === '会议');
    await nothingLeft(hotline);
    await agent.desk.do({ do: 'signOff' });
    agent.desk.close();
    await agent.phone.close();
  });
});

/** Issue 2, «the call that must work», 8, and «bad input»: whoever hangs up, whenever: no leg, seat or call is left. */
describe('the citizen hangs up', () => {
  const hotline = startHotline({
    environment: { FLOW: 'seed-menu', RATING: 'on', WRAP_UP_MS: '60000' },
    prompts: promptTones,
  });
  let agent: { desk: DeskClient; phone: TestPhone };
  let subcentre: TestPhone;
  let call: OutgoingCall;
  let ringing: IncomingCall | undefined;
  let third: IncomingCall | undefined;
  let number = 13800051000;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
    subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
  });

  afterEach(async () => {
    await ringing?.ended();
    await third?.ended();
    ringing = undefined;
    third = undefined;
    await nothingLeft(hotline);
    const { status } = agent.desk.seat ?? {};
    if (status === 'wrapUp') await agent.desk.do({ do: 'endWrapUp' });
    if (status === 'break') await agent.desk.do({ do: 'ready' });
  });

  const dial = async () => {
    number += 1;
    call = await (await hotline.citizen(String(number), { toneHz: tones.citizen })).call('12345');
    await call.hears(promptTones['greeting-menu']);
  };
  const wait = async () => {
    await agent.desk.do({ do: 'break', reason: '小休' });
    await dial();
    await call.sendDigit('0');
    await call.hears(promptTones.music);
  };
  const ring = async () => {
    await dial();
    await call.sendDigit('0');
    ringing = await agent.phone.nextInvite();
    ringing.ring();
  };
  const answer = async () => {
    await ring();
    ringing?.answer();
    await call.hears(tones.agent);
    await agent.desk.callState('talking');
  };
  const hold = async () => {
    await answer();
    await agent.desk.do({ do: 'hold', callId: agent.desk.call?.callId ?? '' });
    await call.hears(promptTones.music);
  };
  const consult = async () => {
    await answer();
    await agent.desk.do({ do: 'consult', callId: agent.desk.call?.callId ?? '', number: '12366' });
    third = await subcentre.nextInvite();
    third.ring();
    await agent.desk.callState('consultRinging');
    await call.hears(promptTones.music);
  };
  const consultTalk = async () => {
    await consult();
    third?.answer();
    await agent.desk.callState('consulting');
    await ringing?.hears(tones.subcentre);
  };
  const threeWay = async () => {
    await consultTalk();
    await agent.desk.do({ do: 'joinThreeWay', callId: agent.desk.call?.callId ?? '' });
    await call.hearsOnly([tones.agent, tones.subcentre]);
  };
  const leave = async () => {
    await threeWay();
    await agent.desk.do({ do: 'leave', callId: agent.desk.call?.callId ?? '' });
    await ringing?.ended();
    await call.hearsOnly([tones.subcentre]);
  };
  const rating = async () => {
    await answer();
    await ringing?.hangup();
    await call.hears(promptTones['rating-ask']);
  };

  it.each([
    ['flow', dial, 'caller', 'abandoned-in-flow'],
    ['waiting', wait, 'caller', 'abandoned-waiting'],
    ['offering', ring, 'caller', 'abandoned-waiting'],
    ['talking', answer, 'success', 'citizen-hung-up'],
    ['held', hold, 'success', 'citizen-hung-up'],
    ['consultRinging', consult, 'success', 'citizen-hung-up'],
    ['withSubcentre', leave, 'success', 'citizen-hung-up'],
    ['rating', rating, 'success', 'agent-hung-up'],
  ] as const)('in the state «%s»', async (state, reach, endClass, endReason) => {
    await reach();
    const { id } = await liveCall(hotline, String(number), [state]);
    await call.hangup();
    expect(await recordOf(hotline, agent.desk, id)).toMatchObject({ endClass, endReason });
  });

  it.each([
    ['consulting', consultTalk],
    ['threeWay', threeWay],
  ] as const)('in the state «%s»: agent and sub-centre may finish their words', async (state, reach) => {
    await reach();
    const { id } = await liveCall(hotline, String(number), [state]);
    await call.hangup();
    await liveCall(hotline, String(number), ['agentWithSubcentre']);
    await ringing?.hearsOnly([tones.subcentre]);
    await third?.hearsOnly([tones.agent]);
    await third?.hangup();
    await ringing?.ended();
    expect(await recordOf(hotline, agent.desk, id)).toMatchObject({
      endClass: 'success',
      endReason: 'citizen-hung-up',
    });
  });

  it('before the answer, with CANCEL', async () => {
    number += 1;
    call = await (await hotline.citizen(String(number))).call('12345');
    await call.cancel();
    await nothingLeft(hotline);
  });

  it('and the agent in the same moment', async () => {
    await answer();
    const { id } = await liveCall(hotline, String(number), ['talking']);
    await Promise.all([call.hangup(), ringing?.hangup()]);
    const record = await recordOf(hotline, agent.desk, id);
    expect(record.endClass).toBe('success');
    expect(['citizen-hung-up', 'agent-hung-up']).toContain(record.endReason);
  });

  it('and the agent presses «hang up» in the same moment, twice', async () => {
    await answer();
    const { id } = await liveCall(hotline, String(number), ['talking']);
    const [, ...replies] = await Promise.all([
      call.hangup(),
      agent.desk.request({ do: 'hangup', callId: id }),
      agent.desk.request({ do: 'hangup', callId: id }),
    ]);
    for (const reply of replies)
      if (!reply.ok) expect(['not-now', 'call-ended', 'not-your-call']).toContain(reply.code);
    expect((await recordOf(hotline, agent.desk, id)).endClass).toBe('success');
  });

  it('and all three in the same moment', async () => {
    await threeWay();
    const { id } = await liveCall(hotline, String(number), ['threeWay']);
    await Promise.all([call.hangup(), ringing?.hangup(), third?.hangup()]);
    expect((await recordOf(hotline, agent.desk, id)).endClass).toBe('success');
  });

  it('and the agent answers in the same moment', async () => {
    await ring();
    const { id } = await liveCall(hotline, String(number), ['offering']);
    ringing?.answer();
    await call.hangup();
    const record = await recordOf(hotline, agent.desk, id);
    expect(['abandoned-waiting', 'citizen-hung-up']).toContain(record.endReason);
  });

  it('and the service still takes the next call', async () => {
    number += 1;
    await answer();
    await call.hangup();
    await nothingLeft(hotline);
  });
});

/** Issue 2, 8: an agent's hang-up never drops the citizen in silence. */
describe('the agent', () => {
  const hotline = startHotline({ prompts: promptTones });
  let agent: { desk: DeskClient; phone: TestPhone };

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  it('hangs up while the citizen is held: goodbye, then the end', async () => {
    const current = await talk(hotline, agent, '13800050041');
    await agent.desk.do({ do: 'hold', callId: current.callId });
    await current.citizen.hears(promptTones.music);
    await current.agent.hangup();
    await current.citizen.hears(promptTones.goodbye);
    await current.citizen.ended();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await agent.desk.do({ do: 'endWrapUp' });
    await nothingLeft(hotline);
  });

  it('cannot do what the state does not allow, and is told so', async () => {
    const current = await talk(hotline, agent, '13800050042');
    const { callId } = current;
    for (const wish of ['resume', 'cancelConsult', 'joinThreeWay', 'leave'] as const)
      expect(await agent.desk.request({ do: wish, callId })).toMatchObject({ ok: false, code: 'not-now' });
    await current.citizen.hears(tones.agent);
    await finish(current, agent.desk);
    await hotline.callOver(callId);
    for (const wish of ['hold', 'hangup', 'leave'] as const)
      expect(await agent.desk.request({ do: wish, callId })).toMatchObject({ ok: false, code: 'call-ended' });
    await nothingLeft(hotline);
  });
});
