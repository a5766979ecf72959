import { describe, expect, it } from 'vitest';
import { startHotline } from '../../support/hotline/hotline.ts';

/** Seed rows A01, A19; issue 2, «the call that must work», 1 to 8. */
describe('a citizen dials 12345 and talks with an agent', () => {
  const hotline = startHotline();

  it('rings the agent’s phone, pops his desk, and lets them talk both ways', async () => {
    const desk = await hotline.desk('1001');
    const phone = await hotline.agentPhone('1001', { toneHz: 440 });
    await desk.do({ do: 'ready' });
    const citizen = await hotline.citizen('13800001234', { toneHz: 1000 });
    const call = await citizen.call('12345', { fromName: '张三' });
    const ringing = await phone.nextInvite();
    const offer = await desk.push('offer');
    expect(offer.call).toMatchObject({ as: 'agent', state: 'ringing' });
    expect(offer.call.card).toMatchObject({ number: '138****1234', dialledNumber: '12345', queueName: '市民服务' });
    await call.answered();
    ringing.ring();
    ringing.answer();
    await call.hears(440);
    await ringing.hears(1000);
    await desk.callState('talking');

    await desk.do({ do: 'hold', callId: offer.call.callId });
    await desk.callState('held');
    await ringing.hearsNothing();
    await desk.do({ do: 'resume', callId: offer.call.callId });
    await call.hears(440);
    await ringing.hears(1000);

    await ringing.hangup();
    await call.ended();
    await desk.callState('ended');
    await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await hotline.callOver(offer.call.callId);
    const record = await desk.api(`/api/calls/${offer.call.callId}`);
    expect(record.status).toBe(200);
    expect(record.body).toMatchObject({
      state: 'ended',
      endClass: 'success',
      endReason: 'agent-hung-up',
      dialledNumber: '12345',
      agentName: '王敏',
      legs: [{ role: 'citizen' }, { role: 'agent', party: '1001' }],
    });
  });
});
