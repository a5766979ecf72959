import { sql } from 'kysely';
import { z } from 'zod';
import { timedPathEntrySchema } from './call-context.ts';
import { type JournalRecord, type LegRecord, legOf } from './calls.ts';
import type { Db } from './database.ts';
import type { EndClassWord } from './schema.ts';
import { toDate, toMs, toMsOrNull } from './times.ts';
import { findOrderOfCall, type WorkOrder } from './work-orders.ts';

const pathSchema = z.array(timedPathEntrySchema);
const detailsSchema = z.record(z.string(), z.unknown());

/** A call as lists show it. */
export interface CallSummary {
  readonly callId: string;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly dialledNumber: string;
  readonly hotlineName: string | null;
  readonly state: string;
  readonly startedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly queuedAtMs: number | null;
  readonly agentAnsweredAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly endClass: EndClassWord | null;
  readonly endReason: string | null;
  readonly queue: string | null;
  readonly agentId: string | null;
  readonly agentName: string | null;
  readonly rating: number | null;
  readonly orderId: string | null;
  readonly orderNo: string | null;
  /** The beginning of the work order's content; empty without one. */
  readonly orderContent: string;
}

/** Everything that is kept of a call. */
export interface CallRecord extends CallSummary {
  readonly flow: string | null;
  readonly flowPath: z.infer<typeof pathSchema>;
  readonly recordingPath: string | null;
  readonly legs: readonly LegRecord[];
  readonly journal: readonly JournalRecord[];
  readonly workOrder: WorkOrder | undefined;
}

export interface CallFilter {
  readonly callerNumber?: string | undefined;
  readonly agentId?: string | undefined;
  /** A sub-centre was rung for it under this number. */
  readonly subcentreNumber?: string | undefined;
  /** Begun at this time or later. */
  readonly fromMs?: number | undefined;
  /** Begun before this time. */
  readonly toMs?: number | undefined;
  readonly exceptCallId?: string | undefined;
}

export interface Page {
  readonly limit: number;
  readonly offset?: number | undefined;
}

const summaryLength = 80;

function summaries(db: Db) {
  return db
    .selectFrom('calls')
    .leftJoin('people', 'people.id', 'calls.agent_id')
    .leftJoin('hotlines', 'hotlines.number', 'calls.dialled_number')
    .leftJoin('work_orders', 'work_orders.call_id', 'calls.id')
    .select([
      'calls.id',
      'calls.caller_number',
      'calls.caller_name',
      'calls.dialled_number',
      'calls.state',
      'calls.started_at',
      'calls.answered_at',
      'calls.queued_at',
      'calls.agent_answered_at',
      'calls.ended_at',
      'calls.end_class',
      'calls.end_reason',
      'calls.queue',
      'calls.agent_id',
      'calls.rating',
      'hotlines.name as hotline_name',
      'people.name as agent_name',
      'work_orders.id as order_id',
      'work_orders.order_no',
      sql<string>`left(coalesce(work_orders.content, ''), ${sql.lit(summaryLength)})`.as('order_content'),
    ]);
}

type SummaryRow = Awaited<ReturnType<ReturnType<typeof summaries>['executeTakeFirstOrThrow']>>;

function summaryOf(row: SummaryRow): CallSummary {
  return {
    callId: row.id,
    callerNumber: row.caller_number,
    callerName: row.caller_name,
    dialledNumber: row.dialled_number,
    hotlineName: row.hotline_name,
    state: row.state,
    startedAtMs: toMs(row.started_at),
    answeredAtMs: toMsOrNull(row.answered_at),
    queuedAtMs: toMsOrNull(row.queued_at),
    agentAnsweredAtMs: toMsOrNull(row.agent_answered_at),
    endedAtMs: toMsOrNull(row.ended_at),
    endClass: row.end_class,
    endReason: row.end_reason,
    queue: row.queue,
    agentId: row.agent_id,
    agentName: row.agent_name,
    rating: row.rating,
    orderId: row.order_id,
    orderNo: row.order_no,
    orderContent: row.order_content,
  };
}

