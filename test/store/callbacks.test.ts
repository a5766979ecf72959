import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/domain/call/call.ts';
import { writeCalls } from '../../src/store/call-batch.ts';
import { addFallbackMessages, type FallbackMessage, listCallbacks } from '../../src/store/callbacks.ts';
import { testDatabase } from '../support/database.ts';
import { newCall, newLeg, t0 } from './fixtures.ts';

const database = testDatabase();

/** The file's name tells whole seconds. */
const messageAtMs = Math.floor(t0 / 1000) * 1000;

function message(leg: string, changes: Partial<FallbackMessage> = {}): FallbackMessage {
  const recordingPath = `/r/fallback/${messageAtMs / 1000}_13812345678_12345_${leg}.wav`;
  return { callerNumber: '13812345678', dialledNumber: '12345', recordingPath, leg, atMs: messageAtMs, ...changes };
}

async function store(changes: Partial<Call>): Promise<Call> {
  const call = newCall(changes);
  const leg = newLeg(call.id, { leg: call.citizenLeg });
  await writeCalls(database.db, { calls: [call], legs: [leg], journal: [] });
  return call;
}

const end = (call: Call, changes: Partial<Call>) =>
  writeCalls(database.db, {
    calls: [{ ...call, state: 'ended', citizenPlace: 'gone', endedAtMs: t0 + 9000, ...changes }],
    legs: [],
    journal: [],
  });

async function entriesOf(call: Call) {
  const all = await listCallbacks(database.db, { open: true, limit: 100, offset: 0 });
  return all.filter(
    (entry) => entry.callId === call.id || (entry.recordingPath ?? '').endsWith(`_${call.citizenLeg}.wav`),
  );
}

const abandoned = { endClass: 'caller', endReason: 'abandoned-waiting' } as const;
const served = { endClass: 'success', endReason: 'citizen-hung-up' } as const;

describe('the call-back list', () => {
  it('has a caller whom control never had once for each recording, however often they are collected', async () => {
    const leg = randomUUID();
    expect(await addFallbackMessages(database.db, [message(leg), message(randomUUID())])).toBe(2);
    expect(await addFallbackMessages(database.db, [message(leg)])).toBe(0);
    const second = message(leg, { recordingPath: `/r/fallback/1_13812345678_12345_${leg}.wav` });
    expect(await addFallbackMessages(database.db, [second, message(leg)])).toBe(0);
  });

  it('has a citizen once who left a message and whose call then ended as one that is owed an answer', async () => {
    const call = await store({ state: 'waiting' });
    // Still with control: his end decides.
    expect(await addFallbackMessages(database.db, [message(call.citizenLeg)])).toBe(0);
    expect(await entriesOf(call)).toEqual([]);
    await end(call, abandoned);
    expect(await addFallbackMessages(database.db, [message(call.citizenLeg)])).toBe(0);
    expect(await entriesOf(call)).toMatchObject([
      { callId: call.id, reason: 'abandoned-waiting', recordingPath: message(call.citizenLeg).recordingPath },
    ]);
  });

  it('has a citizen once whose message was collected before the end of his call was stored', async () => {
    const call = newCall({ state: 'waiting' });
    expect(await addFallbackMessages(database.db, [message(call.citizenLeg)])).toBe(1);
    await writeCalls(database.db, { calls: [call], legs: [newLeg(call.id, { leg: call.citizenLeg })], journal: [] });
    await end(call, abandoned);
    await end(call, abandoned);
    expect(await entriesOf(call)).toMatchObject([{ reason: 'fallback-message' }]);
  });

  it('has one who had talked before he was put on hold and got the message, not one who talked after it', async () => {
    const held = await store({ state: 'held', togetherAtMs: t0 - 60_000 });
    await end(held, { ...served, togetherAtMs: t0 - 60_000 });
    const broughtBack = await store({ state: 'talking', togetherAtMs: t0 + 5000 });
    await end(broughtBack, { ...served, togetherAtMs: t0 + 5000 });
    const messages = [held, broughtBack].map((call) => message(call.citizenLeg));
    expect(await addFallbackMessages(database.db, messages)).toBe(1);
    expect(await entriesOf(held)).toMatchObject([{ callId: held.id, reason: 'fallback-message' }]);
    expect(await entriesOf(broughtBack)).toEqual([]);
  });

  it('has a citizen who has gone although the others of his call still talk', async () => {
    const call = await store({ state: 'agentWithSubcentre', citizenPlace: 'gone', togetherAtMs: t0 - 60_000 });
    expect(await addFallbackMessages(database.db, [message(call.citizenLeg)])).toBe(1);
    await end(call, served);
    expect(await entriesOf(call)).toHaveLength(1);
  });
});
