import { randomUUID } from 'node:crypto';
import { Secret } from '../../src/config/secret.ts';
import type { Call } from '../../src/domain/call/call.ts';
import { newCall as arrived } from '../../src/domain/call/new-call.ts';
import { writeCalls } from '../../src/store/call-batch.ts';
import type { LegRecord } from '../../src/store/calls.ts';
import type { Db } from '../../src/store/database.ts';
import { createPerson, type NewPerson, type Person } from '../../src/store/people.ts';

/** A moment with odd milliseconds, so that lost ones are noticed. */
export const t0 = Date.UTC(2026, 10, 21, 10, 0, 0, 123);

let count = 0;

export function newPerson(changes: Partial<NewPerson> = {}): NewPerson {
  count += 1;
  return {
    id: randomUUID(),
    login: `login-${count}`,
    name: '王敏',
    role: 'agent',
    extension: String(2000 + count),
    hotlineNumber: null,
    passwordHash: new Secret('$argon2id$test'),
    sipHa1Md5: new Secret('0123456789abcdef0123456789abcdef'),
    createdAtMs: t0,
    ...changes,
  };
}

export function addPerson(db: Db, changes: Partial<NewPerson> = {}): Promise<Person> {
  return createPerson(db, newPerson(changes));
}

export function newCall(changes: Partial<Call> = {}): Call {
  const call = arrived({
    id: randomUUID(),
    citizenLeg: randomUUID(),
    callerNumber: '13812345678',
    callerName: '张三 100%, "甲"',
    dialledNumber: '12345',
    startedAtMs: t0,
    flowId: 'direct',
  });
  return { ...call, ...changes };
}

export async function addCall(db: Db, changes: Partial<Call> = {}): Promise<Call> {
  const call = newCall(changes);
  await writeCalls(db, { calls: [call], legs: [], journal: [] });
  return call;
}

export function newLeg(callId: string, changes: Partial<LegRecord> = {}): LegRecord {
  return {
    leg: randomUUID(),
    callId,
    role: 'citizen',
    party: '13812345678',
    personId: null,
    direction: 'inbound',
    createdAtMs: t0,
    ringingAtMs: null,
    answeredAtMs: null,
    endedAtMs: null,
    endClass: null,
    endReason: null,
    cause: null,
    sipStatus: null,
    ...changes,
  };
}
