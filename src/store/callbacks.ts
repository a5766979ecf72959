import type { Selectable } from 'kysely';
import type { Call } from '../domain/call/call.ts';
import { callbackReason } from '../domain/call/callback.ts';
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

/** Puts the citizens of ended calls on the list, each call once, in the transaction that stores its end. */
export async function oweCallbacks(db: Db, calls: readonly Call[]): Promise<void> {
  const rows = calls.flatMap((call) => {
    const reason = callbackReason(call);
    if (reason === undefined || call.endedAtMs === null) return [];
    const { id, callerNumber, dialledNumber, endedAtMs } = call;
    return [
      { call_id: id, caller_number: callerNumber, dialled_number: dialledNumber, reason, since: toDate(endedAtMs) },
    ];
  });
  if (rows.length === 0) return;
  await db
    .insertInto('callbacks')
    .values(rows)
    .onConflict((conflict) => conflict.column('call_id').doNothing())
    .execute();
}

export interface FallbackMessage {
  readonly callerNumber: string;
  readonly dialledNumber: string;
  readonly recordingPath: string;
  readonly atMs: number;
}

/** Puts callers whom the dialplan treated alone on the list, each recording once. @returns how many were new. */
export async function addFallbackMessages(db: Db, messages: readonly FallbackMessage[]): Promise<number> {
  if (messages.length === 0) return 0;
  const result = await db
    .insertInto('callbacks')
    .values(
      messages.map((message) => ({
        caller_number: message.callerNumber,
        dialled_number: message.dialledNumber,
        reason: 'fallback-message',
        recording_path: message.recordingPath,
        since: toDate(message.atMs),
      })),
    )
    .onConflict((conflict) => conflict.column('recording_path').doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0n);
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
