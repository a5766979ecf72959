import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type OrderBody, orderBodySchema } from '../../src/desk/protocol.ts';
import { deleteDraft, getDraft, saveDraft } from '../../src/store/drafts.ts';
import {
  findOrderOfCall,
  findWorkOrder,
  listWorkOrders,
  saveOrderOfCall,
  updateWorkOrder,
} from '../../src/store/work-orders.ts';
import { testDatabase } from '../support/database.ts';
import { addCall, addPerson, t0 } from './fixtures.ts';

const database = testDatabase();
const numbering = { prefix: 'KF', timeZone: 'Asia/Shanghai' };

const bodyOf = (changes: Partial<OrderBody> = {}): OrderBody => ({
  ...orderBodySchema.parse({}),
  matterType: '投诉',
  content: '夜间施工噪音扰民，"每晚" 100%\n第二行',
  unit: '市城市管理局',
  ...changes,
});

async function orderWish(changes: { body?: OrderBody; nowMs?: number; callerNumber?: string } = {}) {
  const [person, call] = [await addPerson(database.db), await addCall(database.db)];
  return {
    id: randomUUID(),
    callId: call.id,
    callerNumber: call.callerNumber,
    body: bodyOf(),
    createdBy: person.id,
    nowMs: t0,
    numbering,
    ...changes,
  };
}

describe('work orders', () => {
  it('are made from a call and numbered by the city, its day and a running number', async () => {
    const wish = await orderWish({ nowMs: Date.UTC(2026, 10, 21, 16, 0) });
    const order = await saveOrderOfCall(database.db, wish);
    expect(order.orderNo).toMatch(/^KF20261122-[0-9]{6}$/);
    expect(order).toMatchObject({ id: wish.id, callId: wish.callId, body: wish.body, status: 'accepted', version: 1 });
    expect(await findWorkOrder(database.db, wish.id)).toEqual(order);
    expect(await findOrderOfCall(database.db, wish.callId)).toEqual(order);
  });

  it('stay one per call, however often and at once they are saved', async () => {
    const wish = await orderWish();
    const saved = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        saveOrderOfCall(database.db, { ...wish, id: randomUUID(), body: bodyOf({ content: `${index}` }) }),
      ),
    );
    expect(new Set(saved.map((order) => order.id)).size).toBe(1);
    expect(new Set(saved.map((order) => order.orderNo)).size).toBe(1);
    expect(saved.map((order) => order.version).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('never share a number', async () => {
    const wishes = await Promise.all(Array.from({ length: 10 }, () => orderWish()));
    const orders = await Promise.all(wishes.map((wish) => saveOrderOfCall(database.db, wish)));
    expect(new Set(orders.map((order) => order.orderNo)).size).toBe(10);
  });

  it('are changed only by who saw the newest version', async () => {
    const order = await saveOrderOfCall(database.db, await orderWish());
    const change = { id: order.id, version: 1, body: bodyOf({ address: '鼓楼区' }), nowMs: t0 + 1 };
    const updated = await updateWorkOrder(database.db, { ...change, status: 'dispatched' });
    expect(updated).toMatchObject({
      outcome: 'updated',
      order: { version: 2, status: 'dispatched', updatedAtMs: t0 + 1 },
    });
    const late = await updateWorkOrder(database.db, { ...change, body: bodyOf({ address: '龙亭区' }) });
    expect(late).toMatchObject({ outcome: 'conflict', order: { version: 2, body: { address: '鼓楼区' } } });
    expect(await updateWorkOrder(database.db, { ...change, id: randomUUID() })).toEqual({ outcome: 'missing' });
  });

  it('are listed by caller, open ones alone if asked, newest first, page by page', async () => {
    const callerNumber = '037155551234';
    const orders = [];
    for (const nowMs of [t0, t0 + 1, t0 + 2]) {
      orders.push(await saveOrderOfCall(database.db, await orderWish({ callerNumber, nowMs })));
    }
    const [oldest, middle, newest] = orders.map((order) => order.id);
    await updateWorkOrder(database.db, {
      id: middle ?? '',
      version: 1,
      body: bodyOf(),
      status: 'closed',
      nowMs: t0 + 3,
    });
    const ids = async (open: boolean, offset = 0) =>
      (await listWorkOrders(database.db, { callerNumber, open, limit: 2, offset })).map((order) => order.id);
    expect(await ids(false)).toEqual([newest, middle]);
    expect(await ids(false, 2)).toEqual([oldest]);
    expect(await ids(true)).toEqual([newest, oldest]);
  });
});

describe('drafts', () => {
  async function draftWish(baseVersion: number, content = '一') {
    const [person, call] = [await addPerson(database.db), await addCall(database.db)];
    return { callId: call.id, personId: person.id, baseVersion, body: bodyOf({ content }), nowMs: t0 };
  }

  it('are kept version by version', async () => {
    const wish = await draftWish(0);
    expect(await saveDraft(database.db, wish)).toEqual({
      saved: true,
      draft: { callId: wish.callId, personId: wish.personId, version: 1, body: wish.body, updatedAtMs: t0 },
    });
    const body = bodyOf({ content: '二' });
    const next = await saveDraft(database.db, { ...wish, baseVersion: 1, body, nowMs: t0 + 5 });
    expect(next).toMatchObject({ saved: true, draft: { version: 2, body, updatedAtMs: t0 + 5 } });
    expect(await getDraft(database.db, wish.callId)).toEqual(next.draft);
    await deleteDraft(database.db, wish.callId);
    expect(await getDraft(database.db, wish.callId)).toBeUndefined();
  });

  it('are not overwritten by who saw an older version: he gets the newer one', async () => {
    const wish = await draftWish(0);
    await saveDraft(database.db, wish);
    const other = { ...wish, body: bodyOf({ content: '别人' }) };
    expect(await saveDraft(database.db, other)).toMatchObject({ saved: false, draft: { version: 1, body: wish.body } });
    expect(await saveDraft(database.db, { ...other, baseVersion: 7 })).toMatchObject({
      saved: false,
      draft: { version: 1 },
    });
    expect(await saveDraft(database.db, await draftWish(3))).toEqual({ saved: false, draft: undefined });
  });

  it('let exactly one of many writers win', async () => {
    const wish = await draftWish(0);
    const answers = await Promise.all(Array.from({ length: 20 }, () => saveDraft(database.db, wish)));
    expect(answers.filter((answer) => answer.saved)).toHaveLength(1);
    const next = await Promise.all(
      Array.from({ length: 20 }, () => saveDraft(database.db, { ...wish, baseVersion: 1 })),
    );
    expect(next.filter((answer) => answer.saved)).toHaveLength(1);
    expect((await getDraft(database.db, wish.callId))?.version).toBe(2);
  });
});
