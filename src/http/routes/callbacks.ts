import { z } from 'zod';
import { UserError } from '../../kernel/errors.ts';
import type { Person } from '../../services/ports.ts';
import { requirePerson, signedIn } from '../auth.ts';
import type { Callback, HttpDeps } from '../deps.ts';
import { type App, errorSchema, pageSchema } from '../server.ts';

const callbackSchema = z.object({
  id: z.string(),
  callId: z.string().nullable(),
  callerNumber: z.string(),
  dialledNumber: z.string(),
  reason: z.string(),
  hasRecording: z.boolean(),
  sinceMs: z.number(),
  doneAtMs: z.number().nullable(),
});

/** Citizens whom the hotline owes a call, and ticking them off. */
export function callbackRoutes(app: App, deps: HttpDeps): void {
  const preHandler = requirePerson(deps, ['agent', 'supervisor']);
  const shown = (callback: Callback, role: Person['role']) => {
    const { recordingPath, doneBy: _doneBy, ...rest } = callback;
    return { ...rest, callerNumber: deps.maskFor(role, callback.callerNumber), hasRecording: recordingPath !== null };
  };
  app.get(
    '/api/callbacks',
    {
      preHandler,
      schema: {
        summary: '待回拨名单',
        querystring: pageSchema.extend({ open: z.stringbool().default(true) }),
        response: { 200: z.object({ callbacks: z.array(callbackSchema) }), 400: errorSchema, 401: errorSchema },
      },
    },
    async (request) => {
      const { role } = signedIn(request);
      const callbacks = await deps.callbacks(request.query);
      return { callbacks: callbacks.map((callback) => shown(callback, role)) };
    },
  );
  app.post(
    '/api/callbacks/:id/done',
    {
      preHandler,
      schema: {
        summary: '已回拨',
        params: z.strictObject({ id: z.uuid() }),
        response: { 200: callbackSchema, 400: errorSchema, 401: errorSchema, 404: errorSchema },
      },
    },
    async (request) => {
      const person = signedIn(request);
      const done = await deps.callbackDone(request.params.id, person.id);
      if (done === undefined) throw new UserError('no-such-callback', 404, '没有这条待回拨记录，或已处理');
      return shown(done, person.role);
    },
  );
}
