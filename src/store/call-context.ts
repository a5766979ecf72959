import { z } from 'zod';
import {
  type AgentPart,
  type Call,
  type ConsultPart,
  callStates,
  recordingFailures,
  type SupervisorPart,
} from '../domain/call/call.ts';
import { endClasses } from '../domain/call/ending.ts';
import type { FlowPathEntry, FlowState } from '../domain/ivr/flow-machine.ts';

/** A schema for every field of `T` and for nothing else, so that type and schema can't drift apart unnoticed. */
type Fields<T> = { [K in keyof T]-?: z.ZodType<T[K]> };

const ms = z.number();
const place = z.enum([
  'dialling',
  'ringing',
  'early',
  'parked',
  'bridged',
  'conference',
  'moving',
  'supervising',
  'gone',
]);

const pathEntry = z.object({
  step: z.string(),
  what: z.enum(['entered', 'digit', 'noInput', 'wrongInput', 'giveUp', 'operator', 'missingStep', 'tooLong']),
  digit: z.string().exactOptional(),
} satisfies Record<keyof FlowPathEntry, z.ZodType>);

/** One step of a caller's way through a flow, as the call's record keeps it. */
export const timedPathEntrySchema = pathEntry.extend({ atMs: ms });

const flowState = z.object({
  flowId: z.string(),
  step: z.string(),
  tries: z.number(),
  typedAhead: z.string(),
  counter: z.number(),
  waiting: z
    .discriminatedUnion('for', [
      z.object({ for: z.literal('playEnd'), playId: z.string(), timer: z.string() }),
      z.object({ for: z.literal('digit'), timer: z.string() }),
    ])
    .nullable(),
  outcome: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('queue'), queue: z.string() }),
      z.object({ type: z.literal('hangup') }),
    ])
    .nullable(),
  path: z.array(pathEntry),
} satisfies Fields<FlowState>);

const agentPart = z.object({
  personId: z.string(),
  name: z.string(),
  extension: z.string(),
  leg: z.string(),
  fencingToken: z.string(),
  offeredAtMs: ms,
  answeredAtMs: ms.nullable(),
  place,
  // Calls that were stored before phones could consult.
  otherLine: z.object({ leg: z.string(), place }).nullable().default(null),
} satisfies Fields<AgentPart>);

const consultPart = z.object({
  number: z.string(),
  name: z.string(),
  gateway: z.string().nullable(),
  leg: z.string(),
  place,
  answeredAtMs: ms.nullable(),
  mode: z.enum(['consult', 'transfer']),
  // Calls that were stored before phones could transfer.
  referred: z.boolean().default(false),
} satisfies Fields<ConsultPart>);

const supervisorPart = z.object({
  personId: z.string(),
  name: z.string(),
  extension: z.string(),
  leg: z.string(),
  agentLeg: z.string(),
  mode: z.enum(['listen', 'whisper', 'barge']),
  place,
} satisfies Fields<SupervisorPart>);

/** The whole of a call as `calls.context` keeps it, so that control can go on with it after a crash. */
export const callContextSchema: z.ZodType<Call> = z.object({
  id: z.string(),
  state: z.enum(callStates),
  stateSinceMs: ms,
  citizenLeg: z.string(),
  citizenPlace: place,
  callerNumber: z.string(),
  callerName: z.string(),
  dialledNumber: z.string(),
  startedAtMs: ms,
  answeredAtMs: ms.nullable(),
  flowId: z.string(),
  flowState: flowState.nullable(),
  flowPath: z.array(timedPathEntrySchema),
  queue: z.string().nullable(),
  queuedAtMs: ms.nullable(),
  agentAnsweredAtMs: ms.nullable(),
  // Calls that an earlier version has stored don't tell it.
  togetherAtMs: ms.nullable().default(null),
  lastAgentId: z.string().nullable(),
  agent: agentPart.nullable(),
  consult: consultPart.nullable(),
  // Calls that an earlier version has stored know no supervisors.
  supervisor: supervisorPart.nullable().default(null),
  resumesByItself: z.boolean().default(false),
  recordingPath: z.string().nullable(),
  // Calls that an earlier version has stored don't tell.
  recordingFailure: z.enum(recordingFailures).nullable().default(null),
  rating: z.number().nullable(),
  playId: z.string().nullable(),
  plays: z.number(),
  endedAtMs: ms.nullable(),
  endClass: z.enum(endClasses).nullable(),
  endReason: z.string().nullable(),
} satisfies Fields<Call>);
