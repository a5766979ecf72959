import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { TestCall } from '../../support/phone/call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';
import { testDomain } from '../../support/switch.ts';

/** Seed rows C22 and C23, from the phone instead of the page (docs/adr/0020). */
describe('the agent presses "transfer" on his phone', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  let subcentre: TestPhone;
  let current: Talk;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
    subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
  });

  afterEach(() => finish(current, agent.desk));

  async function presses(number: string): Promise<void> {
    const answer = await current.agent.request('REFER', [['Refer-To', `<sip:${number}@${testDomain}>`]]);
    expect(answer.status).toBe(202);
  }

  /** From the page; the two hear each other. */
  async function consults(): Promise<TestCall> {
    await agent.desk.do({ do: 'consult', callId: current.callId, number: '12366' });
    const third = await subcentre.nextInvite();
    third.answer();
    await agent.desk.callState('consulting');
    await third.hears(tones.agent);
    return third;
  }

  /** What the phone is told in the end. */
  const told = (call: TestCall): Promise<string> =>
    call.parts.watch
      .until('the outcome', 5000, () => call.requests.find(({ method }) => method === 'NOTIFY'))
      .then(({ body }) => body.trim());

  async function theyTalkOn(): Promise<void> {
    await agent.desk.callState('talking');
    await current.citizen.hearsOnly([tones.agent]);
    await current.agent.hearsOnly([tones.citizen]);
  }

  it('and the sub-centre answers: the phone is told, its owner is free, citizen and sub-centre talk', async () => {
    current = await talk(hotline, agent);
    await presses('12366');
    const third = await subcentre.nextInvite();
    third.ring();
    expect(third.header('X-Yht-Call')).toBe(current.callId);
    expect(current.agent.requests.filter(({ method }) => method === 'NOTIFY')).toEqual([]);
    third.answer();
    expect(await told(current.agent)).toBe('SIP/2.0 200 OK');
    await current.agent.ended();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await current.citizen.hearsOnly([tones.subcentre]);
    await third.hearsOnly([tones.citizen]);
    await current.citizen.hangup();
    await third.ended();
  });

  it('and hangs up at once, as many phones do: the sub-centre rings on for the citizen', async () => {
    current = await talk(hotline, agent);
    await presses('12366');
    await current.agent.hangup();
    const third = await subcentre.nextInvite();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    third.answer();
    await current.citizen.hearsOnly([tones.subcentre]);
    await current.citizen.hangup();
    await third.ended();
  });

  it('and the sub-centre is busy: phone and desk are told, the two talk on', async () => {
    current = await talk(hotline, agent);
    await presses('12366');
    (await subcentre.nextInvite()).reject(486);
    expect(await told(current.agent)).toBe('SIP/2.0 403 Forbidden');
    await agent.desk.push('notice', (push) => push.text.includes('对方忙'));
    await theyTalkOn();
  });

  it('and hears the outside line ring; it is busy after all', async () => {
    current = await talk(hotline, agent);
    await presses('12366');
    const third = await subcentre.nextInvite();
    third.progress();
    await current.agent.hearsOnly([tones.subcentre]);
    third.reject(486);
    expect(await told(current.agent)).toBe('SIP/2.0 403 Forbidden');
    await theyTalkOn();
  });

  it('and takes it back on the page', async () => {
    current = await talk(hotline, agent);
    await presses('12366');
    const third = await subcentre.nextInvite();
    third.ring();
    await agent.desk.do({ do: 'cancelConsult', callId: current.callId });
    await third.ended();
    expect(await told(current.agent)).toBe('SIP/2.0 403 Forbidden');
    await theyTalkOn();
  });

  it('with a number that is not in the directory: refused at once, the two talk on and may transfer again', async () => {
    current = await talk(hotline, agent);
    await presses('00861234567');
    expect(await told(current.agent)).toBe('SIP/2.0 403 Forbidden');
    await agent.desk.push('notice', (push) => push.text.includes('00861234567'));
    await theyTalkOn();
    await presses('12366');
    (await subcentre.nextInvite()).answer();
    await current.agent.ended();
    await current.citizen.hearsOnly([tones.subcentre]);
  });

  it('with the hotline’s own number: the citizen waits for the next agent', async () => {
    current = await talk(hotline, agent);
    await presses('12345');
    expect(await told(current.agent)).toBe('SIP/2.0 200 OK');
    await current.agent.ended();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await current.citizen.hearsSomething();
    expect(hotline.app.control.runtime.get(current.callId)?.state).toBe('waiting');
    // Before the agent is ready again: a call that is about to be over would be offered to him.
    await current.citizen.hangup();
    await hotline.callOver(current.callId);
  });

  it('and the citizen hangs up: nobody is rung any more', async () => {
    current = await talk(hotline, agent);
    await presses('12366');
    const third = await subcentre.nextInvite();
    third.ring();
    await current.citizen.hangup();
    await third.ended();
    await current.agent.ended();
  });

  it('in a consultation, with the number that he consults: the citizen is put through', async () => {
    current = await talk(hotline, agent);
    const third = await consults();
    await presses('12366');
    expect(await told(current.agent)).toBe('SIP/2.0 200 OK');
    await current.agent.ended();
    await current.citizen.hearsOnly([tones.subcentre]);
    await third.hearsOnly([tones.citizen]);
    await current.citizen.hangup();
    await third.ended();
  });

  it('in a consultation, with any other number: refused, the consultation goes on', async () => {
    current = await talk(hotline, agent);
    const third = await consults();
    await presses('12345');
    expect(await told(current.agent)).toBe('SIP/2.0 403 Forbidden');
    await third.hearsOnly([tones.agent]);
    await current.agent.hearsOnly([tones.subcentre]);
    await third.hangup();
    await agent.desk.callState('held');
    await agent.desk.do({ do: 'resume', callId: current.callId });
    await current.citizen.hears(tones.agent);
  });
});
