import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { orderBodySchema } from '../../src/desk/protocol.ts';
import type { Call } from '../../src/domain/call/call.ts';
import { writeCalls } from '../../src/store/call-batch.ts';
import { countCalls, findCallRecord, listCalls } from '../../src/store/call-records.ts';
import { type JournalRecord, loadLiveCalls } from '../../src/store/calls.ts';
import { replaceHotlines } from '../../src/store/hotlines.ts';
import { saveOrderOfCall } from '../../src/store/work-orders.ts';
import { testDatabase } from '../support/database.ts';
import { addCall, addPerson, newCall, newLeg, t0 } from './fixtures.ts';

const database = testDatabase();

const entry = (callId: string, position: number, changes: Partial<JournalRecord> = {}): JournalRecord => ({
  callId,
  position,
  atMs: t0 + position,
  fromState: 'answering',
  event: 'citizenAnswered',
  toState: 'flow',
  details: { note: '百分之%"' },
  ...changes,
});

const liveOf = async (id: string) => (await loadLiveCalls(database.db)).find((live) => live.call.id === id);

describe('calls', () => {
  it('come back as they were after a crash, with legs and the next journal position', async () => {
    const agent = await addPerson(database.db);
    const call = newCall({
      state: 'talking',
      answeredAtMs: t0 + 1,
      lastAgentId: agent.id,
      flowPath: [{ step: 'greeting', what: 'entered', atMs: t0 + 2 }],
      flowState: {
        flowId: 'direct',
        step: 'menu',
        tries: 1,
        typedAhead: '1',
        counter: 3,
        waiting: { for: 'digit', timer: 't3' },
        outcome: null,
        path: [{ step: 'menu', what: 'digit', digit: '1' }],
      },
      agent: {
        personId: agent.id,
        name: agent.name,
        extension: '1001',
        leg: randomUUID(),
        fencingToken: '77',
        offeredAtMs: t0,
        answeredAtMs: null,
        place: 'ringing',
        otherLine: null,
      },
    });
    const leg = newLeg(call.id, { answeredAtMs: t0 + 1 });
    await writeCalls(database.db, { calls: [call], legs: [leg], journal: [entry(call.id, 0), entry(call.id, 1)] });
    expect(await liveOf(call.id)).toEqual({ call, legs: [leg], nextPosition: 2 });
  });

  it('are live until they have ended', async () => {
    const call = await addCall(database.db);
    expect(await liveOf(call.id)).toEqual({ call, legs: [], nextPosition: 0 });
    const ended: Call = { ...call, state: 'ended', endedAtMs: t0 + 9, endClass: 'caller', endReason: 'cancelled' };
    await writeCalls(database.db, { calls: [ended], legs: [], journal: [] });
    expect(await liveOf(call.id)).toBeUndefined();
    expect(await findCallRecord(database.db, call.id)).toMatchObject({
      state: 'ended',
      endedAtMs: t0 + 9,
      endClass: 'caller',
      endReason: 'cancelled',
    });
  });

  it('are written once, however often the same batch comes, and with their last state', async () => {
    const call = newCall();
    const leg = newLeg(call.id);
    const batch = {
      calls: [call, { ...call, state: 'flow' as const }],
      legs: [leg, { ...leg, answeredAtMs: t0 + 1 }],
      journal: [entry(call.id, 0)],
    };
    await writeCalls(database.db, batch);
    await writeCalls(database.db, batch);
    const record = await findCallRecord(database.db, call.id);
    expect(record).toMatchObject({ state: 'flow', callerName: call.callerName, legs: [{ answeredAtMs: t0 + 1 }] });
    expect(record?.journal).toEqual([entry(call.id, 0)]);
  });

  it('leave nothing behind when a part of a batch fails', async () => {
    const call = newCall();
    const strange = newLeg(randomUUID());
    const batch = { calls: [call], legs: [strange], journal: [] };
    await expect(writeCalls(database.db, batch)).rejects.toMatchObject({ code: '23503' });
    expect(await findCallRecord(database.db, call.id)).toBeUndefined();
  });

  it('take many journal lines and legs in one go', async () => {
    const call = await addCall(database.db);
    const lines = Array.from({ length: 500 }, (_, position) => entry(call.id, position));
    const legs = Array.from({ length: 50 }, () => newLeg(call.id));
    await writeCalls(database.db, { calls: [], legs, journal: lines });
    const record = await findCallRecord(database.db, call.id);
    expect(record?.journal).toEqual(lines);
    expect(record?.legs).toHaveLength(50);
  });
});

describe('the record of a call', () => {
  it('holds hotline, agent, legs, journal, flow path, recording and work order', async () => {
    await replaceHotlines(database.db, [
      { number: '12345', name: '政务热线', owner: '市政府', mode: 'city', answeredHere: true, gateway: null, note: '' },
    ]);
    const agent = await addPerson(database.db, { name: '李强' });
    const call = await addCall(database.db, {
      lastAgentId: agent.id,
      recordingPath: '/recordings/a.wav',
      flowPath: [{ step: 'greeting', what: 'entered', atMs: t0 }],
    });
    const legs = [newLeg(call.id), newLeg(call.id, { role: 'agent', personId: agent.id, createdAtMs: t0 + 1 })];
    await writeCalls(database.db, { calls: [], legs, journal: [entry(call.id, 0)] });
    const order = await saveOrderOfCall(database.db, {
      id: randomUUID(),
      callId: call.id,
      callerNumber: call.callerNumber,
      body: { ...orderBodySchema.parse({}), content: '噪'.repeat(100) },
      createdBy: agent.id,
      nowMs: t0,
      numbering: { prefix: 'KF', timeZone: 'Asia/Shanghai' },
    });
    expect(await findCallRecord(database.db, call.id)).toMatchObject({
      callId: call.id,
      hotlineName: '政务热线',
      agentName: '李强',
      orderId: order.id,
      orderNo: order.orderNo,
      orderContent: '噪'.repeat(80),
      flowPath: call.flowPath,
      recordingPath: '/recordings/a.wav',
      legs,
      journal: [entry(call.id, 0)],
      workOrder: order,
    });
  });

  it('is undefined for an unknown call', async () => {
    expect(await findCallRecord(database.db, randomUUID())).toBeUndefined();
  });
});

describe('lists of calls', () => {
  it('are narrowed by caller, agent and time, newest first, page by page', async () => {
    const agent = await addPerson(database.db);
    const callerNumber = '13700000000';
    const day = 86_400_000;
    const first = await addCall(database.db, { callerNumber, startedAtMs: t0 });
    const second = await addCall(database.db, { callerNumber, startedAtMs: t0 + day, lastAgentId: agent.id });
    const third = await addCall(database.db, { callerNumber, startedAtMs: t0 + 2 * day });
    const ids = async (filter: Parameters<typeof listCalls>[1], limit = 10, offset = 0) =>
      (await listCalls(database.db, filter, { limit, offset })).map((call) => call.callId);
    expect(await ids({ callerNumber })).toEqual([third.id, second.id, first.id]);
    expect(await ids({ callerNumber }, 1, 1)).toEqual([second.id]);
    expect(await ids({ callerNumber, exceptCallId: third.id })).toEqual([second.id, first.id]);
    expect(await ids({ agentId: agent.id })).toEqual([second.id]);
    expect(await ids({ agentId: agent.id, fromMs: t0 + day + 1 })).toEqual([]);
    expect(await ids({ callerNumber, fromMs: t0 + day, toMs: t0 + 2 * day })).toEqual([second.id]);
    expect(await countCalls(database.db, { callerNumber })).toBe(3);
  });
});
