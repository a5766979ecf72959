import { type Selectable, sql } from 'kysely';
import type { Call } from '../domain/call/call.ts';
import { callContextSchema } from './call-context.ts';
import type { Db } from './database.ts';
import type { CallLegsTable, EndClassWord } from './schema.ts';
import { toMs, toMsOrNull } from './times.ts';

/** One step of a call. */
export interface JournalRecord {
  readonly callId: string;
  readonly position: number;
  readonly atMs: number;
  readonly fromState: string;
  readonly event: string;
  readonly toState: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** One leg of a call. */
export interface LegRecord {
  readonly leg: string;
  readonly callId: string;
  readonly role: CallLegsTable['role'];
  /** The number or extension at its far end. */
  readonly party: string;
  readonly personId: string | null;
  readonly direction: CallLegsTable['direction'];
  readonly createdAtMs: number;
  readonly ringingAtMs: number | null;
  readonly answeredAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly endClass: EndClassWord | null;
  readonly endReason: string | null;
  readonly cause: string | null;
  readonly sipStatus: number | null;
}

/** What one moment of any number of calls leaves behind. */
export interface CallBatchRecord {
  readonly calls: readonly Call[];
  readonly journal: readonly JournalRecord[];
  readonly legs: readonly LegRecord[];
}

/** The last journal position of each of these calls; calls without a line are not in it. */
export async function lastJournalPositions(db: Db, callIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (callIds.length === 0) return new Map();
  const { rows } = await sql<{ call_id: string; last: number }>`
    select call_id, max(position) as last from call_journal where call_id = any(${callIds}::uuid[]) group by call_id
  `.execute(db);
  return new Map(rows.map((row) => [row.call_id, row.last]));
}

export interface LiveCall {
  readonly call: Call;
  /** The position of its next line in the journal. */
  readonly nextPosition: number;
  readonly legs: readonly LegRecord[];
}

/** The calls that had not ended when control went, oldest first. */
export async function loadLiveCalls(db: Db): Promise<LiveCall[]> {
  const rows = await db
    .selectFrom('calls')
    .select(['id', 'context'])
    .select((eb) =>
      eb
        .selectFrom('call_journal')
        .whereRef('call_journal.call_id', '=', 'calls.id')
        .select((inner) => inner.fn.max('position').as('last'))
        .as('last_position'),
    )
    .where('ended_at', 'is', null)
    .orderBy('started_at')
    .execute();
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const legs = await db.selectFrom('call_legs').selectAll().where('call_id', 'in', ids).orderBy('created_at').execute();
  return rows.map((row) => ({
    call: callContextSchema.parse(row.context),
    nextPosition: (row.last_position ?? -1) + 1,
    legs: legs.filter((leg) => leg.call_id === row.id).map(legOf),
  }));
}

/** The leg in a row of `call_legs`. */
export function legOf(row: Selectable<CallLegsTable>): LegRecord {
  return {
    leg: row.id,
    callId: row.call_id,
    role: row.role,
    party: row.party,
    personId: row.person_id,
    direction: row.direction,
    createdAtMs: toMs(row.created_at),
    ringingAtMs: toMsOrNull(row.ringing_at),
    answeredAtMs: toMsOrNull(row.answered_at),
    endedAtMs: toMsOrNull(row.ended_at),
    endClass: row.end_class,
    endReason: row.end_reason,
    cause: row.cause,
    sipStatus: row.sip_status,
  };
}
