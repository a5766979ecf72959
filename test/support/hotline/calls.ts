/** Calls of the hotline as tests look at them: live ones in control, ended ones over the API. */
import { expect } from 'vitest';
import { z } from 'zod';
import type { Call, CallState } from '../../../src/domain/call/call.ts';
import { Watch } from '../watch.ts';
import type { DeskClient } from './desk-client.ts';
import type { Hotline } from './hotline.ts';

const recordSchema = z.looseObject({
  id: z.string(),
  callerNumber: z.string(),
  callerName: z.string(),
  state: z.string(),
  startedAtMs: z.number(),
  agentAnsweredAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  endClass: z.string().nullable(),
  endReason: z.string().nullable(),
  flow: z.string().nullable(),
  flowPath: z.array(z.object({ step: z.string(), what: z.string(), digit: z.string().optional(), atMs: z.number() })),
  rating: z.number().nullable(),
  recording: z.object({ url: z.string() }).nullable(),
  legs: z.array(z.looseObject({ role: z.string(), endedAtMs: z.number().nullable(), cause: z.string().nullable() })),
  workOrder: z.looseObject({ orderNo: z.string(), content: z.string() }).nullable(),
});
export type CallRecord = z.infer<typeof recordSchema>;

/** Waits until a call of this number is in one of the states. Numbers as they are normalised; empty for none shown. */
export function liveCall(hotline: Hotline, number: string, states: readonly CallState[]): Promise<Call> {
  const { runtime } = hotline.app.control;
  const watch = new Watch(`call from ${number}`);
  const nothing = () => undefined;
  runtime.observe({
    onCall: (_before, after) => watch.note(`${after.callerNumber} ${after.state}`),
    onOffer: nothing,
    onOfferGone: nothing,
    onConsult: nothing,
    onNotice: nothing,
  });
  return watch.until(`the state ${states.join(' or ')}`, 10_000, () =>
    runtime.all().find((call) => call.callerNumber === number && states.includes(call.state)),
  );
}

/** The whole record of a call that has ended, as the API gives it to this person. */
export async function recordOf(hotline: Hotline, desk: DeskClient, callId: string): Promise<CallRecord> {
  await hotline.callOver(callId);
  const { status, body } = await desk.api(`/api/calls/${callId}`);
  expect(status).toBe(200);
  const record = recordSchema.parse(body);
  expect(record.state).toBe('ended');
  expect(record.legs.filter((leg) => leg.endedAtMs === null || leg.cause === null)).toEqual([]);
  return record;
}

/** Waits until control holds nothing any more: no call, no waiting caller, no reserved seat. */
export async function nothingLeft(hotline: Hotline): Promise<void> {
  const { runtime, dispatcher, seats } = hotline.app.control;
  const held = () => ({
    calls: runtime.all().map((call) => `${call.callerNumber} ${call.state}`),
    waiting: dispatcher.waiting,
    seats: seats.all().flatMap((seat) => (seat.reservation === null ? [] : [seat.extension])),
  });
  await expect.poll(held, { timeout: 10_000, interval: 20 }).toEqual({ calls: [], waiting: 0, seats: [] });
}
