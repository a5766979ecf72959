import { type Selectable, sql } from 'kysely';
import type { Call } from '../domain/call/call.ts';
import { callbackReason, messageOutcome } from '../domain/call/callback.ts';
import { callContextSchema } from './call-context.ts';
import type { Db } from './database.ts';
import type { CallbacksTable } from './schema.ts';
import { toDate, toMs, toMsOrNull } from './times.ts';

/** A citizen who is to be called back. */
export interface Callback {
  readonly id: string;
  /** Null for somebody who was treated by the dialplan alone; then there is a recording. */
  readonly callId: string | null;
  readonly callerNumber: string;
  readonly dialledNumber: string;
  readonly reason: string;
  readonly recordingPath: string | null;
  readonly sinceMs: number;
  readonly doneAtMs: number | null;
  readonly doneBy: string | null;
}

/**
 * Puts the citizens of ended calls on the list, each call once, in the transaction that stores its end. One who is there
 * already, by a message, stays there once.
 */
export async function oweCallbacks(db: Db, calls: readonly Call[]): Promise<void> {
  const rows = calls.flatMap((call) => {
    const reason = callbackReason(call);
    if (reason === undefined || call.endedAtMs === null) return [];
    const { id, callerNumber, dialledNumber, endedAtMs, citizenLeg } = call;
    const caller = { caller_number: callerNumber, dialled_number: dialledNumber };
    return [{ call_id: id, leg_id: citizenLeg, ...caller, reason, since: toDate(endedAtMs) }];
  });
  if (rows.length === 0) return;
  await db
    .insertInto('callbacks')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What the dialplan recorded of a citizen whom it treated alone. */
export interface FallbackMessage {
  readonly callerNumber: string;
  readonly dialledNumber: string;
  readonly recordingPath: string;
  readonly leg: string;
  readonly atMs: number;
}

/**
 * Puts callers whom the dialplan treated on the list, as far as they are owed a call. Who is there already, because of
 * how his call ended, gets the recording to his entry; a second recording of him changes nothing.
 * @returns how many were new
 */
export async function addFallbackMessages(db: Db, messages: readonly FallbackMessage[]): Promise<number> {
  const fresh = await notListed(db, messages);
  if (fresh.length === 0) return 0;
  const calls = await callsOf(db, fresh);
  const owed = fresh.flatMap((message) => {
    const call = calls.get(message.leg);
    if (messageOutcome(call, message.atMs) !== 'owed') return [];
    return [{ ...message, callId: call?.id ?? null, since: new Date(message.atMs).toISOString() }];
  });
  if (owed.length === 0) return 0;
  const { rows } = await sql<{ added: string }>`
    with given as (
      select distinct on ("leg") * from jsonb_to_recordset(${JSON.stringify(owed)}::jsonb) as message (
        "leg" uuid, "callId" uuid, "callerNumber" text, "dialledNumber" text, "recordingPath" text, "since" timestamptz
      ) order by "leg", "since"
    ), completed as (
      update callbacks set recording_path = given."recordingPath" from given
        where callbacks.leg_id = given."leg" and callbacks.recording_path is null
    ), added as (
      insert into callbacks (leg_id, call_id, caller_number, dialled_number, reason, recording_path, since)
        select "leg", "callId", "callerNumber", "dialledNumber", 'fallback-message', "recordingPath", "since" from given
      on conflict do nothing returning id
    )
    select count(*) as added from added`.execute(db);
  return Number(rows[0]?.added ?? 0);
}

async function notListed(db: Db, messages: readonly FallbackMessage[]): Promise<FallbackMessage[]> {
  if (messages.length === 0) return [];
  const { rows } = await sql<{ path: string }>`
    select recording_path as path from callbacks
      where recording_path = any(${messages.map((message) => message.recordingPath)}::text[])`.execute(db);
  const listed = new Set(rows.map((row) => row.path));
  return messages.filter((message) => !listed.has(message.recordingPath));
}

/** What is stored of the calls whose citizens left these messages, by leg. */
async function callsOf(db: Db, messages: readonly FallbackMessage[]): Promise<ReadonlyMap<string, Call>> {
  const rows = await db
    .selectFrom('call_legs')
    .innerJoin('calls', 'calls.id', 'call_legs.call_id')
    .select(['call_legs.id as leg', 'calls.context as context'])
    .where(
      'call_legs.id',
      'in',
      messages.map((message) => message.leg),
    )
    .execute();
  return new Map(rows.map(({ leg, context }) => [leg, callContextSchema.parse(context)]));
}

/** The list, longest-owed first. */
export async function listCallbacks(
  db: Db,
  filter: { open: boolean; limit: number; offset: number },
): Promise<Callback[]> {
  let query = db.selectFrom('callbacks').selectAll();
  if (filter.open) query = query.where('done_at', 'is', null);
  const rows = await query.orderBy('since').orderBy('id').limit(filter.limit).offset(filter.offset).execute();
  return rows.map(callbackOf);
}

/** Ticks one off; undefined when there is none of this id that is still open. */
export async function markCallbackDone(
  db: Db,
  id: string,
  personId: string,
  nowMs: number,
): Promise<Callback | undefined> {
  const row = await db
    .updateTable('callbacks')
    .set({ done_at: toDate(nowMs), done_by: personId })
    .where('id', '=', id)
    .where('done_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row && callbackOf(row);
}

function callbackOf(row: Selectable<CallbacksTable>): Callback {
  return {
    id: row.id,
    callId: row.call_id,
    callerNumber: row.caller_number,
    dialledNumber: row.dialled_number,
    reason: row.reason,
    recordingPath: row.recording_path,
    sinceMs: toMs(row.since),
    doneAtMs: toMsOrNull(row.done_at),
    doneBy: row.done_by,
  };
}
