import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { startHotline } from '../../support/hotline/hotline.ts';
import { readyAgent, tones } from '../../support/hotline/talking.ts';
import { until } from '../../support/until.ts';

/** Issue 3, section 3: PostgreSQL is gone for a while. */
describe('the database is gone', () => {
  const hotline = startHotline({ databaseProxy: true });

  it('calls are taken, offered and talked; what can’t be saved says so; the records are stored later, once', async () => {
    const agent = await readyAgent(hotline);
    hotline.cutDatabase(true);
    const call = await (await hotline.citizen('13800000001', { toneHz: tones.citizen })).call('12345');
    const ringing = await agent.phone.nextInvite({ withinMs: 10_000 });
    ringing.answer();
    await call.hears(tones.agent);
    await ringing.hears(tones.citizen);
    const offer = await agent.desk.push('offer');
    const { callId } = offer.call;
    const body = {
      citizenName: '',
      contactNumber: '',
      matterType: '求助' as const,
      category: '',
      address: '',
      content: '停水',
      unit: '',
    };
    const refused = await agent.desk.request({ do: 'saveDraft', callId, baseVersion: 0, body });
    expect(refused).toMatchObject({ ok: false, code: 'store-unavailable' });
    expect((await fetch(`${hotline.webUrl}/healthz`)).status).toBe(503);
    await call.hangup();
    await ringing.ended();

    hotline.cutDatabase(false);
    await until('the call’s record', async () => {
      const { rows } = await sql<{
        n: string;
      }>`select count(*) as n from calls where id = ${callId} and ended_at is not null`.execute(hotline.database.db);
      return rows[0]?.n === '1';
    });
    const { rows } = await sql<{ n: string; positions: string }>`
      select count(*) as n, count(distinct position) as positions from call_journal where call_id = ${callId}
    `.execute(hotline.database.db);
    expect(rows[0]?.n).toBe(rows[0]?.positions);
    expect(Number(rows[0]?.n)).toBeGreaterThan(4);
    await agent.desk.do({ do: 'saveDraft', callId, baseVersion: 0, body });
    await until('health', async () => (await fetch(`${hotline.webUrl}/healthz`)).status === 200);
  });
});
