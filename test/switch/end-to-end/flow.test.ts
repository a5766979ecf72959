import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { liveCall, nothingLeft, recordOf } from '../../support/hotline/calls.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { promptTones, readyAgent, tones } from '../../support/hotline/talking.ts';
import type { IncomingCall } from '../../support/phone/incoming-call.ts';
import type { OutgoingCall } from '../../support/phone/outgoing-call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

type Agent = { readonly desk: DeskClient; readonly phone: TestPhone };

/** The flow path of a record, one word for each thing that happened. */
const pathOf = (entries: readonly { step: string; what: string; digit?: string | undefined }[]) =>
  entries.map(({ step, what, digit }) => [step, what, digit].filter((part) => part !== undefined).join(' '));

/** Seed rows A12 (the menu), A13 (back and forth), A14 and A18 (information); issue 2, «the call that must work», 2. */
describe('the menu of the seeds', () => {
  const hotline = startHotline({
    environment: { FLOW: 'seed-menu' },
    prompts: promptTones,
    // The waits of the real menu are for people; everything else is as it stands in ivr-flows/.
    flows: { 'seed-menu': (text) => text.replaceAll('timeoutMs: 5000', 'timeoutMs: 1000') },
  });
  let agent: Agent;
  let call: OutgoingCall;
  let answered: IncomingCall | undefined;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  afterEach(async () => {
    if (!call.isEnded) await call.hangup();
    await answered?.ended();
    if (answered !== undefined) {
      await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
      await agent.desk.do({ do: 'endWrapUp' });
    }
    answered = undefined;
    await nothingLeft(hotline);
  });

  async function dial(number: string): Promise<OutgoingCall> {
    call = await (await hotline.citizen(number, { toneHz: tones.citizen })).call('12345');
    await call.answered();
    await call.hears(promptTones['greeting-menu']);
    return call;
  }

  /** The agent gets the call and both hear each other; the path of the record is returned. */
  async function reachesAgent(number: string): Promise<string[]> {
    answered = await agent.phone.nextInvite({ withinMs: 12_000 });
    const { id } = await liveCall(hotline, number, ['offering']);
    answered.answer();
    await call.hears(tones.agent);
    await answered.hears(tones.citizen);
    await call.hangup();
    const record = await recordOf(hotline, agent.desk, id);
    expect(record.flow).toBe('seed-menu');
    return pathOf(record.flowPath);
  }

  it('leads to a person by 1', async () => {
    await dial('13800010001');
    await call.sendDigit('1');
    await call.hears(promptTones.transferring);
    await call.hears(promptTones['recording-notice']);
    expect(await reachesAgent('13800010001')).toEqual([
      'welcome entered',
      'welcome digit 1',
      'to-person entered',
      'person entered',
    ]);
  });

  it('leads to the automatic part by 2, back to the beginning by 9, and to a person from there', async () => {
    await dial('13800010002');
    await call.sendDigit('2');
    await call.hears(promptTones['info-menu']);
    await call.sendDigit('2');
    await call.hears(promptTones['info-policy']);
    await call.hears(promptTones['info-menu']);
    await call.sendDigit('3');
    await call.hears(promptTones['info-hours']);
    await call.hears(promptTones['info-menu']);
    await call.sendDigit('9');
    await call.hears(promptTones['greeting-menu']);
    await call.sendDigit('1');
    expect(await reachesAgent('13800010002')).toEqual([
      'welcome entered',
      'welcome digit 2',
      'information entered',
      'information digit 2',
      'policy entered',
      'information entered',
      'information digit 3',
      'hours entered',
      'information entered',
      'information digit 9',
      'welcome entered',
      'welcome digit 1',
      'to-person entered',
      'person entered',
    ]);
  });

  it('asks again after a wrong key, and takes the right one then', async () => {
    await dial('13800010003');
    await call.sendDigit('7');
    await call.hears(promptTones['wrong-input']);
    await call.hears(promptTones['greeting-menu']);
    await call.sendDigit('1');
    expect(await reachesAgent('13800010003')).toEqual([
      'welcome entered',
      'welcome wrongInput 7',
      'welcome digit 1',
      'to-person entered',
      'person entered',
    ]);
  });

  it('gives a person to whoever presses nothing', async () => {
    await dial('13800010004');
    await call.hears(promptTones['no-input']);
    await call.hears(promptTones['greeting-menu']);
    expect(await reachesAgent('13800010004')).toEqual([
      'welcome entered',
      'welcome noInput',
      'welcome noInput',
      'welcome noInput',
      'welcome giveUp',
      'to-person entered',
      'person entered',
    ]);
  });

  it.each(['welcome', 'information', 'policy'])('gives a person to whoever presses 0 in «%s»', async (step) => {
    await dial('13800010005');
    if (step !== 'welcome') {
      await call.sendDigit('2');
      await call.hears(promptTones['info-menu']);
    }
    if (step === 'policy') {
      await call.sendDigit('2');
      await call.hears(promptTones['info-policy']);
    }
    await call.sendDigit('0');
    const path = await reachesAgent('13800010005');
    expect(path.at(-1)).toBe(step === 'policy' ? 'policy operator 0' : `${step} operator 0`);
  });

  it('takes a key during the greeting, which stops at once', async () => {
    await dial('13800010006');
    await call.sendDigit('2');
    await call.hearsOnly([promptTones['info-menu']]);
    await call.sendDigit('1');
    await reachesAgent('13800010006');
  });

  it('takes a key by INFO like one by RFC 4733', async () => {
    await dial('13800010007');
    await call.sendDigit('2', 'info');
    await call.hears(promptTones['info-menu']);
    await call.sendDigit('1', 'info');
    expect(await reachesAgent('13800010007')).toEqual([
      'welcome entered',
      'welcome digit 2',
      'information entered',
      'information digit 1',
      'to-person entered',
      'person entered',
    ]);
  });

  it('ends with the caller’s reason when he hangs up in the menu', async () => {
    await dial('13800010008');
    const { id } = await liveCall(hotline, '13800010008', ['flow']);
    await call.hangup();
    const record = await recordOf(hotline, agent.desk, id);
    expect(record).toMatchObject({ endClass: 'caller', endReason: 'abandoned-in-flow', queue: null });
    expect(pathOf(record.flowPath)).toEqual(['welcome entered']);
  });
});

