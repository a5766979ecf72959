import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeskPush, OrderBody } from '../../../src/desk/protocol.ts';
import { nothingLeft, recordOf } from '../../support/hotline/calls.ts';
import { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

const body = (content: string, changes: Partial<OrderBody> = {}): OrderBody => ({
  citizenName: '张三',
  contactNumber: '13800001234',
  matterType: '投诉',
  category: '噪音扰民',
  address: '龙亭区中山路1号',
  content,
  unit: '市城市管理局',
  ...changes,
});

const unknownCall = '00000000-0000-4000-8000-000000000000';

/** Today by the clock of the city. */
const cityDate = () =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(new Date()).replaceAll('-', '');

/** Seed rows D03 (six fields), D05 (matter types), A19 (every opinion written down); issue 2, 6. */
describe('the work order of a call', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  let other: DeskClient;
  let current: Talk;
  const windows: DeskClient[] = [];

  beforeAll(async () => {
    agent = await readyAgent(hotline);
    other = await hotline.desk('1002');
  });

  afterEach(async () => {
    for (const window of windows.splice(0)) window.close();
    if (!current.citizen.isEnded) await finish(current, agent.desk);
    else if (agent.desk.seat?.status === 'wrapUp') await agent.desk.do({ do: 'endWrapUp' });
    await nothingLeft(hotline);
  });

  afterAll(() => other.close());

  async function secondWindow(): Promise<DeskClient> {
    const window = new DeskClient(hotline.webUrl, agent.desk.cookie, 'second window');
    windows.push(window);
    await window.open();
    return window;
  }

  it('is typed in one window and seen in the other; what both changed is a conflict, and nothing is lost', async () => {
    current = await talk(hotline, agent, '13800020001');
    const { callId } = current;
    const second = await secondWindow();
    const first = await agent.desk.do({ do: 'saveDraft', callId, baseVersion: 0, body: body('路灯') });
    expect(first.draft).toMatchObject({ callId, version: 1, orderId: null, body: { content: '路灯' } });
    await second.push('draft', (push) => push.draft.version === 1);

    await second.do({ do: 'saveDraft', callId, baseVersion: 1, body: body('路灯不亮') });
    await agent.desk.push('draft', (push) => push.draft.version === 2);
    const late = await agent.desk.request({ do: 'saveDraft', callId, baseVersion: 1, body: body('路灯坏了') });
    expect(late).toMatchObject({ ok: false, code: 'draft-conflict', draft: { version: 2, body: body('路灯不亮') } });
    const lateOrder = await agent.desk.request({ do: 'saveOrder', callId, baseVersion: 1, body: body('路灯坏了') });
    expect(lateOrder).toMatchObject({ ok: false, code: 'draft-conflict' });
    await agent.desk.do({ do: 'saveDraft', callId, baseVersion: 2, body: body('路灯坏了，不亮') });
    // A window that is opened now finds the newest text.
    const third = await secondWindow();
    expect((await third.push('snapshot')).draft).toMatchObject({ version: 3, body: body('路灯坏了，不亮') });
  });

  it('takes two windows that begin at the same moment: one wins, the other is told', async () => {
    current = await talk(hotline, agent, '13800020002');
    const { callId } = current;
    const second = await secondWindow();
    const replies = await Promise.all([
      agent.desk.request({ do: 'saveDraft', callId, baseVersion: 0, body: body('甲') }),
      second.request({ do: 'saveDraft', callId, baseVersion: 0, body: body('乙') }),
    ]);
    expect(replies.map((reply) => reply.ok).sort()).toEqual([false, true]);
    const [won] = replies.filter((reply) => reply.ok);
    const [lost] = replies.filter((reply) => !reply.ok);
    expect(lost?.draft).toEqual(won?.draft);
  });

  it('is saved while they talk and again in wrap-up, keeps its number, and is linked in the record', async () => {
    current = await talk(hotline, agent, '13800020003');
    const { callId } = current;
    const saved = await agent.desk.do({ do: 'saveOrder', callId, baseVersion: 0, body: body('夜间施工') });
    const orderNo = saved.draft?.orderNo ?? '';
    expect(orderNo).toMatch(new RegExp(`^KF${cityDate()}-\\d{6}$`));
    await current.citizen.hangup();
    await current.agent.ended();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await hotline.callOver(callId);
    const again = await agent.desk.do({ do: 'saveOrder', callId, baseVersion: 1, body: body('夜间施工，已三天') });
    expect(again.draft).toMatchObject({ version: 2, orderNo, orderId: saved.draft?.orderId });
    const record = await recordOf(hotline, agent.desk, callId);
    expect(record.workOrder).toMatchObject({ orderNo, callId, content: '夜间施工，已三天', status: 'accepted' });
    const read = await agent.desk.api(`/api/work-orders/${saved.draft?.orderId}`);
    expect(read.body).toMatchObject({ orderNo, callId, callerNumber: '138****0003', ...body('夜间施工，已三天') });
    await agent.desk.push('today', (push) => push.today.some((call) => call.orderNo === orderNo));
  });

  it('is first saved in wrap-up', async () => {
    current = await talk(hotline, agent, '13800020004');
    const { callId } = current;
    await current.agent.hangup();
    await current.citizen.ended();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    const incomplete = await agent.desk.request({ do: 'saveOrder', callId, baseVersion: 0, body: body('  ') });
    expect(incomplete).toMatchObject({ ok: false, code: 'incomplete', text: '请填写：诉求内容' });
    const saved = await agent.desk.do({ do: 'saveOrder', callId, baseVersion: 0, body: body('事后补记') });
    const record = await recordOf(hotline, agent.desk, callId);
    expect(record.workOrder?.orderNo).toBe(saved.draft?.orderNo);
  });

  it('and the call are on the card when the same citizen calls again, however the carrier writes the number', async () => {
    current = await talk(hotline, agent, '13800020005');
    const saved = await agent.desk.do({
      do: 'saveOrder',
      callId: current.callId,
      baseVersion: 0,
      body: body('井盖丢失', { matterType: '求助', category: '市政设施' }),
    });
    const first = current.callId;
    await finish(current, agent.desk);
    await hotline.callOver(first);
    current = await talk(hotline, agent, '+8613800020005');
    const { card } = current.offer;
    expect(card.number).toBe('138****0005');
    expect(card.earlierCalls).toMatchObject([{ callId: first, agentName: '王敏', summary: '井盖丢失' }]);
    expect(card.openOrders).toMatchObject([
      { orderNo: saved.draft?.orderNo, matterType: '求助', category: '市政设施', summary: '井盖丢失' },
    ]);
    const stranger = current.callId;
    await finish(current, agent.desk);
    await hotline.callOver(stranger);
    current = await talk(hotline, agent, '13800020006');
    expect(current.offer.card).toMatchObject({ earlierCalls: [], openOrders: [] });
  });

  it('is written by nobody else: not another agent, not the sub-centre, not for a call that is not there', async () => {
    current = await talk(hotline, agent, '13800020007');
    const { callId } = current;
    const subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
    const subcentreDesk = await hotline.desk('12366');
    await agent.desk.do({ do: 'saveDraft', callId, baseVersion: 0, body: body('个税') });
    await agent.desk.do({ do: 'consult', callId, number: '12366' });
    const ringing = await subcentre.nextInvite();
    ringing.answer();
    await agent.desk.callState('consulting');
    for (const desk of [other, subcentreDesk]) {
      for (const wish of ['saveDraft', 'saveOrder'] as const) {
        const reply = await desk.request({ do: wish, callId, baseVersion: 1, body: body('改写') });
        expect(reply).toMatchObject({ ok: false, code: 'not-your-call' });
      }
      expect(await desk.request({ do: 'hangup', callId })).toMatchObject({ ok: false, code: 'not-your-call' });
    }
    const nowhere = await agent.desk.request({ do: 'saveDraft', callId: unknownCall, baseVersion: 0, body: body('x') });
    expect(nowhere).toMatchObject({ ok: false, code: 'not-your-call' });
    await agent.desk.do({ do: 'cancelConsult', callId });
    await ringing.ended();
    await agent.desk.callState('talking');
    await finish(current, agent.desk);
    await hotline.callOver(callId);
    const late = await other.request({ do: 'saveOrder', callId, baseVersion: 1, body: body('改写') });
    expect(late).toMatchObject({ ok: false, code: 'not-your-call' });
    expect((await recordOf(hotline, agent.desk, callId)).workOrder).toBeNull();
    subcentreDesk.close();
  });

  it('takes the longest text, emoji, quotes and half characters as they may be pasted', async () => {
    current = await talk(hotline, agent, '13800020008');
    const { callId } = current;
    const content = `"引号" 'a' \\ %s \u0000\ud83d😀 ${'长'.repeat(7000)}`;
    const saved = await agent.desk.do({ do: 'saveOrder', callId, baseVersion: 0, body: body(content) });
    // What no database can keep (NUL, half a character) is replaced, and nothing else.
    const kept = content.replace('\u0000', '').replace(/\ud83d(?!\ude00)/, '\ufffd');
    expect(saved.draft?.body.content).toBe(kept);
    await finish(current, agent.desk);
    expect((await recordOf(hotline, agent.desk, callId)).workOrder?.content).toBe(kept);
  });
});

