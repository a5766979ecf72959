import { afterEach, describe, expect, it } from 'vitest';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { readyAgent, tones } from '../../support/hotline/talking.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

/** Issue 2, «the call that must work», 3: no agent, no answer, rejected, phone gone: next agent, nothing stuck. */
describe('offers to agents', () => {
  const hotline = startHotline({ environment: { RING_TIMEOUT_MS: '2000' } });
  const agents: { desk: DeskClient; phone: TestPhone }[] = [];

  afterEach(async () => {
    for (const { desk, phone } of agents.splice(0)) {
      await desk.seatIs('free', (seat) => !['reserved', 'busy'].includes(seat.status));
      await desk.do({ do: 'signOff' });
      desk.close();
      await phone.close();
    }
  });

  const ready = async (login: string) => {
    const agent = await readyAgent(hotline, login);
    agents.push(agent);
    return agent;
  };
  const seatStatus = (desk: DeskClient, status: string, reason?: string) =>
    desk.seatIs(
      `${status} ${reason ?? ''}`,
      (seat) => seat.status === status && (reason === undefined || seat.reason === reason),
    );

  it('go to the longest-idle agent, and the pop to no other desk', async () => {
    const first = await ready('1001');
    const second = await ready('1002');
    const call = await (await hotline.citizen('13800000001')).call('12345');
    const ringing = await first.phone.nextInvite();
    expect(second.desk.pushes.filter((push) => push.type === 'offer')).toEqual([]);
    ringing.answer();
    await first.desk.callState('talking');
    await call.hangup();
    await ringing.ended();
  });

  it.each([
    [486, '拒接'],
    [603, '拒接'],
    [480, '未应答'],
  ])('refused with %i go to the next agent; the first is on a break', async (status, reason) => {
    const first = await ready('1001');
    const second = await ready('1002');
    const call = await (await hotline.citizen('13800000002', { toneHz: tones.citizen })).call('12345');
    (await first.phone.nextInvite()).reject(status);
    const ringing = await second.phone.nextInvite();
    await first.desk.push('offerGone');
    await seatStatus(first.desk, 'break', reason);
    ringing.answer();
    await ringing.hears(tones.citizen);
    await call.hangup();
    await ringing.ended();
  });

  it('not answered in time go to the next agent', async () => {
    const first = await ready('1001');
    const second = await ready('1002');
    const call = await (await hotline.citizen('13800000003')).call('12345');
    const unanswered = await first.phone.nextInvite();
    unanswered.ring();
    const ringing = await second.phone.nextInvite({ withinMs: 6000 });
    await unanswered.ended();
    ringing.answer();
    await seatStatus(first.desk, 'break', '未应答');
    await second.desk.callState('talking');
    await call.hangup();
    await ringing.ended();
  });

  it('skip an agent whose phone is not registered', async () => {
    const first = await ready('1001');
    const second = await ready('1002');
    await first.phone.unregister();
    await first.desk.seatIs('without a phone', (seat) => !seat.phoneRegistered);
    const call = await (await hotline.citizen('13800000004')).call('12345');
    const ringing = await second.phone.nextInvite();
    ringing.answer();
    await call.hangup();
    await ringing.ended();
    await first.phone.register();
  });

  it('wait for an agent who comes later, and the citizen hears music meanwhile', async () => {
    const call = await (await hotline.citizen('13800000005')).call('12345');
    await call.answered();
    const agent = await ready('1001');
    const ringing = await agent.phone.nextInvite();
    const offer = await agent.desk.push('offer');
    expect(offer.call.card.waitedMs).toBeGreaterThan(0);
    ringing.answer();
    await agent.desk.callState('talking');
    await call.hangup();
    await ringing.ended();
  });

  it('end when the citizen hangs up while the phone rings; the agent is ready at once', async () => {
    const agent = await ready('1001');
    const call = await (await hotline.citizen('13800000006')).call('12345');
    const ringing = await agent.phone.nextInvite();
    ringing.ring();
    const { call: offer } = await agent.desk.push('offer');
    await call.answered();
    await call.hangup();
    expect((await ringing.ended()).method).toBe('CANCEL');
    await agent.desk.push('offerGone', (push) => push.callId === offer.callId);
    await seatStatus(agent.desk, 'ready');
    await hotline.callOver(offer.callId);
    expect((await agent.desk.api(`/api/calls/${offer.callId}`)).body).toMatchObject({
      endClass: 'caller',
      endReason: 'abandoned-waiting',
    });
  });

  it('go elsewhere when the phone has vanished without a word', async () => {
    const first = await ready('1001');
    const second = await ready('1002');
    await first.phone.vanish();
    const call = await (await hotline.citizen('13800000007')).call('12345');
    const ringing = await second.phone.nextInvite({ withinMs: 8000 });
    ringing.answer();
    await call.hangup();
    await ringing.ended();
  });
});
