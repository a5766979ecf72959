import { describe, expect, it } from 'vitest';
import type { Callee } from '../../support/bench.ts';
import type { OutgoingCall } from '../../support/phone/outgoing-call.ts';
import { putTogether } from '../../support/phone/refer.ts';
import { startBench } from '../../support/start-bench.ts';

const tones = { citizen: 400, agent: 650, subcentre: 800 } as const;

const bench = startBench();

interface Line {
  readonly call: OutgoingCall;
  readonly leg: string;
}

/** An agent whose citizen waits, and whose first line waits as well, as control leaves them for a consultation. */
async function firstLine(): Promise<Callee> {
  const [citizen, agent] = await bench.talk({ citizenHz: tones.citizen, agentHz: tones.agent });
  await bench.ok(`uuid_transfer ${citizen.leg} -both parked XML yihaotong`);
  await bench.parked(agent.leg, 2);
  return agent;
}

/** The agent's phone, whose first line is parked, dials on a second one, which waits for control. */
async function dials(first: Callee, number = '12366'): Promise<Line> {
  const call = await first.phone.call(number);
  const parked = await bench.esl.event('CHANNEL_PARK', { variable_sip_call_id: call.callId });
  return { call, leg: parked.headers['Unique-ID'] ?? '' };
}

/** Control has taken the line: it talks with a sub-centre. */
async function talks(line: Line): Promise<Callee> {
  await bench.ok(`sched_del ${line.leg}`);
  await bench.ok(`uuid_answer ${line.leg}`);
  await line.call.answered();
  const subcentre = await bench.answeredAgent('1002', { toneHz: tones.subcentre });
  await bench.bridge(line.leg, subcentre.leg);
  await subcentre.call.hearsOnly([tones.agent]);
  return subcentre;
}

const allow = async (...legs: readonly string[]): Promise<void> => {
  for (const leg of legs) await bench.ok(`uuid_setvar ${leg} deny_refer_requests false`);
};

describe('a registered phone calls by itself', () => {
  it('and waits, unanswered, with its name and number; control answers it like a citizen', async () => {
    const phone = await bench.agent('1001', { toneHz: tones.agent });
    const call = await phone.call('12366');
    const parked = await bench.esl.event('CHANNEL_PARK', { variable_sip_call_id: call.callId });
    expect(parked.headers).toMatchObject({
      'Call-Direction': 'inbound',
      'Answer-State': 'ringing',
      'Caller-Context': 'agents',
      variable_yht_role: 'agent',
      variable_yht_dialled: '12366',
      variable_sip_auth_username: '1001',
    });
    const leg = parked.headers['Unique-ID'] ?? '';
    await bench.ok(`sched_del ${leg}`);
    await bench.ok(`uuid_setvar ${leg} yht_call 00000000-0000-4000-8000-000000000001`);
    await bench.ok(`uuid_answer ${leg}`);
    await call.answered();
    await bench.esl.execute(leg, 'playback', 'tone_stream://%(3000,0,1200)');
    await call.hears(1200);
    await call.hangup();
  });

  it('under the name of its password, whatever it says of itself', async () => {
    const phone = await bench.phone('agents', {
      user: '1001',
      password: bench.passwordOf('1001'),
      domain: 'else.invalid',
    });
    const call = await phone.call('12366');
    const parked = await bench.esl.event('CHANNEL_PARK', { variable_sip_call_id: call.callId });
    expect(parked.headers.variable_sip_auth_username).toBe('1001');
  });

  it('and control refuses: 403', async () => {
    const agent = await bench.answeredAgent('1001');
    const { call, leg } = await dials(agent);
    await bench.ok(`uuid_kill ${leg} OUTGOING_CALL_BARRED`);
    expect((await call.ended()).sipStatus).toBe(403);
  });

  it('and control says nothing: 503 after 4 s', async () => {
    const agent = await bench.answeredAgent('1001');
    const { call } = await dials(agent);
    expect((await call.ended({ withinMs: 7000 })).sipStatus).toBe(503);
  });

  it('with what nobody dials: 403 at once', async () => {
    const phone = await bench.agent('1001');
    const call = await phone.call('parked');
    expect((await call.ended()).sipStatus).toBe(403);
    expect(bench.esl.eventsSoFar('CHANNEL_PARK', { variable_sip_call_id: call.callId })).toEqual([]);
  });
});

describe('a phone puts its two calls together', () => {
  it.each(['on the line that waits', 'on the line that talks'] as const)(
    '%s: the far party is parked, what waited ends, and the phone is told',
    async (where) => {
      const first = await firstLine();
      const line = await dials(first);
      const subcentre = await talks(line);
      await allow(first.leg, line.leg, subcentre.leg);
      const onWaiting = where === 'on the line that waits';
      const [one, other] = onWaiting ? [first.call, line.call] : [line.call, first.call];
      expect(await putTogether(one, other)).toBe('SIP/2.0 200 OK');
      await bench.parked(subcentre.leg, 2);
      await first.call.ended();
      expect(await bench.ended(first.leg)).toMatchObject({ 'Hangup-Cause': 'ATTENDED_TRANSFER' });
      if (onWaiting) {
        await line.call.ended();
        expect(await bench.ended(line.leg)).toMatchObject({ 'Hangup-Cause': 'ATTENDED_TRANSFER' });
      } else await bench.parked(line.leg, 2);
      // With a way out like everybody who waits.
      expect(await bench.esl.api(`sched_del ${subcentre.leg}`)).toBe('+OK Deleted: 1');
      expect(await bench.esl.api(`uuid_exists ${subcentre.leg}`)).toBe('true');
    },
  );

  it.each([0, 1, 2])('but not when control has not allowed it of each of the three legs (%i)', async (forbidden) => {
    const first = await firstLine();
    const line = await dials(first);
    const subcentre = await talks(line);
    await allow(first.leg, line.leg, subcentre.leg);
    const leg = [first.leg, line.leg, subcentre.leg][forbidden] ?? '';
    await bench.ok(`uuid_setvar ${leg} deny_refer_requests true`);
    expect(await putTogether(first.call, line.call)).toBe('SIP/2.0 403 Forbidden');
    await subcentre.call.hearsOnly([tones.agent]);
    await line.call.hearsOnly([tones.subcentre]);
    expect(await bench.esl.api(`uuid_exists ${first.leg}`)).toBe('true');
  });

  it('but not when both wait', async () => {
    const first = await firstLine();
    const line = await dials(first);
    await bench.ok(`sched_del ${line.leg}`);
    await bench.ok(`uuid_answer ${line.leg}`);
    await line.call.answered();
    await allow(first.leg, line.leg);
    expect(await putTogether(first.call, line.call)).toBe('SIP/2.0 403 Forbidden');
    expect(await bench.esl.api(`uuid_exists ${first.leg}`)).toBe('true');
    expect(await bench.esl.api(`uuid_exists ${line.leg}`)).toBe('true');
  });
});