/** Issue 2, 6: nothing typed is lost by a page reload, a dropped socket or a service restart. */
describe('the desk socket', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  const extra: DeskClient[] = [];

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  afterEach(() => {
    for (const desk of extra.splice(0)) desk.close();
  });

  function window(cookie = agent.desk.cookie): DeskClient {
    const desk = new DeskClient(hotline.webUrl, cookie, 'window');
    extra.push(desk);
    return desk;
  }

  /** Pushes with their numbers, since a number. */
  const since = (desk: DeskClient, seq: number): [number, DeskPush][] =>
    desk.seqs.flatMap((at, index) => {
      const push = desk.pushes[index];
      return at > seq && push !== undefined ? [[at, push] as [number, DeskPush]] : [];
    });

  it('brings a dropped window exactly what it missed, in order', async () => {
    const dropped = window();
    await dropped.open();
    const witness = window();
    await witness.open();
    const { epoch } = dropped;
    await witness.do({ do: 'break', reason: '小休' });
    await dropped.push('seat', (push) => push.seat.status === 'break');
    dropped.drop();
    await dropped.closed();
    const lastSeq = dropped.lastSeq ?? 0;
    await witness.do({ do: 'ready' });
    await witness.do({ do: 'break', reason: '会议' });
    await witness.do({ do: 'ready' });
    await witness.seatIs('ready again', (seat) => seat.status === 'ready');
    const missed = since(witness, lastSeq);
    expect(missed.length).toBeGreaterThanOrEqual(3);
    await dropped.open({ epoch, lastSeq });
    expect(dropped.resumed).toBe(true);
    await dropped.seatIs('ready again', (seat) => seat.status === 'ready' && dropped.lastSeq === witness.lastSeq);
    expect(since(dropped, lastSeq)).toEqual(missed);
    expect(new Set(dropped.seqs).size).toBe(dropped.seqs.length);
  });

  it.each([
    ['of another run of the service', (desk: DeskClient) => ({ epoch: 'another', lastSeq: desk.lastSeq })],
    ['that knows more than there was', (desk: DeskClient) => ({ epoch: desk.epoch, lastSeq: 1_000_000 })],
    ['without a number', (desk: DeskClient) => ({ epoch: desk.epoch, lastSeq: undefined })],
  ])('gives a snapshot to a window %s', async (_name, resume) => {
    const desk = window();
    await desk.open();
    const hello = resume(desk);
    desk.drop();
    await desk.closed();
    const seen = desk.pushes.length;
    await desk.open(hello);
    expect(desk.resumed).toBe(false);
    await desk.push('snapshot', () => desk.pushes.slice(seen).some((push) => push.type === 'snapshot'));
    expect(desk.pushes[seen]?.type).toBe('snapshot');
  });

  it('keeps call, draft and order through a restart of the service, in the call and in wrap-up', async () => {
    const current = await talk(hotline, agent, '13800021001');
    const { callId } = current;
    await agent.desk.do({ do: 'saveDraft', callId, baseVersion: 0, body: body('重启之前') });
    const { epoch, lastSeq, cookie } = agent.desk;
    await hotline.restart();
    const desk = window(cookie);
    await desk.open({ epoch, lastSeq });
    expect(desk.resumed).toBe(false);
    const state = await desk.callState('talking');
    expect(state).toMatchObject({ callId, as: 'agent', card: { number: '138****1001' } });
    const { draft } = await desk.push('snapshot', (push) => push.call?.callId === callId);
    expect(draft).toMatchObject({ version: 1, body: body('重启之前') });
    await current.citizen.hears(tones.agent);
    await current.agent.hears(tones.citizen);
    await desk.seatIs('busy', (seat) => seat.status === 'busy');
    await desk.do({ do: 'saveDraft', callId, baseVersion: 1, body: body('重启之后') });
    await desk.do({ do: 'hold', callId });
    await desk.callState('held');
    await desk.do({ do: 'resume', callId });
    await current.citizen.hears(tones.agent);
    await current.agent.hangup();
    await current.citizen.ended();
    await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await hotline.callOver(callId);
    desk.close();

    await hotline.restart();
    const later = window(cookie);
    await later.open();
    const snapshot = await later.push('snapshot');
    expect(snapshot.seat.status).toBe('wrapUp');
    expect(snapshot.today[0]).toMatchObject({ callId, number: '138****1001' });
    expect(snapshot.draft).toMatchObject({ callId, version: 2, body: body('重启之后') });
    const saved = await later.do({ do: 'saveOrder', callId, baseVersion: 2, body: body('重启之后') });
    expect((await recordOf(hotline, later, callId)).workOrder?.orderNo).toBe(saved.draft?.orderNo);
    await later.do({ do: 'endWrapUp' });
    await nothingLeft(hotline);
  });

  it('keeps an empty form through a restart in wrap-up', async () => {
    const desk = window();
    await desk.open();
    await desk.do({ do: 'ready' });
    const { callId, citizen } = await talk(hotline, { desk, phone: agent.phone }, '13800021002');
    await citizen.hangup();
    await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await hotline.callOver(callId);
    desk.close();
    await hotline.restart();
    const later = window();
    await later.open();
    const { draft } = await later.push('snapshot');
    expect(draft).toMatchObject({ callId, version: 0, body: { content: '' } });
    await later.do({ do: 'saveOrder', callId, baseVersion: 0, body: body('补记') });
    await later.do({ do: 'endWrapUp' });
  });
});
