import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { UserError } from '../../kernel/errors.ts';
import type { Person } from '../../services/ports.ts';
import { requirePerson, signedIn } from '../auth.ts';
import { wantedBytes } from '../byte-range.ts';
import type { CallRecord, HttpDeps } from '../deps.ts';
import { type App, errorSchema, pageSchema } from '../server.ts';
import { shownOrder, workOrderSchema } from './work-orders.ts';

const time = z.number().nullable();
const callSchema = z.object({
  id: z.string(),
  callerNumber: z.string(),
  callerName: z.string(),
  dialledNumber: z.string(),
  hotlineName: z.string(),
  state: z.string(),
  startedAtMs: z.number(),
  answeredAtMs: time,
  queuedAtMs: time,
  agentAnsweredAtMs: time,
  endedAtMs: time,
  endClass: z.string().nullable(),
  endReason: z.string().nullable(),
  flow: z.string().nullable(),
  flowPath: z.array(z.unknown()),
  queue: z.string().nullable(),
  queueName: z.string().nullable(),
  agentId: z.string().nullable(),
  agentName: z.string().nullable(),
  rating: z.number().nullable(),
  recording: z.object({ url: z.string() }).nullable(),
});
const legSchema = z.object({
  leg: z.string(),
  role: z.string(),
  party: z.string(),
  direction: z.string(),
  createdAtMs: z.number(),
  ringingAtMs: time,
  answeredAtMs: time,
  endedAtMs: time,
  endClass: z.string().nullable(),
  endReason: z.string().nullable(),
  cause: z.string().nullable(),
  sipStatus: z.number().nullable(),
});
const recordSchema = callSchema.extend({
  legs: z.array(legSchema),
  journal: z.array(
    z.object({
      atMs: z.number(),
      fromState: z.string(),
      event: z.string(),
      toState: z.string(),
      details: z.record(z.string(), z.unknown()),
    }),
  ),
  workOrder: workOrderSchema.nullable(),
});

/** Milliseconds since the epoch; a Date holds no more (ECMA-262, section 21.4.1.1). */
const timeSchema = z.coerce.number().int().min(0).max(8.64e15);

const idParams = z.strictObject({ id: z.uuid() });

/** Call records: what happened, to whom, when, with recording, flow path and work order. */
export function callRoutes(app: App, deps: HttpDeps): void {
  const preHandler = requirePerson(deps);

  const shown = (call: Omit<CallRecord, 'legs' | 'journal' | 'workOrder'>, role: Person['role']) => {
    const { recordingPath, ...rest } = call;
    return {
      ...rest,
      callerNumber: deps.maskFor(role, call.callerNumber),
      callerName: call.callerName === call.callerNumber ? '' : call.callerName,
      hotlineName: deps.hotlineName(call.dialledNumber),
      queueName: call.queue === null ? null : deps.queueName(call.queue),
      flowPath: [...call.flowPath],
      recording: recordingPath === null ? null : { url: `/api/calls/${call.id}/recording` },
    };
  };

  app.get(
    '/api/calls',
    {
      preHandler,
      schema: {
        summary: '通话记录',
        querystring: pageSchema.extend({
          number: z.string().max(40).optional(),
          fromMs: timeSchema.optional(),
          toMs: timeSchema.optional(),
        }),
        response: { 200: z.object({ calls: z.array(callSchema) }), 400: errorSchema, 401: errorSchema },
      },
    },
    async (request) => {
      const person = signedIn(request);
      const { number, fromMs, toMs, limit, offset } = request.query;
      const calls = await deps.calls({
        limit,
        offset,
        ...(number === undefined ? {} : { number }),
        ...(fromMs === undefined ? {} : { fromMs }),
        ...(toMs === undefined ? {} : { toMs }),
        // Agents look at their own calls; the supervisor at all.
        ...(person.role === 'supervisor' ? {} : { agentId: person.id }),
      });
      return { calls: calls.map((call) => shown(call, person.role)) };
    },
  );

  app.get(
    '/api/calls/:id',
    {
      preHandler,
      schema: {
        summary: '一次通话的完整记录',
        params: idParams,
        response: { 200: recordSchema, 400: errorSchema, 401: errorSchema, 404: errorSchema },
      },
    },
    async (request) => {
      const { role } = signedIn(request);
      const record = await deps.callRecord(request.params.id);
      if (record === undefined) throw new UserError('no-such-call', 404, '没有这次通话的记录');
      return {
        ...shown(record, role),
        legs: record.legs.map(({ personId: _personId, ...leg }) => ({
          ...leg,
          party: leg.role === 'citizen' ? deps.maskFor(role, leg.party) : leg.party,
        })),
        journal: record.journal.map((entry) => ({ ...entry, details: { ...entry.details } })),
        workOrder: record.workOrder === null ? null : shownOrder(record.workOrder, role, deps),
      };
    },
  );

  app.get(
    '/api/calls/:id/recording',
    { preHandler: requirePerson(deps, ['agent', 'supervisor']), schema: { summary: '录音', params: idParams } },
    async (request, reply) => {
      const person = signedIn(request);
      const record = await deps.callRecord(request.params.id);
      if (record === undefined || record.recordingPath === null) throw new UserError('no-recording', 404, '没有录音');
      // An agent whose phone only rang has heard nothing of it, and does not afterwards.
      const talked = record.legs.some((leg) => leg.personId === person.id && leg.answeredAtMs !== null);
      if (person.role === 'agent' && record.agentId !== person.id && !talked) {
        throw new UserError('not-allowed', 403, '只能听自己的通话录音');
      }
      const file = await stat(record.recordingPath).catch((error: unknown) => {
        throw new UserError('no-recording', 404, '录音文件不存在', { cause: error });
      });
      return sendRecording(request, reply, record.recordingPath, file.size);
    },
  );
}

/** A call that goes on makes its file longer; no more of it is sent than was announced. */
function sendRecording(request: FastifyRequest, reply: FastifyReply, path: string, size: number): FastifyReply {
  reply.header('accept-ranges', 'bytes').header('cache-control', 'private, no-store');
  // RFC 9110, section 13.1.5: what If-Range names can't be what we have, since we name nothing; so all is sent.
  const wanted = wantedBytes(request.headers['if-range'] === undefined ? request.headers.range : undefined, size);
  if (wanted.kind === 'outside') {
    reply.header('content-range', `bytes */${size}`);
    throw new UserError('range-outside', 416, '请求的范围超出录音长度');
  }
  const { first, last } = wanted.kind === 'part' ? wanted : { first: 0, last: size - 1 };
  if (wanted.kind === 'part') reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`);
  reply.header('content-type', 'audio/wav').header('content-length', last - first + 1);
  return size === 0 ? reply.send('') : reply.send(createReadStream(path, { start: first, end: last }));
}
