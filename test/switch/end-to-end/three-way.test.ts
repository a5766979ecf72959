import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { IncomingCall } from '../../support/phone/incoming-call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

/** Seed rows C05, C06, C22; issue 2, «the call that must work», 7. */
describe('the sub-centre 12366 joins a call', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  let subcentre: TestPhone;
  let subcentreDesk: DeskClient;
  let current: Talk;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
    subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
    subcentreDesk = await hotline.desk('12366');
  });

  afterEach(() => finish(current, agent.desk));

  /** An agent in a talk asks for 12366. @returns its phone, which has not said a word yet. */
  async function ask(how: 'consult' | 'transfer') {
    current = await talk(hotline, agent);
    await agent.desk.do({ do: how, callId: current.callId, number: '12366' });
    return subcentre.nextInvite();
  }

  /** The same with a line that sends sound before it answers: the agent hears it, and the citizen does not. */
  async function askEarly(how: 'consult' | 'transfer') {
    const third = await ask(how);
    third.progress();
    await current.agent.hearsOnly([tones.subcentre]);
    return third;
  }

  /** The citizen, put through, ends the call. */
  async function end(third: IncomingCall): Promise<void> {
    await current.citizen.hangup();
    await third.ended();
  }

  /** The agent asks 12366, which answers: agent and sub-centre talk, the citizen hears neither. */
  async function consult() {
    current = await talk(hotline, agent);
    const { callId } = current;
    await agent.desk.do({ do: 'consult', callId, number: '12366' });
    const ringing = await subcentre.nextInvite();
    ringing.ring();
    await subcentreDesk.push('offer', (push) => push.call.callId === callId);
    ringing.answer();
    await agent.desk.callState('consulting');
    await current.agent.hears(tones.subcentre);
    await ringing.hears(tones.agent);
    return ringing;
  }

  it('shows the same card and draft on the sub-centre’s desk while its phone rings', async () => {
    current = await talk(hotline, agent, '13900005678');
    const { callId } = current;
    const body = {
      citizenName: '李女士',
      contactNumber: '',
      matterType: '咨询' as const,
      category: '税务',
      address: '',
      content: '个税退税',
      unit: '',
    };
    await agent.desk.do({ do: 'saveDraft', callId, baseVersion: 0, body });
    await agent.desk.do({ do: 'consult', callId, number: '12366' });
    const ringing = await subcentre.nextInvite();
    expect(ringing.header('X-Yht-Call')).toBe(callId);
    ringing.ring();
    const offer = await subcentreDesk.push('offer', (push) => push.call.callId === callId);
    expect(offer.call).toMatchObject({
      as: 'subcentre',
      state: 'ringing',
      card: { number: '139****5678', dialledNumber: '12345' },
    });
    expect(offer.draft?.body.content).toBe('个税退税');
    // What the agent types meanwhile is seen there, too.
    await agent.desk.do({
      do: 'saveDraft',
      callId,
      baseVersion: 1,
      body: { ...body, content: '个税退税，二〇二五年度' },
    });
    await subcentreDesk.push('draft', (push) => push.draft.body.content.endsWith('年度'));
    await agent.desk.do({ do: 'cancelConsult', callId });
    await ringing.ended();
    await current.citizen.hears(tones.agent);
  });

  it('is consulted while the citizen hears music, then all three talk, then the agent leaves', async () => {
    const third = await consult();
    const { callId } = current;
    await agent.desk.do({ do: 'joinThreeWay', callId });
    await agent.desk.callState('threeWay');
    await Promise.all([
      current.citizen.hearsOnly([tones.agent, tones.subcentre]),
      current.agent.hearsOnly([tones.citizen, tones.subcentre]),
      third.hearsOnly([tones.citizen, tones.agent]),
    ]);
    await agent.desk.do({ do: 'leave', callId });
    await current.agent.ended();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await current.citizen.hearsOnly([tones.subcentre]);
    await third.hearsOnly([tones.citizen]);
    await third.hangup();
    await current.citizen.ended();
    await hotline.callOver(callId);
    const record = await agent.desk.api(`/api/calls/${callId}`);
    expect(record.body).toMatchObject({ endClass: 'success', endReason: 'subcentre-hung-up', legs: { length: 3 } });
  });

  it('leaves a three-way call and citizen and agent go on', async () => {
    const third = await consult();
    const { callId } = current;
    await agent.desk.do({ do: 'joinThreeWay', callId });
    await agent.desk.callState('threeWay');
    await current.citizen.hearsOnly([tones.agent, tones.subcentre]);
    await third.hangup();
    await agent.desk.callState('talking');
    await current.citizen.hearsOnly([tones.agent]);
    await current.agent.hearsOnly([tones.citizen]);
    // Hold still works after the conference has shrunk to two.
    await agent.desk.do({ do: 'hold', callId });
    await agent.desk.callState('held');
    await current.agent.hearsNothing();
    await agent.desk.do({ do: 'resume', callId });
    await current.agent.hears(tones.citizen);
  });

  it('is talked to alone and sent away; the citizen is back with the agent', async () => {
    const third = await consult();
    await agent.desk.do({ do: 'cancelConsult', callId: current.callId });
    await third.ended();
    await agent.desk.callState('talking');
    await current.citizen.hears(tones.agent);
    await current.agent.hears(tones.citizen);
  });

  it('gets the citizen when the agent hangs his phone up in the consultation', async () => {
    const third = await consult();
    await current.agent.hangup();
    await current.citizen.hears(tones.subcentre);
    await third.hears(tones.citizen);
    await end(third);
  });

  it('gets the citizen by a transfer from the page', async () => {
    const third = await ask('transfer');
    third.ring();
    third.answer();
    await current.agent.ended();
    await current.citizen.hears(tones.subcentre);
    await third.hears(tones.citizen);
    await end(third);
  });

  it('is heard by the agent before it answers, and not by the citizen', async () => {
    const third = await askEarly('consult');
    const { callId } = current;
    third.answer();
    await agent.desk.callState('consulting');
    await current.agent.hearsOnly([tones.subcentre]);
    await third.hearsOnly([tones.agent]);
    await agent.desk.do({ do: 'leave', callId });
    await current.agent.ended();
    await current.citizen.hearsOnly([tones.subcentre]);
    await end(third);
  });

  it('is heard in a transfer, and gets the citizen when it answers', async () => {
    const third = await askEarly('transfer');
    third.answer();
    await current.agent.ended();
    await current.citizen.hearsOnly([tones.subcentre]);
    await third.hearsOnly([tones.citizen]);
    await end(third);
  });

  it('is heard by the agent, who hangs up: whoever answers gets the citizen', async () => {
    const third = await askEarly('consult');
    await current.agent.hangup();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    third.answer();
    await current.citizen.hearsOnly([tones.subcentre]);
    await end(third);
  });

  it('says that it is busy and ends: the agent is told and the citizen waits', async () => {
    const third = await askEarly('consult');
    const { callId } = current;
    third.reject(486);
    await agent.desk.push('notice', (push) => push.text.includes('对方忙'));
    await agent.desk.do({ do: 'resume', callId });
    await current.citizen.hears(tones.agent);
    await current.agent.hears(tones.citizen);
  });

  it.each([
    [486, '对方忙'],
    [603, '对方拒接'],
    [480, '无人应答'],
    [404, '号码不存在'],
    [503, '未能接通'],
  ])('refuses with %i: the citizen waits for one click of the agent', async (status, text) => {
    const third = await ask('consult');
    const { callId } = current;
    third.reject(status);
    await agent.desk.callState('held');
    await agent.desk.push('notice', (push) => push.text.includes(text));
    await agent.desk.do({ do: 'resume', callId });
    await current.citizen.hears(tones.agent);
    await current.agent.hears(tones.citizen);
  });

  it('is busy and the agent does nothing: the citizen comes back by himself', async () => {
    (await ask('consult')).reject(486);
    await agent.desk.callState('held');
    await agent.desk.callState('talking', 12_000);
    await current.citizen.hears(tones.agent);
  });

  it('still talks with the agent when the citizen hangs up first', async () => {
    const third = await consult();
    await current.citizen.hangup();
    await current.agent.hears(tones.subcentre);
    await third.hears(tones.agent);
    await agent.desk.do({ do: 'hangup', callId: current.callId });
    await third.ended();
    await current.agent.ended();
  });

  it('is not called when the number is not in the directory', async () => {
    current = await talk(hotline, agent);
    const reply = await agent.desk.request({ do: 'consult', callId: current.callId, number: '00861234567' });
    expect(reply).toMatchObject({ ok: false, code: 'unknown-target' });
    await agent.desk.callState('talking');
  });
});
