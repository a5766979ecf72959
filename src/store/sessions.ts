import { createHash } from 'node:crypto';
import type { Secret } from '../config/secret.ts';
import type { Db } from './database.ts';
import { type Person, personOf } from './people.ts';
import { toDate, toMs } from './times.ts';

/** Only the hash is stored: who reads the table can't sign in with it. Tokens are long and random, so no salt. */
function hashOf(token: Secret): Buffer {
  return createHash('sha256').update(token.reveal()).digest();
}

export interface NewSession {
  /** At least 128 random bits, made by the caller. */
  readonly token: Secret;
  readonly personId: string;
  readonly nowMs: number;
  readonly expiresAtMs: number;
}

export async function createSession(db: Db, session: NewSession): Promise<void> {
  await db
    .insertInto('sessions')
    .values({
      token_sha256: hashOf(session.token),
      person_id: session.personId,
      created_at: toDate(session.nowMs),
      expires_at: toDate(session.expiresAtMs),
    })
    .execute();
}

/** Who is signed in with this token; undefined when it is unknown or over, or the person is disabled. */
export async function findSession(
  db: Db,
  token: Secret,
  nowMs: number,
): Promise<{ person: Person; expiresAtMs: number } | undefined> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .select(['people.id', 'login', 'name', 'role', 'extension', 'hotline_number', 'disabled_at'])
    .select(['people.created_at as created_at', 'expires_at'])
    .where('token_sha256', '=', hashOf(token))
    .where('expires_at', '>', toDate(nowMs))
    .where('disabled_at', 'is', null)
    .executeTakeFirst();
  return row && { person: personOf(row), expiresAtMs: toMs(row.expires_at) };
}

export async function deleteSession(db: Db, token: Secret): Promise<void> {
  await db.deleteFrom('sessions').where('token_sha256', '=', hashOf(token)).execute();
}

/** @returns how many were over. */
export async function deleteExpiredSessions(db: Db, nowMs: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where('expires_at', '<=', toDate(nowMs))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
