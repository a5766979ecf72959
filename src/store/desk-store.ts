/** The store as the desks use it. */
import type { Kysely } from 'kysely';
import type { OrderBody } from '../desk/protocol.ts';
import type { Ids } from '../kernel/ids.ts';
import { type CallSummary, listCalls, subcentreTalkMs } from './call-records.ts';
import { type Draft, type DraftWish, getDraft, saveDraft } from './drafts.ts';
import { findPersonById, listSubcentrePeople, type Person } from './people.ts';
import { withRetry } from './retry.ts';
import type { Database, EndClassWord } from './schema.ts';
import { findOrderOfCall, listWorkOrders, type OrderOfCall, saveOrderOfCall, type WorkOrder } from './work-orders.ts';

const historyLength = 10;
const todayLength = 300;
const summaryLength = 80;

/** A draft and, once it was saved for good, the order that was made of it. */
interface DraftWithOrder {
  readonly callId: string;
  readonly version: number;
  readonly body: OrderBody;
  readonly orderId: string | null;
  readonly orderNo: string | null;
}

interface CallerHistory {
  readonly earlierCalls: {
    readonly callId: string;
    readonly startedAtMs: number;
    readonly agentName: string | null;
    readonly summary: string;
    readonly endClass: EndClassWord | null;
  }[];
  readonly openOrders: {
    readonly id: string;
    readonly orderNo: string;
    readonly matterType: string;
    readonly category: string;
    readonly summary: string;
    readonly status: WorkOrder['status'];
    readonly createdAtMs: number;
  }[];
}

export interface BoundDeskStore {
  person(personId: string): Promise<Person | undefined>;
  subcentrePeople(hotlineNumber: string): Promise<string[]>;
  history(callerNumber: string, exceptCallId: string): Promise<CallerHistory>;
  today(person: Person, sinceMs: number): Promise<(CallSummary & { readonly talkMs: number })[]>;
  draft(callId: string): Promise<DraftWithOrder | undefined>;
  saveDraft(wish: DraftWish): Promise<{ ok: true; draft: DraftWithOrder } | { ok: false; draft: DraftWithOrder }>;
  saveOrder(wish: DeskOrderWish): Promise<{ orderId: string; orderNo: string }>;
  callOwner(callId: string): Promise<{ agentId: string | null; callerNumber: string } | undefined>;
}

interface DeskOrderWish {
  readonly callId: string;
  readonly personId: string;
  readonly callerNumber: string;
  readonly body: OrderBody;
  readonly nowMs: number;
}

export interface DeskStoreOptions {
  readonly ids: Ids;
  readonly numbering: OrderOfCall['numbering'];
}

/** Binds the desks' functions to a database. */
export function deskStore(db: Kysely<Database>, { ids, numbering }: DeskStoreOptions): BoundDeskStore {
  const repeatable = { repeatable: true };
  return {
    person: (personId) => withRetry(() => findPersonById(db, personId), repeatable),
    subcentrePeople: (number) => withRetry(() => listSubcentrePeople(db, number), repeatable),
    history: (callerNumber, exceptCallId) => withRetry(() => historyOf(db, callerNumber, exceptCallId), repeatable),
    today: (person, sinceMs) => withRetry(() => todayOf(db, person, sinceMs), repeatable),
    draft: (callId) => withRetry(() => draftWithOrder(db, callId), repeatable),
    saveDraft: (wish) => withRetry(() => saveWithOrder(db, wish)),
    async saveOrder(wish) {
      const id = ids.uuid();
      const { callId, callerNumber, body, nowMs, personId: createdBy } = wish;
      const save = () => saveOrderOfCall(db, { id, callId, callerNumber, body, createdBy, nowMs, numbering });
      const order = await withRetry(save, repeatable);
      return { orderId: order.id, orderNo: order.orderNo };
    },
    async callOwner(callId) {
      const row = await withRetry(
        () => db.selectFrom('calls').select(['agent_id', 'caller_number']).where('id', '=', callId).executeTakeFirst(),
        repeatable,
      );
      return row && { agentId: row.agent_id, callerNumber: row.caller_number };
    },
  };
}

async function historyOf(db: Kysely<Database>, callerNumber: string, exceptCallId: string): Promise<CallerHistory> {
  const [calls, orders] = await Promise.all([
    listCalls(db, { callerNumber, exceptCallId }, { limit: historyLength }),
    listWorkOrders(db, { callerNumber, open: true, limit: historyLength }),
  ]);
  return {
    earlierCalls: calls.map((call) => ({
      callId: call.callId,
      startedAtMs: call.startedAtMs,
      agentName: call.agentName,
      summary: call.orderContent,
      endClass: call.endClass,
    })),
    openOrders: orders.map((order) => ({
      id: order.id,
      orderNo: order.orderNo,
      matterType: order.body.matterType,
      category: order.body.category,
      summary: [...order.body.content].slice(0, summaryLength).join(''),
      status: order.status,
      createdAtMs: order.createdAtMs,
    })),
  };
}

/** The calls that an agent took, or that a sub-centre was asked to join. */
async function todayOf(db: Kysely<Database>, { id: personId, hotlineNumber: number }: Person, fromMs: number) {
  if (number === null) {
    const calls = await listCalls(db, { agentId: personId, fromMs }, { limit: todayLength });
    return calls.map((call) => ({ ...call, talkMs: talkMsOf(call) }));
  }
  const calls = await listCalls(db, { subcentreNumber: number, fromMs }, { limit: todayLength });
  const talks = await subcentreTalkMs(
    db,
    number,
    calls.map((call) => call.callId),
  );
  return calls.map((call) => ({ ...call, talkMs: talks.get(call.callId) ?? 0 }));
}

/** From the agent's answer to the end; 0 while it lasts or when nobody answered. */
function talkMsOf({ agentAnsweredAtMs, endedAtMs }: CallSummary): number {
  return agentAnsweredAtMs === null || endedAtMs === null ? 0 : Math.max(0, endedAtMs - agentAnsweredAtMs);
}

async function draftWithOrder(db: Kysely<Database>, callId: string): Promise<DraftWithOrder | undefined> {
  const [draft, order] = await Promise.all([getDraft(db, callId), findOrderOfCall(db, callId)]);
  return draft && combine(draft, order);
}

async function saveWithOrder(db: Kysely<Database>, wish: DraftWish): ReturnType<BoundDeskStore['saveDraft']> {
  const [outcome, order] = await Promise.all([saveDraft(db, wish), findOrderOfCall(db, wish.callId)]);
  // Without any draft the writer begins anew, on his own text.
  const draft = combine(outcome.draft ?? { callId: wish.callId, version: 0, body: wish.body }, order);
  return { ok: outcome.saved, draft };
}

function combine(draft: Pick<Draft, 'callId' | 'version' | 'body'>, order: WorkOrder | undefined): DraftWithOrder {
  const { callId, version, body } = draft;
  return { callId, version, body, orderId: order?.id ?? null, orderNo: order?.orderNo ?? null };
}
