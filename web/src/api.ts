/** The HTTP side of the service. Every call has a deadline and ends in data of the expected shape or an `ApiError`. */
import { z } from 'zod';
import { texts } from './texts.ts';

const deadlineMs = 10_000;

/** A request that failed; `message` is fit for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  /** 0 when there was no answer at all. */
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

const personSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(['agent', 'supervisor', 'subcentre']),
  extension: z.string().nullable(),
});
export type Person = z.infer<typeof personSchema>;
const sessionSchema = z.object({ person: personSchema });

const hotlinesSchema = z.object({
  hotlines: z.array(
    z.object({ number: z.string(), name: z.string(), owner: z.string(), mode: z.string(), reachable: z.boolean() }),
  ),
});

const catalogueSchema = z.object({ categories: z.array(z.string()), units: z.array(z.string()) });
export type Catalogue = z.infer<typeof catalogueSchema>;

const text = z.string().nullish();
const timeMs = z.number().nullish();
const legSchema = z.object({
  leg: z.string(),
  role: z.string(),
  party: z.string(),
  createdAtMs: timeMs,
  ringingAtMs: timeMs,
  answeredAtMs: timeMs,
  endedAtMs: timeMs,
  endClass: text,
  endReason: text,
  cause: text,
  sipStatus: z.number().nullish(),
});
const workOrderSchema = z.object({
  id: z.string(),
  orderNo: z.string(),
  citizenName: text,
  contactNumber: text,
  matterType: text,
  category: text,
  address: text,
  content: text,
  unit: text,
  status: text,
});
const flowStepSchema = z.object({ step: z.string(), what: z.string(), digit: text });
const journalSchema = z.object({
  atMs: z.number(),
  fromState: z.string(),
  event: z.string(),
  toState: z.string(),
  details: z.object({ timer: text, digit: text, number: text, extension: text, command: text }).optional(),
});
const callRecordSchema = z.object({
  id: z.string(),
  callerNumber: z.string(),
  callerName: text,
  dialledNumber: z.string(),
  hotlineName: z.string(),
  state: z.string(),
  startedAtMs: z.number(),
  agentAnsweredAtMs: timeMs,
  endedAtMs: timeMs,
  endClass: text,
  endReason: text,
  queueName: text,
  agentName: text,
  rating: z.number().nullish(),
  flowPath: z.array(flowStepSchema).nullish(),
  legs: z.array(legSchema),
  journal: z.array(journalSchema),
  recording: z.object({ url: z.string() }).nullable(),
  workOrder: workOrderSchema.nullable(),
});
export type CallRecord = z.infer<typeof callRecordSchema>;
export type CallLeg = CallRecord['legs'][number];
export type JournalEntry = z.infer<typeof journalSchema>;
export type FlowStep = z.infer<typeof flowStepSchema>;

const problemSchema = z.object({ code: z.string(), message: z.string() });

export const api = {
  signIn: (login: string, password: string) => call('POST', '/api/session', sessionSchema, { login, password }),
  session: () => call('GET', '/api/session', sessionSchema),
  signOut: () => call('DELETE', '/api/session', z.unknown()),
  hotlines: () => call('GET', '/api/hotlines', hotlinesSchema),
  catalogue: () => call('GET', '/api/catalogue', catalogueSchema),
  callRecord: (id: string) => call('GET', `/api/calls/${encodeURIComponent(id)}`, callRecordSchema),
};

async function call<T>(method: string, path: string, schema: z.ZodType<T>, body?: object): Promise<T> {
  const response = await send(method, path, body);
  const data: unknown = response.status === 204 ? null : await readJson(response);
  if (!response.ok) throw problemOf(response.status, data);
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw new ApiError('bad-shape', response.status, texts.errors.shape, { cause: parsed.error });
  return parsed.data;
}

async function send(method: string, path: string, body: object | undefined): Promise<Response> {
  const init: RequestInit = { method, credentials: 'same-origin', signal: AbortSignal.timeout(deadlineMs) };
  if (body !== undefined) {
    init.headers = { 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(path, init);
  } catch (cause) {
    const late = cause instanceof DOMException && cause.name === 'TimeoutError';
    throw new ApiError(late ? 'timeout' : 'network', 0, late ? texts.errors.timeout : texts.errors.network, { cause });
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new ApiError('bad-shape', response.status, texts.errors.http(response.status), { cause });
  }
}

function problemOf(status: number, data: unknown): ApiError {
  const parsed = problemSchema.safeParse(data);
  return parsed.success
    ? new ApiError(parsed.data.code, status, parsed.data.message)
    : new ApiError('http', status, texts.errors.http(status));
}

/** The words to show for whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof ApiError ? error.message : String(error);
}
