import { describe, expect, it } from 'vitest';
import { Bench, type Callee, type Citizen } from '../../support/bench.ts';
import type { TestCall } from '../../support/phone/call.ts';
import { header, type SipMessage } from '../../support/phone/sip-message.ts';
import { startBench } from '../../support/start-bench.ts';
import { switchKind } from '../../support/switch.ts';

const tones = { citizen: 400, agent: 650, other: 800 } as const;
const talkTones = { citizenHz: tones.citizen, agentHz: tones.agent };

const bench = startBench();

const target = (number: string, headers = ''): string => `<sip:${number}@${bench.sut.domain}${headers}>`;

/** The phone presses "transfer"; what the switch says at once. */
async function refer(call: TestCall, referTo: string): Promise<number> {
  return (await call.request('REFER', [['Refer-To', referTo]])).status ?? 0;
}

/** The `nth` outcome that the phone is told, in the words of RFC 3515. */
async function outcome(call: TestCall, nth = 1): Promise<string> {
  const told = (): SipMessage | undefined => call.requests.filter(({ method }) => method === 'NOTIFY')[nth - 1];
  const notify = await call.parts.watch.until('the outcome of the REFER', 7000, told);
  expect(header(notify, 'Event')).toMatch(/^refer/);
  expect(header(notify, 'Subscription-State')).toMatch(/^terminated/);
  expect(header(notify, 'Content-Type')).toMatch(/^message\/sipfrag/);
  return notify.body.trim();
}

/** An agent has sent his citizen to a number: both legs wait, and control has taken the citizen. */
async function referred(number: string): Promise<[Citizen, Callee]> {
  const [citizen, agent] = await bench.talk(talkTones);
  expect(await refer(agent.call, target(number))).toBe(202);
  await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg, 'Caller-Context': 'refer' });
  await bench.ok(`sched_del ${citizen.leg}`);
  return [citizen, agent];
}

async function theyTalk(citizen: Citizen, agent: Callee): Promise<void> {
  await citizen.call.hearsOnly([tones.agent]);
  await agent.call.hearsOnly([tones.citizen]);
}

describe('a phone in a bridge sends its partner away (RFC 3515)', () => {
  it('who waits in the context "refer"; the event says where to and by whom, and the phone waits too', async () => {
    const [citizen, agent] = await bench.talk(talkTones);
    expect(await refer(agent.call, target('12366'))).toBe(202);
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg, 'Caller-Context': 'refer' });
    expect(parked.headers['Caller-Destination-Number']).toBe('12366');
    expect(parked.headers.variable_blind_transfer_uuid).toBe(agent.leg);
    expect(parked.headers.variable_sip_refer_to).toContain('12366');
    expect(parked.headers.variable_yht_role).toBe('citizen');
    await bench.parked(agent.leg, 2);
    await bench.ok(`sched_del ${citizen.leg}`);
    // Control plays to both meanwhile.
    await bench.esl.execute(citizen.leg, 'playback', 'tone_stream://%(3000,0,1200)');
    await bench.esl.execute(agent.leg, 'playback', 'tone_stream://%(3000,0,1500)');
    await citizen.call.hears(1200);
    await agent.call.hears(1500);
    expect(agent.call.requests.filter(({ method }) => method === 'NOTIFY')).toEqual([]);
  });

  it('and is told of success when its partner is bridged to somebody else', async () => {
    const [citizen, agent] = await referred('12366');
    const other = await bench.answeredAgent('1002', { toneHz: tones.other });
    await bench.bridge(citizen.leg, other.leg);
    expect(await outcome(agent.call)).toBe('SIP/2.0 200 OK');
    await citizen.call.hearsOnly([tones.other]);
    // The phone ends its call by itself, as phones do.
    await agent.call.hangup();
    await citizen.call.hearsOnly([tones.other]);
  });

  it('and is told of success when control says so', async () => {
    const [citizen, agent] = await referred('12345');
    await bench.esl.execute(citizen.leg, 'blind_transfer_ack', 'true');
    expect(await outcome(agent.call)).toBe('SIP/2.0 200 OK');
    expect(await bench.esl.api(`uuid_exists ${citizen.leg}`)).toBe('true');
  });

  it('is refused by control: told so, and the two talk on; the next time all is as the first time', async () => {
    const [citizen, agent] = await referred('999');
    await bench.esl.execute(citizen.leg, 'blind_transfer_ack', 'false');
    await bench.esl.event('CHANNEL_BRIDGE', { 'Bridge-A-Unique-ID': agent.leg, 'Bridge-B-Unique-ID': citizen.leg });
    expect(await outcome(agent.call)).toBe('SIP/2.0 403 Forbidden');
    await theyTalk(citizen, agent);
    expect(await refer(agent.call, target('12366'))).toBe(202);
    const again = { 'Unique-ID': citizen.leg, 'Caller-Context': 'refer', 'Caller-Destination-Number': '12366' };
    await bench.esl.event('CHANNEL_PARK', again);
    await bench.ok(`sched_del ${citizen.leg}`);
    await bench.esl.execute(citizen.leg, 'blind_transfer_ack', 'false');
    expect(await outcome(agent.call, 2)).toBe('SIP/2.0 403 Forbidden');
    await theyTalk(citizen, agent);
    await citizen.call.hangup();
    await bench.parked(agent.leg, 4);
  });

  it('and control is dead: refused after 4 s, and the two talk on', async () => {
    const [citizen, agent] = await bench.talk(talkTones);
    expect(await refer(agent.call, target('12366'))).toBe(202);
    expect(await outcome(agent.call)).toBe('SIP/2.0 403 Forbidden');
    await theyTalk(citizen, agent);
  });

  it('and hangs up without waiting: the other one is there for control', async () => {
    const [citizen, agent] = await referred('12366');
    await agent.call.hangup();
    await bench.ended(agent.leg);
    await bench.esl.execute(citizen.leg, 'blind_transfer_ack', 'false');
    const other = await bench.answeredAgent('1002', { toneHz: tones.other });
    await bench.bridge(citizen.leg, other.leg);
    await citizen.call.hearsOnly([tones.other]);
  });

  it('and the other one hangs up: the phone is still there', async () => {
    const [citizen, agent] = await referred('12366');
    await citizen.call.hangup();
    await bench.ended(citizen.leg);
    expect(await bench.esl.api(`uuid_exists ${agent.leg}`)).toBe('true');
  });
});

