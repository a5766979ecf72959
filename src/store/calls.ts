import { type Insertable, type Selectable, sql } from 'kysely';
import type { Call } from '../domain/call/call.ts';
import { callContextSchema } from './call-context.ts';
import { oweCallbacks } from './callbacks.ts';
import { type Db, inTransaction } from './database.ts';
import type { CallJournalTable, CallLegsTable, CallsTable, EndClassWord } from './schema.ts';
import { toDate, toDateOrNull, toMs, toMsOrNull } from './times.ts';

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

/**
 * Writes a batch in one transaction, four statements at most. Writing the same batch again changes nothing, so it may
 * be repeated when a connection broke in the middle.
 */
export async function writeCalls(db: Db, batch: CallBatchRecord): Promise<void> {
  await inTransaction(db, async (transaction) => {
    await upsertCalls(transaction, batch.calls);
    await upsertLegs(transaction, batch.legs);
    await appendJournal(transaction, batch.journal);
    await oweCallbacks(transaction, batch.calls);
  });
}

/** Adds calls, or brings them up to date. When a call is there several times, its last state counts. */
export async function upsertCalls(db: Db, calls: readonly Call[]): Promise<void> {
  const rows = lastOfEach(calls, (call) => call.id).map(callRow);
  if (rows.length === 0) return;
  await db
    .insertInto('calls')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        caller_name: eb.ref('excluded.caller_name'),
        state: eb.ref('excluded.state'),
        state_since: eb.ref('excluded.state_since'),
        context: eb.ref('excluded.context'),
        answered_at: eb.ref('excluded.answered_at'),
        queued_at: eb.ref('excluded.queued_at'),
        agent_answered_at: eb.ref('excluded.agent_answered_at'),
        ended_at: eb.ref('excluded.ended_at'),
        end_class: eb.ref('excluded.end_class'),
        end_reason: eb.ref('excluded.end_reason'),
        flow: eb.ref('excluded.flow'),
        flow_path: eb.ref('excluded.flow_path'),
        queue: eb.ref('excluded.queue'),
        agent_id: eb.ref('excluded.agent_id'),
        rating: eb.ref('excluded.rating'),
        recording_path: eb.ref('excluded.recording_path'),
      })),
    )
    .execute();
}

/** Adds legs, or brings them up to date. */
export async function upsertLegs(db: Db, legs: readonly LegRecord[]): Promise<void> {
  const rows = lastOfEach(legs, (leg) => leg.leg).map(legRow);
  if (rows.length === 0) return;
  await db
    .insertInto('call_legs')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        ringing_at: eb.ref('excluded.ringing_at'),
        answered_at: eb.ref('excluded.answered_at'),
        ended_at: eb.ref('excluded.ended_at'),
        end_class: eb.ref('excluded.end_class'),
        end_reason: eb.ref('excluded.end_reason'),
        cause: eb.ref('excluded.cause'),
        sip_status: eb.ref('excluded.sip_status'),
      })),
    )
    .execute();
}

/** Adds lines to the journal; a line that is there already stays as it is. */
export async function appendJournal(db: Db, entries: readonly JournalRecord[]): Promise<void> {
  if (entries.length === 0) return;
  await db
    .insertInto('call_journal')
    .values(entries.map(journalRow))
    .onConflict((conflict) => conflict.columns(['call_id', 'position']).doNothing())
    .execute();
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

/** A statement may not touch a row twice, so of several states of one thing only the last is written. */
function lastOfEach<T>(things: readonly T[], keyOf: (thing: T) => string): T[] {
  return [...new Map(things.map((thing) => [keyOf(thing), thing])).values()];
}

function callRow(call: Call): Insertable<CallsTable> {
  return {
    id: call.id,
    caller_number: call.callerNumber,
    caller_name: call.callerName,
    dialled_number: call.dialledNumber,
    state: call.state,
    state_since: toDate(call.stateSinceMs),
    context: JSON.stringify(call),
    started_at: toDate(call.startedAtMs),
    answered_at: toDateOrNull(call.answeredAtMs),
    queued_at: toDateOrNull(call.queuedAtMs),
    agent_answered_at: toDateOrNull(call.agentAnsweredAtMs),
    ended_at: toDateOrNull(call.endedAtMs),
    end_class: call.endClass,
    end_reason: call.endReason,
    flow: call.flowId,
    flow_path: JSON.stringify(call.flowPath),
    queue: call.queue,
    agent_id: call.lastAgentId,
    rating: call.rating,
    recording_path: call.recordingPath,
  };
}

function legRow(leg: LegRecord): Insertable<CallLegsTable> {
  return {
    id: leg.leg,
    call_id: leg.callId,
    role: leg.role,
    party: leg.party,
    person_id: leg.personId,
    direction: leg.direction,
    created_at: toDate(leg.createdAtMs),
    ringing_at: toDateOrNull(leg.ringingAtMs),
    answered_at: toDateOrNull(leg.answeredAtMs),
    ended_at: toDateOrNull(leg.endedAtMs),
    end_class: leg.endClass,
    end_reason: leg.endReason,
    cause: leg.cause,
    sip_status: leg.sipStatus,
  };
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

function journalRow(entry: JournalRecord): Insertable<CallJournalTable> {
  return {
    call_id: entry.callId,
    position: entry.position,
    at: toDate(entry.atMs),
    from_state: entry.fromState,
    event: entry.event,
    to_state: entry.toState,
    details: JSON.stringify(entry.details),
  };
}
