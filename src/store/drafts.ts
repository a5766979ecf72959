import type { Selectable } from 'kysely';
import { type OrderBody, orderBodySchema } from '../desk/protocol.ts';
import type { Db } from './database.ts';
import type { WorkOrderDraftsTable } from './schema.ts';
import { toDate, toMs } from './times.ts';

/** What was typed into the work-order form of a call. */
export interface Draft {
  readonly callId: string;
  readonly personId: string;
  readonly version: number;
  readonly body: OrderBody;
  readonly updatedAtMs: number;
}

export interface DraftWish {
  readonly callId: string;
  readonly personId: string;
  /** The version that the writer last saw; 0 for none. */
  readonly baseVersion: number;
  readonly body: OrderBody;
  readonly nowMs: number;
}

/** `saved` false: somebody else was quicker; the draft as it is now, undefined when there is none any more. */
export type DraftOutcome =
  | { readonly saved: true; readonly draft: Draft }
  | { readonly saved: false; readonly draft: Draft | undefined };

/** Keeps a draft, unless it has changed since `baseVersion`. One statement decides, so no two writers both win. */
export async function saveDraft(db: Db, wish: DraftWish): Promise<DraftOutcome> {
  const row = wish.baseVersion === 0 ? await insert(db, wish) : await update(db, wish);
  if (row) return { saved: true, draft: draftOf(row) };
  return { saved: false, draft: await getDraft(db, wish.callId) };
}

function insert(db: Db, wish: DraftWish): Promise<Selectable<WorkOrderDraftsTable> | undefined> {
  return db
    .insertInto('work_order_drafts')
    .values({
      call_id: wish.callId,
      person_id: wish.personId,
      version: 1,
      body: JSON.stringify(wish.body),
      updated_at: toDate(wish.nowMs),
    })
    .onConflict((conflict) => conflict.column('call_id').doNothing())
    .returningAll()
    .executeTakeFirst();
}

function update(db: Db, wish: DraftWish): Promise<Selectable<WorkOrderDraftsTable> | undefined> {
  return db
    .updateTable('work_order_drafts')
    .set({
      person_id: wish.personId,
      version: wish.baseVersion + 1,
      body: JSON.stringify(wish.body),
      updated_at: toDate(wish.nowMs),
    })
    .where('call_id', '=', wish.callId)
    .where('version', '=', wish.baseVersion)
    .returningAll()
    .executeTakeFirst();
}

export async function getDraft(db: Db, callId: string): Promise<Draft | undefined> {
  const row = await db.selectFrom('work_order_drafts').selectAll().where('call_id', '=', callId).executeTakeFirst();
  return row && draftOf(row);
}

export async function deleteDraft(db: Db, callId: string): Promise<void> {
  await db.deleteFrom('work_order_drafts').where('call_id', '=', callId).execute();
}

function draftOf(row: Selectable<WorkOrderDraftsTable>): Draft {
  return {
    callId: row.call_id,
    personId: row.person_id,
    version: row.version,
    body: orderBodySchema.parse(row.body),
    updatedAtMs: toMs(row.updated_at),
  };
}