describe('a REFER that can’t be', () => {
  /** Nothing has happened to the two. */
  async function refused(citizen: Citizen, agent: Callee, referTo: string): Promise<void> {
    expect(await refer(agent.call, referTo)).toBe(202);
    expect(await outcome(agent.call)).toBe('SIP/2.0 403 Forbidden');
    await theyTalk(citizen, agent);
    expect(bench.esl.eventsSoFar('CHANNEL_UNBRIDGE', { 'Unique-ID': citizen.leg })).toEqual([]);
  }

  it('replaces a call that nobody knows: nobody is called at the address that it names', async () => {
    const [citizen, agent] = await bench.talk(talkTones);
    const stranger = await bench.phone('trunk', { user: 'stranger' });
    const { host, port } = stranger.local;
    await refused(citizen, agent, `<sip:x@${host}:${port}?Replaces=unknown%3Bto-tag%3Da%3Bfrom-tag%3Db>`);
    await expect(stranger.nextInvite({ withinMs: 300 })).rejects.toThrow('in vain');
  });

  it('replaces a call that the switch knows: phones make none of their own', async () => {
    const [citizen, agent] = await bench.talk(talkTones);
    await refused(citizen, agent, target('12366', `?Replaces=${citizen.call.callId}%3Bto-tag%3Da%3Bfrom-tag%3Db`));
  });

  it('comes from a phone that is parked: it talks to nobody', async () => {
    const agent = await bench.answeredAgent('1001');
    expect(await refer(agent.call, target('12366'))).toBe(202);
    expect(await outcome(agent.call)).toBe('SIP/2.0 403 Forbidden');
    expect(await bench.esl.api(`uuid_exists ${agent.leg}`)).toBe('true');
  });

  it('comes from a phone in a conference', async () => {
    const [citizen, agent] = await bench.talk(talkTones);
    await bench.ok(`uuid_transfer ${agent.leg} -both conf-refer XML yihaotong`);
    await theyTalk(citizen, agent);
    expect(await refer(agent.call, target('12366'))).toBe(202);
    expect(await outcome(agent.call)).toBe('SIP/2.0 403 Forbidden');
    await theyTalk(citizen, agent);
  });

  it('has no Refer-To: nothing happens', async () => {
    const [citizen, agent] = await bench.talk(talkTones);
    expect((await agent.call.request('REFER')).status).toBe(switchKind === 'embedded' ? 400 : 202);
    await theyTalk(citizen, agent);
  });

  it('comes from the trunk: the carriers’ side does not know the method', async () => {
    const [citizen, agent] = await bench.talk(talkTones);
    expect(await refer(citizen.call, target('1002'))).toBe(405);
    await theyTalk(citizen, agent);
    expect(citizen.call.requests.filter(({ method }) => method === 'NOTIFY')).toEqual([]);
  });

  it.each(['parked', 'fallback-citizen', 'conf-1'])(
    'names a place of the dialplan, %s: a number like any other',
    async (place) => {
      const [citizen, agent] = await referred(place);
      await bench.esl.execute(citizen.leg, 'blind_transfer_ack', 'false');
      expect(await outcome(agent.call)).toBe('SIP/2.0 403 Forbidden');
      await theyTalk(citizen, agent);
    },
  );
});

describe('where phones may not transfer', () => {
  it('the method is not known, and the call goes on', async () => {
    const strict = await Bench.open({ phoneTransfer: false });
    try {
      const [citizen, agent] = await strict.talk(talkTones);
      expect(await refer(agent.call, target('12366'))).toBe(405);
      await theyTalk(citizen, agent);
      await strict.settle();
    } finally {
      await strict.close();
    }
  });
});
