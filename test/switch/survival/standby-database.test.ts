import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { readyAgent, talk, tones } from '../../support/hotline/talking.ts';
import { until } from '../../support/until.ts';

/** Issue 3, section 3, where the two meet: control ×2, and PostgreSQL out of reach. */
describe('PostgreSQL is out of the leader’s reach', () => {
  const hotline = startHotline({ ownProcess: true, databaseProxy: true });

  it('without a standby it goes on leading, longer than its lease; then a standby that reaches it takes over', async () => {
    const agent = await readyAgent(hotline);
    const conversation = await talk(hotline, agent, '13800000001');
    const { callId } = conversation;
    hotline.cutDatabase(true);
    // Past the end of the lease by the database's clock its buttons still work: nobody else can have taken over.
    await until('the end of the lease', async () => {
      const { rows } = await sql<{ over: boolean }>`
        select lease_until < clock_timestamp() - interval '1 second' as over from control_leader`.execute(
        hotline.database.db,
      );
      return rows[0]?.over === true;
    });
    await agent.desk.do({ do: 'hold', callId });
    await conversation.agent.hearsNothing();
    await agent.desk.do({ do: 'resume', callId });
    await conversation.agent.hears(tones.citizen);

    const standby = await hotline.standby({ leads: true });
    const desk = new DeskClient(standby.webUrl, agent.desk.cookie, 'at the new leader');
    await desk.open();
    expect(desk.call).toMatchObject({ callId, state: 'talking' });
    // The old one can neither use its link to the switch nor make a new one.
    agent.desk.send({ kind: 'request', id: 'late', request: { do: 'hangup', callId } });
    await desk.do({ do: 'hold', callId });
    await conversation.agent.hearsNothing();
    await desk.do({ do: 'resume', callId });
    await conversation.agent.hears(tones.citizen);
    expect(conversation.citizen.isEnded || conversation.agent.isEnded).toBe(false);

    hotline.cutDatabase(false);
    expect(await hotline.process.ended()).toBe(3);
    await conversation.citizen.hearsOnly([tones.agent]);
    await conversation.citizen.hangup();
    await conversation.agent.ended();
    await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await desk.do({ do: 'signOff' });
    agent.desk.close();
    desk.close();
  }, 90_000);
});
