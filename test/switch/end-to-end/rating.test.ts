import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { liveCall, nothingLeft, recordOf } from '../../support/hotline/calls.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { promptTones, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

/** Seed row A24: rating by a key press after the call; issue 2, «the call that must work», 8. */
describe('the citizen is asked for a rating', () => {
  const hotline = startHotline({ environment: { RATING: 'on' }, prompts: promptTones });
  let agent: { desk: DeskClient; phone: TestPhone };
  let current: Talk;
  let number = 13800030000;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  afterEach(async () => {
    if (!current.citizen.isEnded) await current.citizen.hangup();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await agent.desk.do({ do: 'endWrapUp' });
    await nothingLeft(hotline);
  });

  /** They have talked, the agent has hung up, and the citizen hears the question. */
  async function asked(): Promise<Talk> {
    number += 1;
    current = await talk(hotline, agent, String(number));
    await current.agent.hangup();
    await current.citizen.hears(promptTones['rating-ask']);
    // The agent's part is over: his wrap-up does not wait for the citizen's key.
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    return current;
  }

  it.each(['1', '2', '3'])('and presses %s', async (digit) => {
    const { callId, citizen } = await asked();
    await citizen.sendDigit(digit, digit === '3' ? 'info' : 'rfc4733');
    await citizen.hears(promptTones['rating-thanks']);
    expect((await citizen.ended()).by).toBe('them');
    const record = await recordOf(hotline, agent.desk, callId);
    expect(record).toMatchObject({ rating: Number(digit), endClass: 'success', endReason: 'agent-hung-up' });
  });

  it('and presses a wrong key, is asked again, and answers', async () => {
    const { callId, citizen } = await asked();
    await citizen.sendDigit('7');
    await citizen.hears(promptTones['rating-invalid']);
    await citizen.hears(promptTones['rating-ask']);
    await citizen.sendDigit('*');
    await citizen.hears(promptTones['rating-invalid']);
    await citizen.sendDigit('2');
    await citizen.hears(promptTones['rating-thanks']);
    await citizen.ended();
    expect(await recordOf(hotline, agent.desk, callId)).toMatchObject({ rating: 2, endClass: 'success' });
  });

  it('and presses nothing: goodbye, and no rating is stored', async () => {
    const { callId, citizen } = await asked();
    await citizen.hears(promptTones.goodbye, { withinMs: 15_000 });
    expect((await citizen.ended()).by).toBe('them');
    expect(await recordOf(hotline, agent.desk, callId)).toMatchObject({ rating: null, endClass: 'success' });
  });

  it('and hangs up: that is an answer, too', async () => {
    const { callId, citizen } = await asked();
    await citizen.hangup();
    const record = await recordOf(hotline, agent.desk, callId);
    expect(record).toMatchObject({ rating: null, endClass: 'success', endReason: 'agent-hung-up' });
  });

  it('when the agent ends the call from the page, too', async () => {
    number += 1;
    current = await talk(hotline, agent, String(number));
    await agent.desk.do({ do: 'hangup', callId: current.callId });
    await current.agent.ended();
    await current.citizen.hears(promptTones['rating-ask']);
    await current.citizen.sendDigit('1');
    await current.citizen.ended();
    expect(await recordOf(hotline, agent.desk, current.callId)).toMatchObject({ rating: 1, endClass: 'success' });
  });

  it('when the sub-centre hangs up last', async () => {
    const subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
    number += 1;
    current = await talk(hotline, agent, String(number));
    await agent.desk.do({ do: 'transfer', callId: current.callId, number: '12366' });
    const third = await subcentre.nextInvite();
    third.answer();
    await current.citizen.hears(tones.subcentre);
    await third.hangup();
    await current.citizen.hears(promptTones['rating-ask']);
    await current.citizen.sendDigit('3');
    await current.citizen.ended();
    expect(await recordOf(hotline, agent.desk, current.callId)).toMatchObject({ rating: 3, endClass: 'success' });
  });

  it('but not when he hangs up first', async () => {
    number += 1;
    current = await talk(hotline, agent, String(number));
    await current.citizen.hangup();
    await current.agent.ended();
    const record = await recordOf(hotline, agent.desk, current.callId);
    expect(record).toMatchObject({ rating: null, endClass: 'success', endReason: 'citizen-hung-up' });
  });

  it('and is heard to the end of a question that a wrong key has begun anew', async () => {
    const { citizen } = await asked();
    // The wait for a key begins behind the question, however often it is asked.
    for (const key of ['8', '9', '0']) {
      await citizen.sendDigit(key);
      await citizen.hears(promptTones['rating-invalid']);
      await citizen.hears(promptTones['rating-ask']);
    }
    const { state } = await liveCall(hotline, String(number), ['rating']);
    expect(state).toBe('rating');
    await citizen.sendDigit('1');
    await citizen.hears(promptTones['rating-thanks']);
    await citizen.ended();
  });
});