/** Calls, newest first; serves the history, an agent's calls of today and a caller's earlier calls. */
export async function listCalls(db: Db, filter: CallFilter, page: Page): Promise<CallSummary[]> {
  const { subcentreNumber } = filter;
  const rows = await summaries(db)
    .where(({ eb, and }) => and(conditionsOf(filter).map(([column, operator, value]) => eb(column, operator, value))))
    .$if(subcentreNumber !== undefined, (query) =>
      query.where('calls.id', 'in', (eb) =>
        eb
          .selectFrom('call_legs')
          .select('call_legs.call_id')
          .where('call_legs.role', '=', 'subcentre')
          .where('call_legs.party', '=', subcentreNumber ?? ''),
      ),
    )
    .orderBy('calls.started_at', 'desc')
    .orderBy('calls.id')
    .limit(page.limit)
    .offset(page.offset ?? 0)
    .execute();
  return rows.map(summaryOf);
}

/** How many calls there are for paging. */
export async function countCalls(db: Db, filter: CallFilter): Promise<number> {
  const row = await db
    .selectFrom('calls')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where(({ eb, and }) => and(conditionsOf(filter).map(([column, operator, value]) => eb(column, operator, value))))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

type Condition = readonly [
  column: 'calls.caller_number' | 'calls.agent_id' | 'calls.started_at' | 'calls.id',
  operator: '=' | '<>' | '>=' | '<',
  value: string | Date,
];

function conditionsOf({ callerNumber, agentId, fromMs, toMs: untilMs, exceptCallId }: CallFilter): Condition[] {
  return [
    ...(callerNumber === undefined ? [] : [['calls.caller_number', '=', callerNumber] as const]),
    ...(agentId === undefined ? [] : [['calls.agent_id', '=', agentId] as const]),
    ...(fromMs === undefined ? [] : [['calls.started_at', '>=', toDate(fromMs)] as const]),
    ...(untilMs === undefined ? [] : [['calls.started_at', '<', toDate(untilMs)] as const]),
    ...(exceptCallId === undefined ? [] : [['calls.id', '<>', exceptCallId] as const]),
  ];
}

/** Everything about one call; undefined when there is none of this id. */
export async function findCallRecord(db: Db, callId: string): Promise<CallRecord | undefined> {
  const row = await summaries(db)
    .select(['calls.flow', 'calls.flow_path', 'calls.recording_path'])
    .where('calls.id', '=', callId)
    .executeTakeFirst();
  if (!row) return undefined;
  const [legs, journal, workOrder] = await Promise.all([
    db.selectFrom('call_legs').selectAll().where('call_id', '=', callId).orderBy('created_at').orderBy('id').execute(),
    listJournal(db, callId),
    findOrderOfCall(db, callId),
  ]);
  return {
    ...summaryOf(row),
    flow: row.flow,
    flowPath: pathSchema.parse(row.flow_path),
    recordingPath: row.recording_path,
    legs: legs.map(legOf),
    journal,
    workOrder,
  };
}

async function listJournal(db: Db, callId: string): Promise<JournalRecord[]> {
  const rows = await db
    .selectFrom('call_journal')
    .selectAll()
    .where('call_id', '=', callId)
    .orderBy('position')
    .execute();
  return rows.map((row) => ({
    callId: row.call_id,
    position: row.position,
    atMs: toMs(row.at),
    fromState: row.from_state,
    event: row.event,
    toState: row.to_state,
    details: detailsSchema.parse(row.details),
  }));
}

/** How long a sub-centre talked in each of these calls, in milliseconds; calls in which it did not answer are left out. */
export async function subcentreTalkMs(
  db: Db,
  number: string,
  callIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (callIds.length === 0) return new Map();
  const legs = await db
    .selectFrom('call_legs')
    .select(['call_id', 'answered_at', 'ended_at'])
    .where('role', '=', 'subcentre')
    .where('party', '=', number)
    .where('call_id', 'in', callIds)
    .execute();
  const talks = new Map<string, number>();
  for (const { call_id: callId, answered_at: answered, ended_at: ended } of legs) {
    if (answered === null || ended === null) continue;
    talks.set(callId, (talks.get(callId) ?? 0) + toMs(ended) - toMs(answered));
  }
  return talks;
}
