import { type RawBuilder, sql } from 'kysely';
import type { Call } from '../domain/call/call.ts';
import { callbackReason } from '../domain/call/callback.ts';
import { oweCallbacks } from './callbacks.ts';
import type { CallBatchRecord, JournalRecord, LegRecord } from './calls.ts';
import { type Db, inTransaction } from './database.ts';
import type { CallJournalTable, CallLegsTable, CallsTable } from './schema.ts';

/** A row as JSON carries it: times are texts in ISO 8601, columns of JSON are themselves. */
type JsonRow<Table> = Record<keyof Table, unknown>;

/**
 * Writes a batch in one transaction. Writing the same batch again changes nothing, so it may be repeated when a
 * connection broke in the middle. When a call or a leg is there several times, its last state counts; a journal line
 * that is stored already stays as it is.
 */
export async function writeCalls(db: Db, batch: CallBatchRecord): Promise<void> {
  if (!batch.calls.some((call) => callbackReason(call) !== undefined)) {
    await writeRows(db, batch);
    return;
  }
  await inTransaction(db, async (transaction) => {
    await writeRows(transaction, batch);
    await oweCallbacks(transaction, batch.calls);
  });
}

/**
 * The whole batch is one statement of a text that never changes: every event of every call ends here, so it costs one
 * message to PostgreSQL and back, is planned once, and is a transaction by itself. Foreign keys are checked at its end.
 */
async function writeRows(db: Db, batch: CallBatchRecord): Promise<void> {
  // A statement may not touch a row twice, so of several states of one thing only the last is written.
  const calls = lastOfEach(batch.calls, (call) => call.id).map(callRow);
  const legs = lastOfEach(batch.legs, (leg) => leg.leg).map(legRow);
  const journal = batch.journal.map(journalRow);
  if (calls.length + legs.length + journal.length === 0) return;
  await sql`
    /* prepared: write-calls */ with call_rows as (
      insert into calls (${callColumns.all}) select ${callColumns.all}
        from jsonb_populate_recordset(null::calls, ${JSON.stringify(calls)}::jsonb)
      on conflict (id) do update set ${callColumns.changing}
    ), leg_rows as (
      insert into call_legs (${legColumns.all}) select ${legColumns.all}
        from jsonb_populate_recordset(null::call_legs, ${JSON.stringify(legs)}::jsonb)
      on conflict (id) do update set ${legColumns.changing}
    )
    insert into call_journal (${journalColumns.all}) select ${journalColumns.all}
      from jsonb_populate_recordset(null::call_journal, ${JSON.stringify(journal)}::jsonb)
    on conflict (call_id, position) do nothing`.execute(db);
}

interface Columns {
  readonly all: RawBuilder<unknown>;
  /** `name = excluded.name` for those that a later state may change. */
  readonly changing: RawBuilder<unknown>;
}

/** Names from the code alone stand in the statement's text, never values. */
function columnsOf<Table>(
  fixed: readonly (keyof Table & string)[],
  changing: readonly (keyof Table & string)[],
): Columns {
  return {
    all: sql.raw([...fixed, ...changing].join(', ')),
    changing: sql.raw(changing.map((name) => `${name} = excluded.${name}`).join(', ')),
  };
}

const callColumns = columnsOf<CallsTable>(
  ['id', 'caller_number', 'dialled_number', 'started_at'],
  [
    ...(['caller_name', 'state', 'state_since', 'context', 'answered_at', 'queued_at', 'agent_answered_at'] as const),
    ...(['ended_at', 'end_class', 'end_reason', 'flow', 'flow_path', 'queue', 'agent_id', 'rating'] as const),
    'recording_path',
  ],
);

const legColumns = columnsOf<CallLegsTable>(
  ['id', 'call_id', 'role', 'party', 'person_id', 'direction', 'created_at'],
  ['ringing_at', 'answered_at', 'ended_at', 'end_class', 'end_reason', 'cause', 'sip_status'],
);

const journalColumns = columnsOf<CallJournalTable>(
  ['call_id', 'position', 'at', 'from_state', 'event', 'to_state', 'details'],
  [],
);

function lastOfEach<T>(things: readonly T[], keyOf: (thing: T) => string): T[] {
  return [...new Map(things.map((thing) => [keyOf(thing), thing])).values()];
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : isoOf(ms));

function callRow(call: Call): JsonRow<CallsTable> {
  return {
    id: call.id,
    caller_number: call.callerNumber,
    caller_name: call.callerName,
    dialled_number: call.dialledNumber,
    state: call.state,
    state_since: isoOf(call.stateSinceMs),
    context: call,
    started_at: isoOf(call.startedAtMs),
    answered_at: isoOrNull(call.answeredAtMs),
    queued_at: isoOrNull(call.queuedAtMs),
    agent_answered_at: isoOrNull(call.agentAnsweredAtMs),
    ended_at: isoOrNull(call.endedAtMs),
    end_class: call.endClass,
    end_reason: call.endReason,
    flow: call.flowId,
    flow_path: call.flowPath,
    queue: call.queue,
    agent_id: call.lastAgentId,
    rating: call.rating,
    recording_path: call.recordingPath,
  };
}

function legRow(leg: LegRecord): JsonRow<CallLegsTable> {
  return {
    id: leg.leg,
    call_id: leg.callId,
    role: leg.role,
    party: leg.party,
    person_id: leg.personId,
    direction: leg.direction,
    created_at: isoOf(leg.createdAtMs),
    ringing_at: isoOrNull(leg.ringingAtMs),
    answered_at: isoOrNull(leg.answeredAtMs),
    ended_at: isoOrNull(leg.endedAtMs),
    end_class: leg.endClass,
    end_reason: leg.endReason,
    cause: leg.cause,
    sip_status: leg.sipStatus,
  };
}

function journalRow(entry: JournalRecord): JsonRow<CallJournalTable> {
  return {
    call_id: entry.callId,
    position: entry.position,
    at: isoOf(entry.atMs),
    from_state: entry.fromState,
    event: entry.event,
    to_state: entry.toState,
    details: entry.details,
  };
}
