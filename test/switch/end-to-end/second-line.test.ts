import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { TestCall } from '../../support/phone/call.ts';
import type { OutgoingCall } from '../../support/phone/outgoing-call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';
import { putTogether, transferTo } from '../../support/phone/refer.ts';

/** Seed rows C05, C06, C22 and C23, from the phone instead of the page (docs/adr/0025). */
describe('the agent calls a sub-centre on a second line of his phone', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  let subcentre: TestPhone;
  let current: Talk;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
    subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
  });

  /** As a softphone does it: the first line is held, the second one dials. */
  async function dials(number = '12366'): Promise<OutgoingCall> {
    await current.agent.hold();
    return agent.phone.call(number);
  }

  async function consults(): Promise<{ line: OutgoingCall; third: TestCall }> {
    const line = await dials();
    const third = await subcentre.nextInvite();
    expect(third.header('X-Yht-Call')).toBe(current.callId);
    await line.answered();
    third.answer();
    await agent.desk.callState('consulting');
    await third.hearsOnly([tones.agent]);
    await line.hearsOnly([tones.subcentre]);
    return { line, third };
  }

  async function onFirstLineAgain(): Promise<void> {
    await current.agent.resume();
    await agent.desk.callState('talking');
    await current.citizen.hearsOnly([tones.agent]);
    await current.agent.hearsOnly([tones.citizen]);
  }

  async function isPutThrough(third: TestCall): Promise<void> {
    await current.citizen.hearsOnly([tones.subcentre]);
    await third.hearsOnly([tones.citizen]);
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await current.citizen.hangup();
    await third.ended();
  }

  describe('in a talk', () => {
    afterEach(async () => {
      await finish(current, agent.desk);
      await hotline.callOver(current.callId);
    });

    it('and hangs it up again: the citizen is on the first line as before', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      await current.citizen.hearsSomething();
      await line.hangup();
      await third.ended();
      await onFirstLineAgain();
    });

    it('and puts the citizen through (REFER with Replaces): both lines end, he is free', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      expect(await putTogether(current.agent, line)).toBe('SIP/2.0 200 OK');
      await line.ended();
      await current.agent.ended();
      await isPutThrough(third);
    });

    it('and puts him through the other way round, as some phones do, and hangs up', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      expect(await putTogether(line, current.agent)).toBe('SIP/2.0 200 OK');
      await current.agent.ended();
      await line.hangup();
      await isPutThrough(third);
    });

    it('and puts him through after he sent a wrong number, which was refused', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      expect(await transferTo(line, '00861234567')).toBe('SIP/2.0 403 Forbidden');
      await third.hearsOnly([tones.agent]);
      expect(await putTogether(current.agent, line)).toBe('SIP/2.0 200 OK');
      await line.ended();
      await current.agent.ended();
      await isPutThrough(third);
    });

    it('and wants to put him through before anybody has answered: refused, it rings on', async () => {
      current = await talk(hotline, agent);
      const line = await dials();
      const third = await subcentre.nextInvite();
      third.ring();
      await line.hearsSomething();
      expect(await putTogether(current.agent, line)).toBe('SIP/2.0 403 Forbidden');
      third.answer();
      await third.hearsOnly([tones.agent]);
      await line.hangup();
      await third.ended();
      await onFirstLineAgain();
    });

    it('and it is busy: the second line ends, the desk says why, the citizen comes back', async () => {
      current = await talk(hotline, agent);
      const line = await dials();
      (await subcentre.nextInvite()).reject(486);
      await line.ended();
      await agent.desk.push('notice', (push) => push.text.includes('对方忙'));
      await agent.desk.callState('held');
      await agent.desk.do({ do: 'resume', callId: current.callId });
      await onFirstLineAgain();
    });

    it('and the sub-centre hangs up: the same', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      await third.hangup();
      await line.ended();
      await agent.desk.callState('held');
      await agent.desk.do({ do: 'resume', callId: current.callId });
      await onFirstLineAgain();
    });

    it('and goes on at the desk: cancels there', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      await agent.desk.do({ do: 'cancelConsult', callId: current.callId });
      await third.ended();
      await line.ended();
      await onFirstLineAgain();
    });

    it('and goes on at the desk: all three in a conference, in which he is on the second line', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      await agent.desk.do({ do: 'joinThreeWay', callId: current.callId });
      await agent.desk.callState('threeWay');
      await current.agent.ended();
      await current.citizen.hearsOnly([tones.agent, tones.subcentre]);
      await line.hearsOnly([tones.citizen, tones.subcentre]);
      await line.hangup();
      await isPutThrough(third);
    });

    it('and goes on at the desk: hangs up, which puts the citizen through', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      await agent.desk.do({ do: 'hangup', callId: current.callId });
      await line.ended();
      await current.agent.ended();
      await isPutThrough(third);
    });

    it('and the citizen hangs up: the other two finish their words on the second line', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      await current.citizen.hangup();
      await current.agent.ended();
      await third.hearsOnly([tones.agent]);
      await line.hangup();
      await third.ended();
    });

    it('and the first line is hung up: whoever is left with the sub-centre is the citizen', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      await current.agent.hangup();
      await third.hearsOnly([tones.agent]);
      await line.hangup();
      await isPutThrough(third);
    });

    it('but not a number that is not in the directory, and not the hotline’s own: 403, the desk says so', async () => {
      current = await talk(hotline, agent);
      for (const number of ['00861234567', '12345']) {
        const line = await dials(number);
        expect((await line.ended()).sipStatus).toBe(403);
        await agent.desk.push('notice', (push) => push.text.includes(number));
        await onFirstLineAgain();
      }
    });

    it('but not a third one', async () => {
      current = await talk(hotline, agent);
      const { line, third } = await consults();
      const more = await agent.phone.call('12366');
      expect((await more.ended()).sipStatus).toBe(403);
      await third.hearsOnly([tones.agent]);
      await line.hangup();
      await onFirstLineAgain();
    });
  });

  it('but not without a citizen, and no name of a place', async () => {
    for (const number of ['12366', '12345', 'parked', 'untaken', 'conf-1']) {
      const line = await agent.phone.call(number);
      expect((await line.ended()).sipStatus, number).toBe(number === 'untaken' ? 503 : 403);
    }
  });

  it('but not without the phone’s password', async () => {
    const stranger = await hotline.agentPhone('1002');
    await stranger.close();
    const guessing = await hotline.citizen('1001', { server: hotline.switch.agents });
    const line = await guessing.call('12366');
    expect([401, 407]).toContain((await line.ended()).sipStatus);
  });
});
