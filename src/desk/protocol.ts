/**
 * The messages of the desk socket (docs/desk-socket.md). The pages import this very file, so the two sides
 * can't drift apart. Times are milliseconds since the epoch by the server's clock.
 */
import { z } from 'zod';

/** Longest text of the form; a longer one is refused with a clear error. */
export const contentMaxLength = 8000;

export const matterTypes = ['咨询', '求助', '投诉', '举报', '建议', '批评', '表扬'] as const;

/** What is pasted may hold NUL or half of a surrogate pair (a text cut in the middle of an emoji); PostgreSQL refuses both. */
const storable = (text: string): string => text.replaceAll('\u0000', '').replaceAll(/\p{Surrogate}/gu, '\ufffd');
const field = (maxLength: number) => z.string().max(maxLength).overwrite(storable).default('');

/** The work-order form as the agent types it. Every field may still be empty in a draft. */
export const orderBodySchema = z.strictObject({
  citizenName: field(100),
  contactNumber: field(40),
  matterType: z.enum(['', ...matterTypes]).default(''),
  category: field(100),
  address: field(300),
  content: field(contentMaxLength),
  unit: field(100),
});
export type OrderBody = z.infer<typeof orderBodySchema>;

export const seatStatuses = ['offline', 'ready', 'reserved', 'busy', 'wrapUp', 'break'] as const;
export const breakReasons = ['小休', '就餐', '培训', '会议', '处理工单'] as const;

const seatStatusSchema = z.object({
  status: z.enum(seatStatuses),
  reason: z.string().nullable(),
  sinceMs: z.number(),
  wrapUpEndsAtMs: z.number().nullable(),
  phoneRegistered: z.boolean(),
});
export type SeatStatusView = z.infer<typeof seatStatusSchema>;

const earlierCallSchema = z.object({
  callId: z.string(),
  startedAtMs: z.number(),
  agentName: z.string().nullable(),
  summary: z.string(),
  endClass: z.string().nullable(),
});
const orderSummarySchema = z.object({
  id: z.string(),
  orderNo: z.string(),
  matterType: z.string(),
  category: z.string(),
  summary: z.string(),
  status: z.string(),
  createdAtMs: z.number(),
});
export type EarlierCallView = z.infer<typeof earlierCallSchema>;
export type OrderSummaryView = z.infer<typeof orderSummarySchema>;

/** What the person at the desk may know of the caller; the number is already masked for this person's role. */
const cardSchema = z.object({
  number: z.string(),
  callerName: z.string(),
  dialledNumber: z.string(),
  hotlineName: z.string(),
  queueName: z.string(),
  waitedMs: z.number(),
  earlierCalls: z.array(earlierCallSchema),
  openOrders: z.array(orderSummarySchema),
});
export type CardView = z.infer<typeof cardSchema>;

export const deskCallStates = [
  'ringing', // the phone of this desk rings
  'talking',
  'held', // the citizen hears music
  'consultRinging', // the sub-centre's phone rings, the citizen hears music
  'consulting', // agent and sub-centre talk, the citizen hears music
  'threeWay',
  'ended',
] as const;

export const deskActions = [
  'hold',
  'resume',
  'hangup',
  'consult',
  'cancelConsult',
  'joinThreeWay',
  'leave',
  'transfer',
] as const;
export type DeskAction = (typeof deskActions)[number];

const deskCallSchema = z.object({
  callId: z.string(),
  /** `agent`: this desk's agent has the call; `subcentre`: this desk was asked to join it. */
  as: z.enum(['agent', 'subcentre']),
  state: z.enum(deskCallStates),
  stateSinceMs: z.number(),
  startedAtMs: z.number(),
  card: cardSchema,
  /** The far side of a consultation, when there is one. */
  consult: z.object({ number: z.string(), name: z.string(), state: z.enum(['ringing', 'talking']) }).nullable(),
  /** What the page may offer now; everything else is refused by the server too. */
  actions: z.array(z.enum(deskActions)),
  recording: z.boolean(),
  /** The recording is not whole: the disk was full, or its file could not be written. */
  recordingLost: z.boolean(),
});
export type DeskCall = z.infer<typeof deskCallSchema>;

const draftSchema = z.object({
  callId: z.string(),
  version: z.number().int(),
  body: orderBodySchema,
  /** Set when the order was saved for good. */
  orderId: z.string().nullable(),
  orderNo: z.string().nullable(),
});
export type DraftView = z.infer<typeof draftSchema>;

const todayCallSchema = z.object({
  callId: z.string(),
  startedAtMs: z.number(),
  number: z.string(),
  hotlineName: z.string(),
  talkMs: z.number(),
  endClass: z.string().nullable(),
  endReason: z.string().nullable(),
  orderNo: z.string().nullable(),
});
export type TodayCallView = z.infer<typeof todayCallSchema>;

export const superviseModes = ['listen', 'whisper', 'barge'] as const;
export const liveCallStates = ['waiting', ...deskCallStates] as const;

/** A call that is going on, as a supervisor sees it. */
const liveCallSchema = z.object({
  callId: z.string(),
  startedAtMs: z.number(),
  stateSinceMs: z.number(),
  state: z.enum(liveCallStates),
  number: z.string(),
  hotlineName: z.string(),
  agentName: z.string().nullable(),
  recordingLost: z.boolean(),
  /** An agent is there to be listened to, and nobody listens yet or this person does. */
  maySupervise: z.boolean(),
  supervisor: z
    .object({
      name: z.string(),
      mine: z.boolean(),
      mode: z.enum(superviseModes),
      /** False while his phone rings or the mode is being changed. */
      there: z.boolean(),
    })
    .nullable(),
});
export type LiveCallView = z.infer<typeof liveCallSchema>;
export type SuperviseMode = (typeof superviseModes)[number];

