import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { EslTestClient } from '../../support/esl-test-client.ts';
import { DeskClient } from '../../support/hotline/desk-client.ts';
import { demoPassword, startHotline } from '../../support/hotline/hotline.ts';
import type { ServiceProcess } from '../../support/hotline/service-process.ts';
import { readyAgent, talk, tones } from '../../support/hotline/talking.ts';
import { until } from '../../support/until.ts';

/** Issue 3, section 3: the time a takeover may take. */
const takeoverMs = 5_000;

/** Issue 3, section 3: a second control on the same database and switch is a hot standby. */
describe('a second control stands by', () => {
  const hotline = startHotline({ ownProcess: true, environment: { WAY_OUT_AFTER_S: '15' } });
  let standby: ServiceProcess;

  it('sends everybody away, and says who leads', async () => {
    standby = await hotline.standby();
    const health = await fetch(`${standby.webUrl}/healthz`);
    expect(health.status).toBe(503);
    expect(await health.json()).toEqual({ control: 'standby', leader: hotline.process.webUrl });
    const page = await fetch(`${standby.webUrl}/api/session`, { method: 'POST' });
    expect(page.status).toBe(503);
    expect(await page.json()).toMatchObject({ code: 'standby' });
    expect(await leaderGauge(standby)).toBe(0);
    expect(await leaderGauge(hotline.process)).toBe(1);
  });

  it('takes over within 5 s when the leader is killed: the talk goes on, who waits is served', async () => {
    const agent = await readyAgent(hotline);
    const conversation = await talk(hotline, agent, '13800000001');
    const { callId } = conversation;
    const waiting = await (await hotline.citizen('13800000002', { toneHz: tones.citizen })).call('12345');
    await waiting.answered();
    await waits('13800000002');

    await hotline.process.kill();
    await standby.leads(takeoverMs);
    await conversation.citizen.hearsOnly([tones.agent]);
    await conversation.agent.hearsOnly([tones.citizen]);
    expect(waiting.isEnded).toBe(false);
    expect((await fetch(`${standby.webUrl}/healthz`)).status).toBe(200);
    expect(await leaderGauge(standby)).toBe(1);

    const desk = await deskAt(standby, agent.desk);
    expect(desk.call).toMatchObject({ callId, state: 'talking' });
    await conversation.agent.hangup();
    await conversation.citizen.ended();
    await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await desk.do({ do: 'endWrapUp' });
    const ringing = await agent.phone.nextInvite();
    ringing.answer();
    await ringing.hears(tones.citizen);
    await waiting.hears(tones.agent);
    await ringing.hangup();
    await waiting.ended();
    await desk.do({ do: 'signOff' });
    await nothingLeft();
    desk.close();
  });

  it('takes over within 5 s when the leader is frozen; one that wakes up changes nothing, and ends', async () => {
    // The roles are changed: the one that was killed stands by.
    await hotline.process.startAsStandby();
    const desk = await DeskClient.signIn(standby.webUrl, '1002', demoPassword);
    await desk.open();
    const phone = await hotline.agentPhone('1002', { toneHz: tones.agent });
    await desk.seatIs('with a phone', (seat) => seat.phoneRegistered);
    await desk.do({ do: 'ready' });
    const conversation = await talk(hotline, { desk, phone }, '13800000003');
    const { callId } = conversation;
    await desk.do({ do: 'saveDraft', callId, baseVersion: 0, body: draft('井盖丢失') });
    const waiting = await (await hotline.citizen('13800000004', { toneHz: tones.citizen })).call('12345');
    await waiting.answered();
    await waits('13800000004');

    standby.signal('SIGSTOP');
    // What the desk asks now lies in the frozen one's sockets: it is what it does first when it wakes.
    desk.send({
      kind: 'request',
      id: 'late-1',
      request: { do: 'saveDraft', callId, baseVersion: 1, body: draft('晚了') },
    });
    desk.send({ kind: 'request', id: 'late-2', request: { do: 'hangup', callId } });
    await hotline.process.leads(takeoverMs);
    const { epoch } = await leader();
    await waits('13800000004');
    await conversation.citizen.hearsOnly([tones.agent]);
    const fresh = await deskAt(hotline.process, desk);
    expect(fresh.call).toMatchObject({ callId, state: 'talking' });
    const before = await stored();

    standby.signal('SIGCONT');
    expect(await standby.ended()).toBe(3);
    expect(await stored()).toEqual(before);
    expect((await leader()).epoch).toBe(epoch);
    expect(conversation.citizen.isEnded || conversation.agent.isEnded || waiting.isEnded).toBe(false);
    await conversation.citizen.hearsOnly([tones.agent]);
    await conversation.agent.hearsOnly([tones.citizen]);

    // The new leader's buttons work.
    await fresh.do({ do: 'hold', callId });
    await conversation.agent.hearsNothing();
    await fresh.do({ do: 'resume', callId });
    await conversation.agent.hears(tones.citizen);
    await conversation.citizen.hangup();
    await conversation.agent.ended();
    await waiting.hangup();
    await fresh.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await fresh.do({ do: 'signOff' });
    await nothingLeft();
    fresh.close();
    desk.close();
  });

  it('takes over at once when the leader leaves in order', async () => {
    await standby.startAsStandby();
    const citizen = await (await hotline.citizen('13800000005')).call('12345');
    await citizen.answered();
    await waits('13800000005');
    const { epoch } = await leader();
    await hotline.process.stop();
    await standby.leads(takeoverMs);
    expect(Number((await leader()).epoch)).toBe(Number(epoch) + 1);
    expect(citizen.isEnded).toBe(false);
    // The way out of who waits is put off by the new leader: taken away, it is there again.
    const esl = await EslTestClient.open(hotline.switch.esl);
    const armed = async () => (await esl.api(`sched_del ${await legOf('13800000005')}`)) === '+OK Deleted: 1';
    await until('his way out', armed);
    await until('his way out again', armed);
    await esl.close();
    await citizen.hangup();
    await nothingLeft();
  });

  async function legOf(number: string): Promise<string> {
    const { rows } = await sql<{ leg: string }>`
      select context->>'citizenLeg' as leg from calls where caller_number = ${number}`.execute(hotline.database.db);
    return rows[0]?.leg ?? '';
  }

  /** The same person's desk at another service; the sign-in counts for both. */
  async function deskAt(service: ServiceProcess, desk: DeskClient): Promise<DeskClient> {
    const other = new DeskClient(service.webUrl, desk.cookie, 'at the new leader');
    await other.open();
    return other;
  }

  async function leaderGauge(service: ServiceProcess): Promise<number> {
    const text = await (await fetch(`${service.webUrl}/metrics`)).text();
    return Number(/^yht_leader (\d)$/m.exec(text)?.[1]);
  }

  async function leader(): Promise<{ epoch: string }> {
    const { rows } = await sql<{ epoch: string }>`select epoch from control_leader`.execute(hotline.database.db);
    return { epoch: rows[0]?.epoch ?? '' };
  }

  /** All that a control writes about calls, in one value. */
  async function stored(): Promise<unknown> {
    const { rows } = await sql`
      select (select max(body->>'content') from work_order_drafts) as draft,
             (select count(*) from call_journal) as journal,
             (select string_agg(id || state, ',' order by id) from calls) as calls,
             (select string_agg(fencing_token::text, ',' order by fencing_token) from seat_reservations) as seats
    `.execute(hotline.database.db);
    return rows[0];
  }

  async function waits(number: string): Promise<void> {
    await until(`${number} in the queue`, async () => {
      const { rows } = await sql`select from calls where state = 'waiting' and caller_number = ${number}`.execute(
        hotline.database.db,
      );
      return rows.length === 1;
    });
  }

  async function nothingLeft(): Promise<void> {
    await until('nothing left', async () => {
      const { rows } = await sql<{ calls: string; seats: string }>`
        select (select count(*) from calls where ended_at is null) as calls, (select count(*) from seat_reservations) as seats
      `.execute(hotline.database.db);
      return rows[0]?.calls === '0' && rows[0]?.seats === '0';
    });
  }
});

const draft = (content: string) => ({
  citizenName: '',
  contactNumber: '',
  matterType: '投诉' as const,
  category: '',
  address: '',
  content,
  unit: '',
});
