import { z } from 'zod';
import type { HttpDeps } from '../deps.ts';
import type { App } from '../server.ts';

const part = z.enum(['up', 'down']);
const healthSchema = z.object({
  control: z.literal('up'),
  switch: part,
  database: part,
  liveCalls: z.number(),
  /** Where there is no room, calls go on without a recording: an alarm, but no reason to send callers elsewhere. */
  recordings: z.object({
    state: z.enum(['ok', 'low', 'full', 'unknown']),
    freeBytes: z.number().nullable(),
    failed: z.number(),
  }),
  nodes: z
    .array(z.object({ name: z.string(), state: z.enum(['up', 'down', 'lost']), legs: z.number() }))
    .readonly()
    .optional(),
});

/** For operations people and their tools: is it well, and what does it count. */
export function operationRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/healthz',
    { schema: { summary: '健康检查', response: { 200: healthSchema, 503: healthSchema } } },
    async (_request, reply) => {
      const health = await deps.health();
      return reply.code(health.switch === 'up' && health.database === 'up' ? 200 : 503).send(health);
    },
  );
  app.get('/metrics', { schema: { summary: 'Prometheus 指标' } }, async (_request, reply) => {
    const { contentType, text } = await deps.metrics();
    return reply.header('content-type', contentType).send(text);
  });
}