/** Seed row A01: a human answer; GB/T 33358 advises against menus, so the default has none. */
describe('the default flow «direct»', () => {
  const hotline = startHotline({ environment: { FLOW: 'direct' } });
  let agent: Agent;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  /** No call is offered while the spoken greeting of the tree plays, which is several seconds long. */
  async function greeted(number: string): Promise<OutgoingCall> {
    const call = await (await hotline.citizen(number, { toneHz: tones.citizen })).call('12345');
    await call.answered();
    await call.hearsSomething();
    expect((await liveCall(hotline, number, ['flow'])).flowState?.step).toBe('greeting');
    return call;
  }

  async function answeredBy(call: OutgoingCall, withinMs: number): Promise<string[]> {
    const ringing = await agent.phone.nextInvite({ withinMs });
    const { call: offer } = await agent.desk.push('offer');
    ringing.answer();
    await call.hears(tones.agent);
    await call.hangup();
    await ringing.ended();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await agent.desk.do({ do: 'endWrapUp' });
    const record = await recordOf(hotline, agent.desk, offer.callId);
    return pathOf(record.flowPath);
  }

  it('greets with a voice and goes straight to a person', async () => {
    const call = await greeted('13800010011');
    expect(await answeredBy(call, 20_000)).toEqual(['greeting entered', 'person entered']);
  });

  it.each(['5', '*', '0'])('is cut short by the key %s', async (digit) => {
    const call = await greeted('13800010012');
    await call.sendDigit(digit);
    await liveCall(hotline, '13800010012', ['waiting', 'offering']);
    await answeredBy(call, 5000);
  });
});
