import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nothingLeft, recordOf } from '../../support/hotline/calls.ts';
import { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { stillServes } from '../../support/hotline/service.ts';
import { finish, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

/** Issue 2, «Bad input»: names and numbers as carriers send them. Seed row D03: caller's name and phone. */
describe('a caller whose name or number is odd', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  /** The whole way with this caller; what the desk and the agent's phone showed, and the record. */
  async function call(number: string, fromName?: string) {
    const offers = () => agent.desk.pushes.filter((push) => push.type === 'offer').length;
    const before = offers();
    const phone = await hotline.citizen(number, { toneHz: tones.citizen });
    const citizen = await phone.call('12345', fromName === undefined ? {} : { fromName });
    const ringing = await agent.phone.nextInvite();
    const { call: offer } = await agent.desk.push('offer', () => offers() > before);
    ringing.answer();
    await citizen.hears(tones.agent);
    await ringing.hears(tones.citizen);
    await agent.desk.callState('talking');
    await finish({ callId: offer.callId, citizen, agent: ringing, offer }, agent.desk);
    const record = await recordOf(hotline, agent.desk, offer.callId);
    await nothingLeft(hotline);
    // The name may hold something that looks like an address; the real one stands last.
    const phoneNumber = /<sip:([^@>]*)@[^<]*$/.exec(ringing.header('From'))?.[1];
    return { card: offer.card, record, phoneNumber };
  }

  it.each([
    ['Chinese', '开封市民张三丰'],
    ['a percent sign', '100% 满意'],
    ['commas and semicolons', '李, 四; 王=五'],
    ['quotes', '李"四"'],
    ['an apostrophe', "O'Neil"],
    ['a backslash', 'a\\b'],
    ['emoji', '😀 笑脸 👨‍👩‍👧'],
    ['an address', '<sip:110@127.0.0.1>'],
    ['SQL', "'); DROP TABLE calls; --"],
    ['markup', '<img src=x onerror=alert(1)>'],
    ['braces', '{x=1}[y=2]'],
    ['a very long text', '长'.repeat(100)],
  ])('with %s in the name', async (_what, name) => {
    const { card, record, phoneNumber } = await call('13800070001', name);
    expect(card.callerName).toBe(name);
    expect(record.callerName).toBe(name);
    expect(phoneNumber).toBe('13800070001');
  });

  it.each([
    ['a variable of the switch', '$'.concat('{hostname} $', '{uuid}')],
    ['URL encoding', '%41%00%0d%0aX: y'],
  ])('with %s in the name, which stays text', async (_what, name) => {
    const { card } = await call('13800070002', name);
    expect(card.callerName).not.toContain('\n');
    expect(card.callerName).not.toContain('yht');
    expect(card.number).toBe('138****0002');
  });

  it.each([
    ['anonymous', '', ''],
    ['+8613800070003', '13800070003', '138****0003'],
    ['008613800070003', '13800070003', '138****0003'],
    ['alice', 'alice', undefined],
    ['037122223333', '037122223333', undefined],
    ['+442079460000', '+442079460000', undefined],
    ['1'.repeat(60), '1'.repeat(40), undefined],
    ['a%20b%22c', undefined, undefined],
    ['00', '', ''],
  ])('with the number «%s»', async (number, stored, shown) => {
    const { card, record } = await call(number);
    if (shown !== undefined && shown !== '') expect(card.number).toBe(shown);
    // Switches put the number where the name is missing: it must not be shown unmasked that way.
    expect(card.callerName).toBe('');
    const [row] = await hotline.app.db
      .selectFrom('calls')
      .select('caller_number')
      .where('id', '=', record.id)
      .execute();
    if (stored !== undefined) expect(row?.caller_number).toBe(stored);
    if (stored === '') expect(card).toMatchObject({ earlierCalls: [], openOrders: [] });
  });
});

/** Issue 2, «Bad input»: an agent who closes the browser mid-call; two browsers of one agent. */
describe('an agent’s browser', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  let current: Talk;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  afterEach(() => stillServes(hotline, agent));

  async function browser(): Promise<DeskClient> {
    const desk = await DeskClient.signIn(hotline.webUrl, '1001', 'secret-for-tests-only');
    await desk.open();
    return desk;
  }

  it('is closed in the middle of a call, which goes on; a new one takes it over', async () => {
    current = await talk(hotline, agent, '13800071001');
    const { callId } = current;
    agent.desk.drop();
    await agent.desk.closed();
    await current.citizen.hears(tones.agent);
    await current.agent.hears(tones.citizen);
    const desk = await browser();
    expect(await desk.callState('talking')).toMatchObject({ callId, card: { number: '138****1001' } });
    await desk.do({ do: 'hold', callId });
    await desk.callState('held');
    await desk.do({ do: 'resume', callId });
    await current.citizen.hears(tones.agent);
    agent = { ...agent, desk };
    await finish(current, agent.desk);
  });

  it('is closed while the phone rings, and the call is answered all the same', async () => {
    const citizen = await (await hotline.citizen('13800071002', { toneHz: tones.citizen })).call('12345');
    const ringing = await agent.phone.nextInvite();
    const { call: offer } = await agent.desk.push('offer', (push) => push.call.state === 'ringing');
    agent.desk.drop();
    await agent.desk.closed();
    ringing.answer();
    await citizen.hears(tones.agent);
    const desk = await browser();
    await desk.callState('talking');
    agent = { ...agent, desk };
    await finish({ callId: offer.callId, citizen, agent: ringing, offer }, agent.desk);
  });

  it('is open twice: both show the call, either works the buttons, closing one changes nothing', async () => {
    const second = await browser();
    current = await talk(hotline, agent, '13800071003');
    const { callId } = current;
    expect(await second.callState('talking')).toMatchObject({ callId });
    await second.do({ do: 'hold', callId });
    await agent.desk.callState('held');
    const both = await Promise.all([
      agent.desk.request({ do: 'resume', callId }),
      second.request({ do: 'resume', callId }),
    ]);
    expect(both.filter((reply) => reply.ok).length).toBeGreaterThanOrEqual(1);
    await agent.desk.callState('talking');
    await second.callState('talking');
    await current.citizen.hears(tones.agent);
    second.drop();
    await second.closed();
    await agent.desk.seatIs('busy', (seat) => seat.status === 'busy');
    await finish(current, agent.desk);
  });

  it('is signed out in the middle of a call: the call goes on, the page’s socket ends', async () => {
    const second = await DeskClient.signIn(hotline.webUrl, '1001', 'secret-for-tests-only');
    await second.open();
    current = await talk(hotline, agent, '13800071004');
    const response = await fetch(`${hotline.webUrl}/api/session`, {
      method: 'DELETE',
      headers: { cookie: second.cookie },
    });
    expect(response.status).toBe(204);
    expect(await second.closed()).toBe(4401);
    await current.citizen.hears(tones.agent);
    const desk = await browser();
    agent = { ...agent, desk };
    await finish(current, agent.desk);
  });
});
