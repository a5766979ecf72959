import { z } from 'zod';
import { UserError } from '../../kernel/errors.ts';
import type { Person } from '../../services/ports.ts';
import { requirePerson, signedIn } from '../auth.ts';
import type { HttpDeps, WorkOrder } from '../deps.ts';
import { type App, errorSchema, pageSchema } from '../server.ts';

export const workOrderSchema = z.object({
  id: z.string(),
  orderNo: z.string(),
  callId: z.string().nullable(),
  callerNumber: z.string(),
  citizenName: z.string(),
  contactNumber: z.string(),
  matterType: z.string(),
  category: z.string(),
  address: z.string(),
  content: z.string(),
  unit: z.string(),
  status: z.string(),
  version: z.number(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
});

/** The order as this role may see it. */
export function shownOrder(order: WorkOrder, role: Person['role'], deps: HttpDeps): WorkOrder {
  return { ...order, callerNumber: deps.maskFor(role, order.callerNumber) };
}

/** Work orders, read here; the desk socket makes and changes them. */
export function workOrderRoutes(app: App, deps: HttpDeps): void {
  const preHandler = requirePerson(deps);
  app.get(
    '/api/work-orders',
    {
      preHandler,
      schema: {
        summary: '工单列表',
        querystring: pageSchema.extend({ number: z.string().max(40).optional(), open: z.stringbool().optional() }),
        response: { 200: z.object({ workOrders: z.array(workOrderSchema) }), 400: errorSchema, 401: errorSchema },
      },
    },
    async (request) => {
      const { role } = signedIn(request);
      const { number, open, limit, offset } = request.query;
      const orders = await deps.workOrders({
        limit,
        offset,
        ...(number === undefined ? {} : { number }),
        ...(open === undefined ? {} : { open }),
      });
      return { workOrders: orders.map((order) => shownOrder(order, role, deps)) };
    },
  );
  app.get(
    '/api/work-orders/:id',
    {
      preHandler,
      schema: {
        summary: '一张工单',
        params: z.strictObject({ id: z.uuid() }),
        response: { 200: workOrderSchema, 400: errorSchema, 401: errorSchema, 404: errorSchema },
      },
    },
    async (request) => {
      const order = await deps.workOrder(request.params.id);
      if (order === undefined) throw new UserError('no-such-order', 404, '没有这张工单');
      return shownOrder(order, signedIn(request).role, deps);
    },
  );
}
