import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { startHotline } from '../../support/hotline/hotline.ts';
import { readyAgent, talk, tones } from '../../support/hotline/talking.ts';
import { until } from '../../support/until.ts';

/** Issue 3, section 3: control is killed in the middle of everything, and comes back. */
describe('control is killed with -9', () => {
  const hotline = startHotline({ ownProcess: true });

  it('while a citizen talks, others wait: the talk goes on, waiters keep their places, nothing is lost', async () => {
    const agent = await readyAgent(hotline, '1001');
    const conversation = await talk(hotline, agent, '13800000001');
    const { callId } = conversation;
    const body = {
      citizenName: '',
      contactNumber: '',
      matterType: '投诉' as const,
      category: '噪音扰民',
      address: '',
      content: '夜间施工',
      unit: '',
    };
    await agent.desk.do({ do: 'saveDraft', callId, baseVersion: 0, body });
    const first = await (await hotline.citizen('13800000002', { toneHz: tones.citizen })).call('12345');
    await first.answered();
    const second = await (await hotline.citizen('13800000003')).call('12345');
    await second.answered();
    await waiting(2);

    await hotline.process.kill();
    await conversation.citizen.hearsOnly([tones.agent]);
    await conversation.agent.hearsOnly([tones.citizen]);
    expect(first.isEnded || second.isEnded).toBe(false);

    await hotline.process.start();
    await agent.desk.open({ epoch: agent.desk.epoch, lastSeq: agent.desk.lastSeq });
    expect(agent.desk.resumed).toBe(false);
    expect(agent.desk.call).toMatchObject({ callId, state: 'talking' });
    const snapshot = await agent.desk.push('snapshot', (push) => push.draft !== null);
    expect(snapshot.draft?.body.content).toBe('夜间施工');
    await conversation.citizen.hearsOnly([tones.agent]);

    // The desk's buttons work on the call that an earlier process had begun.
    await agent.desk.do({ do: 'hold', callId });
    await agent.desk.callState('held');
    await conversation.agent.hearsNothing();
    await agent.desk.do({ do: 'resume', callId });
    await conversation.agent.hears(tones.citizen);
    await conversation.agent.hangup();
    await conversation.citizen.ended();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');

    // The first who came is the first who is served.
    await agent.desk.do({ do: 'endWrapUp' });
    const ringing = await agent.phone.nextInvite();
    ringing.answer();
    await ringing.hears(tones.citizen);
    await first.hears(tones.agent);
    await ringing.hangup();
    await first.ended();
    await agent.desk.do({ do: 'signOff' });
    await second.hangup();
    await nothingLeft();
  });

  it('while a phone rings: the citizen is offered again, and no leg is left over', async () => {
    const agent = await readyAgent(hotline, '1001');
    const call = await (await hotline.citizen('13800000004', { toneHz: tones.citizen })).call('12345');
    const lost = await agent.phone.nextInvite();
    lost.ring();
    await call.answered();
    await hotline.process.kill();
    await hotline.process.start();
    await agent.desk.open();
    // The offer survives the restart, or its leg is hung up and the citizen offered anew; either way one phone rings.
    const ringing = lost.isEnded ? await agent.phone.nextInvite() : lost;
    ringing.answer();
    await ringing.hears(tones.citizen);
    await call.hangup();
    await ringing.ended();
    await agent.desk.seatIs('free', (seat) => seat.status !== 'busy' && seat.status !== 'reserved');
    await agent.desk.do({ do: 'signOff' });
    await nothingLeft();
  });

  it('while a talk ends: it counts as one whose end nobody saw, not as a fault of the switch, and is owed no call', async () => {
    const agent = await readyAgent(hotline, '1001');
    const { citizen, agent: phone, callId } = await talk(hotline, agent, '13800000006');
    await hotline.process.kill();
    await citizen.hangup();
    // Without control the switch keeps the agent's leg for 20 s; he need not wait for that.
    await phone.hangup();
    await hotline.process.start();
    await nothingLeft();
    const { rows } = await sql`
      select end_class, end_reason, (select count(*) from callbacks where call_id = calls.id)::int as owed
      from calls where id = ${callId}`.execute(hotline.database.db);
    expect(rows).toEqual([{ end_class: 'unknown', end_reason: 'ended-unseen', owed: 0 }]);
    await agent.desk.open();
    await agent.desk.do({ do: 'signOff' });
  });

  it('and stays away: new callers are answered by the dialplan and are on the call-back list when it returns', async () => {
    await hotline.process.kill();
    const call = await (await hotline.citizen('13800000005', { toneHz: 800 })).call('12345');
    await call.answered({ withinMs: 8000 });
    await until('the message', () =>
      call.hearsNothing({ withinMs: 50 }).then(
        () => false,
        () => true,
      ),
    );
    await call.hangup();
    await hotline.process.start();
    const supervisor = await hotline.desk('banzhang');
    await until('the caller on the call-back list', async () => {
      const { body } = await supervisor.api('/api/callbacks');
      const found = (body as { callbacks: { reason: string }[] }).callbacks.find(
        (entry) => entry.reason === 'fallback-message',
      );
      if (found === undefined) return false;
      expect(found).toMatchObject({ callerNumber: '13800000005', dialledNumber: '12345', hasRecording: true });
      return true;
    });
  });

  /** Waits until the store knows of so many waiting calls. */
  async function waiting(count: number): Promise<void> {
    await until(`${count} waiting calls`, async () => {
      const { rows } = await sql<{ n: string }>`select count(*) as n from calls where state = 'waiting'`.execute(
        hotline.database.db,
      );
      return Number(rows[0]?.n) === count;
    });
  }

  /** No live call, no reservation. */
  async function nothingLeft(): Promise<void> {
    await until('nothing left', async () => {
      const { rows } = await sql<{ calls: string; seats: string }>`
        select (select count(*) from calls where ended_at is null) as calls, (select count(*) from seat_reservations) as seats
      `.execute(hotline.database.db);
      return rows[0]?.calls === '0' && rows[0]?.seats === '0';
    });
  }
});
