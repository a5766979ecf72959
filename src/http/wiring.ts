import { type Kysely, sql } from 'kysely';
import type { CityProfile } from '../config/city.ts';
import { normaliseNumber } from '../domain/hotline/normalise-number.ts';
import { withDeadline } from '../kernel/deadline.ts';
import type { Control } from '../services/control.ts';
import type { Metrics } from '../services/metrics.ts';
import type { SignIn } from '../services/sign-in.ts';
import { type CallSummary, findCallRecord, listCalls, type CallRecord as StoredRecord } from '../store/call-records.ts';
import { listCallbacks, markCallbackDone } from '../store/callbacks.ts';
import type { Database } from '../store/schema.ts';
import { findWorkOrder, listWorkOrders, type WorkOrder as StoredOrder } from '../store/work-orders.ts';
import type { TelephoneSwitch } from '../switch/port.ts';
import type { CallRecord, HttpDeps, WorkOrder } from './deps.ts';

const healthDeadlineMs = 2_000;
const flushDeadlineMs = 1_000;

export interface WiringParts {
  readonly db: Kysely<Database>;
  readonly signIn: SignIn;
  readonly city: CityProfile;
  readonly control: Control;
  readonly metrics: Metrics;
  readonly telephone: TelephoneSwitch;
  /** Closes every window of a person. */
  readonly closeDesks: (personId: string) => void;
  readonly breakReasons: readonly string[];
  readonly matterTypes: readonly string[];
}

/** What the routes need, from the parts that have it. */
export function httpDeps(parts: WiringParts): HttpDeps {
  const { db, signIn, city, control, metrics, telephone } = parts;
  return {
    signIn: (login, password, address) => signIn.signIn(login, password, address),
    async signOut(token) {
      const person = await signIn.personOf(token);
      await signIn.signOut(token);
      if (person !== undefined) parts.closeDesks(person.id);
    },
    personOfToken: (token) => signIn.personOf(token),
    async callRecord(id) {
      // What happened a moment ago may still be on its way; with a database in trouble the stored part is the answer.
      await withDeadline('storing calls', flushDeadlineMs, control.writer.flush()).catch(() => undefined);
      const record = await findCallRecord(db, id);
      return record === undefined ? undefined : shownRecord(record);
    },
    async calls({ number, agentId, fromMs, toMs, limit, offset }) {
      const callerNumber = number === undefined ? undefined : normaliseNumber(number).normalised;
      const calls = await listCalls(db, { callerNumber, agentId, fromMs, toMs }, { limit, offset });
      return calls.map((call) => ({ ...shownSummary(call), flow: null, flowPath: [], recordingPath: null }));
    },
    async workOrder(id) {
      const order = await findWorkOrder(db, id);
      return order === undefined ? undefined : shownOrder(order);
    },
    async workOrders({ number, open, limit, offset }) {
      const callerNumber = number === undefined ? undefined : normaliseNumber(number).normalised;
      const orders = await listWorkOrders(db, { callerNumber, open, limit, offset });
      return orders.map(shownOrder);
    },
    callbacks: (query) => listCallbacks(db, query),
    callbackDone: (id, personId) => markCallbackDone(db, id, personId, Date.now()),
    hotlines: () =>
      city.hotlines
        .filter((hotline) => !hotline.answeredHere)
        .map(({ number, name, owner, mode, gateway }) => ({ number, name, owner, mode, reachable: gateway !== null })),
    catalogue: () => ({
      matterTypes: parts.matterTypes,
      categories: city.categories,
      units: city.units,
      breakReasons: parts.breakReasons,
    }),
    maskFor: control.views.maskFor,
    hotlineName: control.views.hotlineName,
    queueName: control.views.queueName,
    async health() {
      const [database, recordings] = await Promise.all([
        withDeadline('the database', healthDeadlineMs, sql`select 1`.execute(db)).then(
          () => 'up' as const,
          () => 'down' as const,
        ),
        control.recordings.room(),
      ]);
      return {
        control: 'up',
        switch: telephone.connected ? 'up' : 'down',
        database,
        liveCalls: control.runtime.size,
        nodes: telephone.nodes?.(),
        recordings,
      };
    },
    metrics: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
  };
}

function shownSummary(
  call: CallSummary,
): Omit<CallRecord, 'legs' | 'journal' | 'workOrder' | 'flow' | 'flowPath' | 'recordingPath'> {
  const { callId, hotlineName: _name, orderId: _orderId, orderNo: _orderNo, orderContent: _content, ...rest } = call;
  return { id: callId, ...rest };
}

function shownRecord(record: StoredRecord): CallRecord {
  const { legs, journal, workOrder, flow, flowPath, recordingPath, ...summary } = record;
  return {
    ...shownSummary(summary),
    flow,
    flowPath,
    recordingPath,
    legs: legs.map(({ callId: _callId, ...leg }) => leg),
    journal: journal.map(({ atMs, fromState, event, toState, details }) => ({
      atMs,
      fromState,
      event,
      toState,
      details,
    })),
    workOrder: workOrder === undefined ? null : shownOrder(workOrder),
  };
}

function shownOrder(order: StoredOrder): WorkOrder {
  const { body, createdBy: _createdBy, ...rest } = order;
  return { ...rest, ...body };
}