/** Messages that the server numbers; the page acknowledges them and asks for the missed ones after a drop. */
export const pushSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    person: z.object({
      id: z.string(),
      name: z.string(),
      role: z.enum(['agent', 'supervisor', 'subcentre']),
      extension: z.string().nullable(),
    }),
    seat: seatStatusSchema,
    call: deskCallSchema.nullable(),
    draft: draftSchema.nullable(),
    today: z.array(todayCallSchema),
    /** All live calls; empty for everybody but supervisors. */
    live: z.array(liveCallSchema),
  }),
  z.object({ type: z.literal('seat'), seat: seatStatusSchema }),
  /** The screen pop: sent when the phone starts to be rung, to this desk and no other. */
  z.object({ type: z.literal('offer'), call: deskCallSchema, draft: draftSchema.nullable() }),
  /** The call changed (state, actions, consultation). `ended` is its last. */
  z.object({ type: z.literal('call'), call: deskCallSchema }),
  /** The offer went elsewhere or the caller hung up while the phone rang. */
  z.object({ type: z.literal('offerGone'), callId: z.string(), reason: z.string() }),
  /** The draft was saved, here or in another window of the same person, or by the agent for the sub-centre. */
  z.object({ type: z.literal('draft'), draft: draftSchema }),
  z.object({ type: z.literal('today'), today: z.array(todayCallSchema) }),
  /** All live calls, for supervisors. */
  z.object({ type: z.literal('live'), live: z.array(liveCallSchema) }),
  z.object({ type: z.literal('notice'), level: z.enum(['info', 'warning', 'error']), text: z.string() }),
]);
export type DeskPush = z.infer<typeof pushSchema>;

/** Everything the server may send. */
export const serverMessageSchema = z.discriminatedUnion('kind', [
  /** First answer to `hello`; `resumed` false means that a snapshot follows instead of the missed pushes. */
  z.object({ kind: z.literal('welcome'), epoch: z.string(), resumed: z.boolean(), serverTimeMs: z.number() }),
  z.object({ kind: z.literal('push'), seq: z.number().int(), push: pushSchema }),
  // A union in itself: two members of one union may not share a discriminator's value.
  z.discriminatedUnion('ok', [
    z.object({ kind: z.literal('reply'), to: z.string(), ok: z.literal(true), draft: draftSchema.optional() }),
    z.object({
      kind: z.literal('reply'),
      to: z.string(),
      ok: z.literal(false),
      code: z.string(),
      text: z.string(),
      draft: draftSchema.optional(),
    }),
  ]),
  z.object({ kind: z.literal('error'), code: z.string(), text: z.string() }),
  /** The answer to `ping`, at once. A page can't see the frames of RFC 6455 5.5.2, so it needs one of its own. */
  z.object({ kind: z.literal('pong') }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

const callId = z.uuid();
const number = z.string().regex(/^[0-9*#+]{1,20}$/);

/** What the page may ask for; each has an `id` of the page's own choice and gets exactly one `reply`. */
export const requestSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('ready') }),
  z.strictObject({ do: z.literal('break'), reason: z.enum(breakReasons) }),
  /** Ends the wrap-up early and takes calls again. */
  z.strictObject({ do: z.literal('endWrapUp') }),
  z.strictObject({ do: z.literal('signOff') }),
  z.strictObject({ do: z.literal('hold'), callId }),
  z.strictObject({ do: z.literal('resume'), callId }),
  z.strictObject({ do: z.literal('hangup'), callId }),
  z.strictObject({ do: z.literal('consult'), callId, number }),
  /** Ends a consultation, ringing or talking; the citizen is back with the agent. */
  z.strictObject({ do: z.literal('cancelConsult'), callId }),
  z.strictObject({ do: z.literal('joinThreeWay'), callId }),
  /** The agent leaves citizen and sub-centre alone with each other. */
  z.strictObject({ do: z.literal('leave'), callId }),
  /** Puts the citizen through; the agent is freed as soon as the far side answers. */
  z.strictObject({ do: z.literal('transfer'), callId, number }),
  /** A supervisor listens to the call (his phone is rung), or changes to whom he is heard. */
  z.strictObject({ do: z.literal('supervise'), callId, mode: z.enum(superviseModes) }),
  z.strictObject({ do: z.literal('superviseLeave'), callId }),
  /** Keeps what was typed. `baseVersion` is the version that the page last saw (0 for none). */
  z.strictObject({ do: z.literal('saveDraft'), callId, baseVersion: z.number().int().min(0), body: orderBodySchema }),
  /** Makes (or updates) the work order of this call. */
  z.strictObject({ do: z.literal('saveOrder'), callId, baseVersion: z.number().int().min(0), body: orderBodySchema }),
]);
export type DeskRequest = z.infer<typeof requestSchema>;

/** Everything a page may send. */
export const clientMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('hello'),
    epoch: z.string().max(64).optional(),
    lastSeq: z.number().int().min(0).optional(),
  }),
  z.strictObject({ kind: z.literal('ack'), seq: z.number().int().min(0) }),
  z.strictObject({ kind: z.literal('request'), id: z.string().min(1).max(64), request: requestSchema }),
  z.strictObject({ kind: z.literal('ping') }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;
