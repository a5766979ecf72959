import { describe, expect, it } from 'vitest';
import { type OrderBody, orderBodySchema } from '../../src/desk/protocol.ts';
import { randomIds } from '../../src/kernel/ids.ts';
import type { CallStore, DeskStore, SeatStore } from '../../src/services/ports.ts';
import { deskStore } from '../../src/store/desk-store.ts';
import { callStore, seatStore } from '../../src/store/ports.ts';
import { testDatabase } from '../support/database.ts';
import { addCall, addPerson, newCall, t0 } from './fixtures.ts';

const database = testDatabase();
const numbering = { prefix: 'KF', timeZone: 'Asia/Shanghai' };
const body = orderBodySchema.parse({ matterType: '咨询', content: '公积金如何提取' });

/** The assignments show that the store is what the services ask for. */
const seats = (): SeatStore => seatStore(database.db);
const calls = (): CallStore => callStore(database.db);
const desk = (): DeskStore<OrderBody> => deskStore(database.db, { ids: randomIds, numbering });

describe('the store as the services use it', () => {
  it('reserves, renews and releases seats', async () => {
    const { id: personId } = await addPerson(database.db);
    const wish = { personId, callId: randomIds.uuid(), leg: randomIds.uuid(), nowMs: t0, leaseUntilMs: t0 + 1000 };
    const token = await seats().reserve(wish);
    expect(token).toBeDefined();
    expect(await seats().reserve(wish)).toBeUndefined();
    await seats().renew([{ personId, fencingToken: token?.fencingToken ?? '' }], t0 + 5000);
    expect(await seats().reservations()).toMatchObject([{ personId, callId: wish.callId, leg: wish.leg }]);
    await seats().release(personId, token?.fencingToken ?? '');
    expect(await seats().reservations()).toEqual([]);
  });

  it('writes calls and finds the live ones', async () => {
    const call = newCall();
    await calls().write({ calls: [call], journal: [], legs: [] });
    expect((await calls().live()).map((live) => live.call)).toContainEqual(call);
  });

  it('tells a desk of the caller, the day and the drafts', async () => {
    const agent = await addPerson(database.db);
    const callerNumber = '15900000001';
    const ended = await addCall(database.db, {
      callerNumber,
      lastAgentId: agent.id,
      agentAnsweredAtMs: t0 + 1_000,
      endedAtMs: t0 + 61_000,
      endClass: 'success',
      endReason: 'normal',
    });
    const now = await addCall(database.db, { callerNumber, startedAtMs: t0 + 100_000 });
    const saved = await desk().saveOrder({ callId: ended.id, personId: agent.id, callerNumber, body, nowMs: t0 });
    expect(await desk().history(callerNumber, now.id)).toEqual({
      earlierCalls: [
        { callId: ended.id, startedAtMs: t0, agentName: agent.name, summary: body.content, endClass: 'success' },
      ],
      openOrders: [
        {
          id: saved.orderId,
          orderNo: saved.orderNo,
          matterType: '咨询',
          category: '',
          summary: body.content,
          status: 'accepted',
          createdAtMs: t0,
        },
      ],
    });
    expect(await desk().today(agent, t0)).toMatchObject([
      { callId: ended.id, talkMs: 60_000, orderNo: saved.orderNo, callerNumber },
    ]);
    expect(await desk().callOwner(ended.id)).toEqual({ agentId: agent.id, callerNumber });
    expect(await desk().callOwner(randomIds.uuid())).toBeUndefined();
  });

  it('keeps drafts and says when they became an order', async () => {
    const agent = await addPerson(database.db);
    const call = await addCall(database.db);
    const wish = { callId: call.id, personId: agent.id, baseVersion: 0, body, nowMs: t0 };
    const draft = { callId: call.id, version: 1, body, orderId: null, orderNo: null };
    expect(await desk().saveDraft(wish)).toEqual({ ok: true, draft });
    expect(await desk().saveDraft(wish)).toEqual({ ok: false, draft });
    const order = await desk().saveOrder({ ...wish, callerNumber: call.callerNumber });
    expect(await desk().draft(call.id)).toEqual({ ...draft, ...order });
  });

  it('knows people and those of a sub-centre', async () => {
    const clerk = await addPerson(database.db, { role: 'subcentre', hotlineNumber: '12366' });
    expect(await desk().person(clerk.id)).toEqual(clerk);
    expect(await desk().person(randomIds.uuid())).toBeUndefined();
    expect(await desk().subcentrePeople('12366')).toEqual([clerk.id]);
  });
});
