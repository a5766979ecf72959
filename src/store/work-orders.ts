import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { type OrderBody, orderBodySchema } from '../desk/protocol.ts';
import { type Db, inTransaction } from './database.ts';
import { orderNumber } from './order-number.ts';
import type { WorkOrdersTable } from './schema.ts';
import { toDate, toMs } from './times.ts';

/** A citizen's matter. */
export interface WorkOrder {
  readonly id: string;
  readonly orderNo: string;
  readonly callId: string | null;
  readonly callerNumber: string;
  readonly body: OrderBody;
  readonly status: WorkOrdersTable['status'];
  readonly version: number;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface OrderOfCall {
  /** The id of the order, if this is the first time that the call's order is saved. */
  readonly id: string;
  readonly callId: string;
  readonly callerNumber: string;
  readonly body: OrderBody;
  readonly createdBy: string;
  readonly nowMs: number;
  readonly numbering: { readonly prefix: string; readonly timeZone: string };
}

/** Makes the work order of a call, or brings it up to date when the call has one already: a call never has two. */
export async function saveOrderOfCall(db: Db, wish: OrderOfCall): Promise<WorkOrder> {
  return inTransaction(db, async (transaction) => {
    const present = await updateOrderOfCall(transaction, wish);
    if (present) return present;
    const { rows } = await sql<{ next: string }>`select nextval('work_order_numbers') as next`.execute(transaction);
    const running = BigInt(z.string().parse(rows[0]?.next));
    const made = await transaction
      .insertInto('work_orders')
      .values({
        id: wish.id,
        order_no: orderNumber(wish.numbering.prefix, wish.nowMs, wish.numbering.timeZone, running),
        call_id: wish.callId,
        caller_number: wish.callerNumber,
        ...columnsOf(wish.body),
        status: 'accepted',
        created_by: wish.createdBy,
        created_at: toDate(wish.nowMs),
        updated_at: toDate(wish.nowMs),
      })
      .onConflict((conflict) => conflict.column('call_id').doNothing())
      .returningAll()
      .executeTakeFirst();
    const order = made ? orderOf(made) : await updateOrderOfCall(transaction, wish);
    if (!order) throw new Error(`work order of call ${wish.callId} is neither new nor there`);
    return order;
  });
}

async function updateOrderOfCall(db: Db, { callId, body, nowMs }: OrderOfCall): Promise<WorkOrder | undefined> {
  const row = await db
    .updateTable('work_orders')
    .set((eb) => ({ ...columnsOf(body), version: eb('version', '+', 1), updated_at: toDate(nowMs) }))
    .where('call_id', '=', callId)
    .returningAll()
    .executeTakeFirst();
  return row && orderOf(row);
}

export type OrderUpdate =
  | { readonly outcome: 'updated'; readonly order: WorkOrder }
  /** Somebody else was quicker; the order as it is now. */
  | { readonly outcome: 'conflict'; readonly order: WorkOrder }
  | { readonly outcome: 'missing' };

export interface OrderChange {
  readonly id: string;
  /** The version that the writer last saw. */
  readonly version: number;
  readonly body: OrderBody;
  readonly status?: WorkOrder['status'];
  readonly nowMs: number;
}

/** Changes an order, unless it has changed since `version`. */
export async function updateWorkOrder(db: Db, change: OrderChange): Promise<OrderUpdate> {
  const row = await db
    .updateTable('work_orders')
    .set({
      ...columnsOf(change.body),
      ...(change.status === undefined ? {} : { status: change.status }),
      version: change.version + 1,
      updated_at: toDate(change.nowMs),
    })
    .where('id', '=', change.id)
    .where('version', '=', change.version)
    .returningAll()
    .executeTakeFirst();
  if (row) return { outcome: 'updated', order: orderOf(row) };
  const order = await findWorkOrder(db, change.id);
  return order ? { outcome: 'conflict', order } : { outcome: 'missing' };
}

export async function findWorkOrder(db: Db, id: string): Promise<WorkOrder | undefined> {
  const row = await db.selectFrom('work_orders').selectAll().where('id', '=', id).executeTakeFirst();
  return row && orderOf(row);
}

export async function findOrderOfCall(db: Db, callId: string): Promise<WorkOrder | undefined> {
  const row = await db.selectFrom('work_orders').selectAll().where('call_id', '=', callId).executeTakeFirst();
  return row && orderOf(row);
}

export interface OrderFilter {
  readonly callerNumber?: string | undefined;
  /** Only orders that are not closed. */
  readonly open?: boolean | undefined;
  readonly limit: number;
  readonly offset?: number | undefined;
}

/** Work orders, newest first. */
export async function listWorkOrders(db: Db, filter: OrderFilter): Promise<WorkOrder[]> {
  const { callerNumber, open = false } = filter;
  let query = db.selectFrom('work_orders').selectAll();
  if (callerNumber !== undefined) query = query.where('caller_number', '=', callerNumber);
  if (open) query = query.where('status', '<>', 'closed');
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(filter.limit)
    .offset(filter.offset ?? 0)
    .execute();
  return rows.map(orderOf);
}

function columnsOf(body: OrderBody) {
  return {
    citizen_name: body.citizenName,
    contact_number: body.contactNumber,
    matter_type: body.matterType,
    category: body.category,
    address: body.address,
    content: body.content,
    unit: body.unit,
  };
}

function orderOf(row: Selectable<WorkOrdersTable>): WorkOrder {
  return {
    id: row.id,
    orderNo: row.order_no,
    callId: row.call_id,
    callerNumber: row.caller_number,
    body: orderBodySchema.parse({
      citizenName: row.citizen_name,
      contactNumber: row.contact_number,
      matterType: row.matter_type,
      category: row.category,
      address: row.address,
      content: row.content,
      unit: row.unit,
    }),
    status: row.status,
    version: row.version,
    createdBy: row.created_by,
    createdAtMs: toMs(row.created_at),
    updatedAtMs: toMs(row.updated_at),
  };
}
