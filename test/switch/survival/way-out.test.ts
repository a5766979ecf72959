import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { EslTestClient } from '../../support/esl-test-client.ts';
import { startHotline, type TestPerson } from '../../support/hotline/hotline.ts';
import { readyAgent, talk, tones } from '../../support/hotline/talking.ts';
import type { TestPhone } from '../../support/phone/phone.ts';
import { switchKind } from '../../support/switch.ts';
import { until } from '../../support/until.ts';

const agents = ['1001', '1002', '1003', '1004'].map(
  (login): TestPerson => ({ login, name: `话务员${login}`, role: 'agent', extension: login, hotlineNumber: null }),
);
const [waiter, held, consulted, talker] = ['13800000061', '13800000062', '13800000063', '13800000064'] as const;

/** Issue 3, section 3: «control stays dead», for those whom it had taken. */
describe('who waits when control dies and stays dead', () => {
  const hotline = startHotline({ ownProcess: true, people: agents, environment: { WAY_OUT_AFTER_S: '5' } });

  let exchange: TestPhone | undefined;

  it('gets the message and is called back once; who talks, talks on; no leg is left over', async () => {
    const holding = await readyAgent(hotline, '1001');
    const onHold = await talk(hotline, holding, held);
    await holding.desk.do({ do: 'hold', callId: onHold.callId });
    await holding.desk.callState('held');
    const consulting = await readyAgent(hotline, '1002');
    const aside = await talk(hotline, consulting, consulted);
    exchange = await hotline.subcentre({ toneHz: tones.subcentre });
    await consulting.desk.do({ do: 'consult', callId: aside.callId, number: '12366' });
    const asked = await exchange.nextInvite();
    asked.answer();
    await consulting.desk.callState('consulting');
    const conversation = await talk(hotline, await readyAgent(hotline, '1003'), talker);
    const waiting = await (await hotline.citizen(waiter, { toneHz: tones.citizen })).call('12345');
    await waiting.answered();
    await stateOf(waiter, 'waiting');

    await hotline.process.kill();
    for (const number of [waiter, held, consulted]) await until(`the message of ${number}`, () => hasMessage(number));
    // The agent who held has nobody any more; those who talk are not touched.
    await onHold.agent.ended({ withinMs: 10_000 });
    await aside.agent.hearsOnly([tones.subcentre]);
    await asked.hearsOnly([tones.agent]);
    await conversation.citizen.hearsOnly([tones.agent]);
    await conversation.agent.hearsOnly([tones.citizen]);
    expect(await hasMessage(talker)).toBe(false);
    await waiting.hangup();
    await aside.citizen.hangup();

    await hotline.process.start();
    await until('the call-back list', async () => (await callBacks()).length >= 2);
    // He was still listening to the message: back where he waited, and his agent is gone.
    await stateOf(held, 'waiting');
    expect(onHold.citizen.isEnded).toBe(false);
    await onHold.citizen.hangup();
    await aside.agent.hangup();
    await asked.ended();
    await conversation.citizen.hangup();
    await conversation.agent.ended();
    await until('no live call', async () => (await liveCalls()) === 0);
    await until('the last one on the call-back list', async () => (await callBacks()).length >= 3);
    const listed = await callBacks();
    expect(listed.map((row) => row.caller_number).sort()).toEqual([waiter, held, consulted]);
    expect(listed.filter((row) => row.recording_path === null || row.call_id === null)).toEqual([]);
  });

  it('gets it as well when he is left alone in a conference, whose others have hung up', async () => {
    const number = '13800000067';
    const agent = await readyAgent(hotline, '1004');
    const { citizen, agent: phone, callId } = await talk(hotline, agent, number);
    await agent.desk.do({ do: 'consult', callId, number: '12366' });
    exchange ??= await hotline.subcentre({ toneHz: tones.subcentre });
    const asked = await exchange.nextInvite();
    asked.answer();
    await agent.desk.callState('consulting');
    await agent.desk.do({ do: 'joinThreeWay', callId });
    await citizen.hearsOnly([tones.agent, tones.subcentre]);

    await hotline.process.kill();
    await phone.hangup();
    await citizen.hearsOnly([tones.subcentre]);
    await asked.hangup();
    // The grace of the conference, then the time of whoever is parked.
    await until('his message', () => hasMessage(number), 35_000);
    await citizen.hangup();

    await hotline.process.start();
    await until('no live call', async () => (await liveCalls()) === 0);
    await until('the call-back list', async () => (await callBacks()).some((row) => row.caller_number === number));
    const listed = (await callBacks()).filter((row) => row.caller_number === number);
    expect(listed).toHaveLength(1);
    expect(listed[0]?.recording_path).not.toBeNull();
  });

  it('is taken back by a control that was only frozen, and is not called back when somebody has served him', async () => {
    const waiting = await (await hotline.citizen('13800000065', { toneHz: tones.citizen })).call('12345');
    await waiting.answered();
    await stateOf('13800000065', 'waiting');
    hotline.process.signal('SIGSTOP');
    await until('the message', () => hasMessage('13800000065'));
    hotline.process.signal('SIGCONT');
    const esl = await EslTestClient.open(hotline.switch.esl);
    const leg = await legOf('13800000065');
    await until('parked again', async () => {
      const dump = JSON.parse(await esl.api(`uuid_dump ${leg} json`)) as Record<string, string>;
      return dump['Caller-Destination-Number'] === 'parked';
    });
    // One task at a time, the dialplan's or control's; taken away three times, it can only come of a renewal.
    for (const what of ['the dialplan’s', 'control’s', 'renewed']) {
      await until(`his way out, ${what}`, async () => (await esl.api(`sched_del ${leg}`)) === '+OK Deleted: 1');
    }
    await esl.close();
    const agent = await hotline.agentPhone('1002', { toneHz: tones.agent });
    const desk = await hotline.desk('1002');
    await desk.seatIs('with a phone', (seat) => seat.phoneRegistered);
    await desk.do({ do: 'ready' });
    const ringing = await agent.nextInvite();
    ringing.answer();
    await waiting.hears(tones.agent);
    await waiting.hangup();
    await ringing.ended();
    await until('no live call', async () => (await liveCalls()) === 0);
    await desk.do({ do: 'signOff' });
    expect((await callBacks()).filter((row) => row.caller_number === '13800000065')).toEqual([]);
  });

  // What a task does that runs in the moment of its end: seldom, slow to mend, and the same on both.
  it.runIf(switchKind === 'freeswitch')(
    'who is taken out of his talk is brought together again (needs FreeSWITCH: seldom, and slow to mend)',
    async () => {
      const agent = {
        desk: await hotline.desk('1002'),
        phone: await hotline.agentPhone('1002', { toneHz: tones.agent }),
      };
      await agent.desk.seatIs('with a phone', (seat) => seat.phoneRegistered);
      await agent.desk.do({ do: 'ready' });
      const { citizen, agent: phone, callId } = await talk(hotline, agent, '13800000066');
      const esl = await EslTestClient.open(hotline.switch.esl);
      const leg = await legOf('13800000066');
      await esl.api(`uuid_transfer ${leg} fallback-citizen XML yihaotong`);
      await until('the message', () => hasMessage('13800000066'));
      await citizen.hearsOnly([tones.agent], { withinMs: 10_000 });
      await phone.hearsOnly([tones.citizen]);
      expect(agent.desk.call).toMatchObject({ callId, state: 'talking' });
      expect(await esl.api(`sched_del ${leg}`)).toBe('+OK Deleted: 0');
      await esl.close();
      await citizen.hangup();
      await phone.ended();
      await until('no live call', async () => (await liveCalls()) === 0);
      expect((await callBacks()).filter((row) => row.caller_number === '13800000066')).toEqual([]);
    },
  );

  async function hasMessage(number: string): Promise<boolean> {
    const names = await readdir(join(hotline.switch.recordingsFolder, 'fallback'));
    return names.some((name) => name.includes(`_${number}_12345_`));
  }

  async function stateOf(number: string, state: string): Promise<void> {
    await until(`${number} ${state}`, async () => {
      const { rows } = await sql`select from calls where caller_number = ${number} and state = ${state}`.execute(
        hotline.database.db,
      );
      return rows.length === 1;
    });
  }

  async function legOf(number: string): Promise<string> {
    const { rows } = await sql<{ leg: string }>`
      select context->>'citizenLeg' as leg from calls where caller_number = ${number}`.execute(hotline.database.db);
    return rows[0]?.leg ?? '';
  }

  async function liveCalls(): Promise<number> {
    const { rows } = await sql<{ n: string }>`select count(*) as n from calls where ended_at is null`.execute(
      hotline.database.db,
    );
    return Number(rows[0]?.n);
  }

  async function callBacks() {
    return hotline.database.db
      .selectFrom('callbacks')
      .select(['caller_number', 'recording_path', 'call_id', 'reason'])
      .execute();
  }
});
