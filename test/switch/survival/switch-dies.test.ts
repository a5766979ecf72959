import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { startHotline } from '../../support/hotline/hotline.ts';
import { readyAgent, talk, tones } from '../../support/hotline/talking.ts';
import { until } from '../../support/until.ts';

/** Issue 3, section 3: the switch is killed with its calls, and comes back. */
describe('the switch is killed with -9', () => {
  const hotline = startHotline();

  it('calls end as the network’s doing, seats are free, citizens are on the call-back list, drafts are kept', async () => {
    const agent = await readyAgent(hotline);
    const conversation = await talk(hotline, agent, '13800000001');
    const { callId } = conversation;
    const body = {
      citizenName: '',
      contactNumber: '',
      matterType: '投诉' as const,
      category: '',
      address: '',
      content: '路灯不亮',
      unit: '',
    };
    await agent.desk.do({ do: 'saveDraft', callId, baseVersion: 0, body });
    const waiting = await (await hotline.citizen('13800000002')).call('12345');
    await waiting.answered();
    await until('the waiting call', () => hotline.app.control.dispatcher.waiting === 1);

    await hotline.switch.crash();
    await hotline.switch.startAgain();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp', 20_000);
    await until('the end of both calls', () => hotline.app.control.runtime.size === 0);
    await hotline.app.control.writer.flush();
    const { rows } = await sql<{ caller_number: string; reason: string; end_class: string }>`
      select c.caller_number, b.reason, c.end_class from callbacks b join calls c on c.id = b.call_id order by 1
    `.execute(hotline.database.db);
    expect(rows).toEqual([
      { caller_number: '13800000001', reason: 'switch-died', end_class: 'upstream' },
      { caller_number: '13800000002', reason: 'switch-died', end_class: 'upstream' },
    ]);
    // The agent goes on writing, and the next citizen is served by the new switch.
    await agent.desk.do({ do: 'saveOrder', callId, baseVersion: 1, body });
    await agent.phone.register();
    await agent.desk.seatIs('with a phone', (seat) => seat.phoneRegistered);
    await agent.desk.do({ do: 'endWrapUp' });
    const next = await talk(hotline, agent, '13800000003');
    await next.citizen.hears(tones.agent);
    await next.citizen.hangup();
    await next.agent.ended();
  });
});
