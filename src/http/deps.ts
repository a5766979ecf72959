import type { RecordingRoom } from '../services/calls/recording-alarm.ts';
import type { Person } from '../services/ports.ts';
import type { SwitchNode } from '../switch/port.ts';

/** A full call record as the API gives it (GET /api/calls/:id). */
export interface CallRecord {
  readonly id: string;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly dialledNumber: string;
  readonly state: string;
  readonly startedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly queuedAtMs: number | null;
  readonly agentAnsweredAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly endClass: string | null;
  readonly endReason: string | null;
  readonly flow: string | null;
  readonly flowPath: readonly unknown[];
  readonly queue: string | null;
  readonly agentId: string | null;
  readonly agentName: string | null;
  readonly rating: number | null;
  readonly recordingPath: string | null;
  readonly legs: readonly {
    readonly leg: string;
    readonly role: string;
    readonly party: string;
    readonly personId: string | null;
    readonly direction: string;
    readonly createdAtMs: number;
    readonly ringingAtMs: number | null;
    readonly answeredAtMs: number | null;
    readonly endedAtMs: number | null;
    readonly endClass: string | null;
    readonly endReason: string | null;
    readonly cause: string | null;
    readonly sipStatus: number | null;
  }[];
  readonly journal: readonly {
    readonly atMs: number;
    readonly fromState: string;
    readonly event: string;
    readonly toState: string;
    readonly details: Readonly<Record<string, unknown>>;
  }[];
  readonly workOrder: WorkOrder | null;
}

export interface WorkOrder {
  readonly id: string;
  readonly orderNo: string;
  readonly callId: string | null;
  readonly callerNumber: string;
  readonly citizenName: string;
  readonly contactNumber: string;
  readonly matterType: string;
  readonly category: string;
  readonly address: string;
  readonly content: string;
  readonly unit: string;
  readonly status: string;
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A citizen who is to be called back. */
export interface Callback {
  readonly id: string;
  readonly callId: string | null;
  readonly callerNumber: string;
  readonly dialledNumber: string;
  readonly reason: string;
  readonly recordingPath: string | null;
  readonly sinceMs: number;
  readonly doneAtMs: number | null;
  readonly doneBy: string | null;
}

export interface Health {
  readonly control: 'up';
  readonly switch: 'up' | 'down';
  readonly database: 'up' | 'down';
  readonly liveCalls: number;
  readonly recordings: RecordingRoom;
  /** With several switch nodes: each with its legs; a drained one is empty when it shows 0. */
  readonly nodes?: readonly SwitchNode[] | undefined;
}

/** Everything the routes need from the rest of the house. */
export interface HttpDeps {
  /** Undefined: wrong name or password. Failures are limited by name and by address. */
  signIn(
    login: string,
    password: string,
    address: string,
  ): Promise<{ person: Person; token: string; expiresAtMs: number } | 'too-many-failures' | undefined>;
  /** Ends the session and closes the person’s desks that were opened with it. */
  signOut(token: string): Promise<void>;
  personOfToken(token: string): Promise<Person | undefined>;
  callRecord(id: string): Promise<CallRecord | undefined>;
  calls(query: {
    number?: string;
    agentId?: string;
    fromMs?: number;
    toMs?: number;
    limit: number;
    offset: number;
  }): Promise<readonly Omit<CallRecord, 'legs' | 'journal' | 'workOrder'>[]>;
  workOrder(id: string): Promise<WorkOrder | undefined>;
  workOrders(query: { number?: string; open?: boolean; limit: number; offset: number }): Promise<readonly WorkOrder[]>;
  callbacks(query: { open: boolean; limit: number; offset: number }): Promise<readonly Callback[]>;
  /** Undefined when it is not there or done already. */
  callbackDone(id: string, personId: string): Promise<Callback | undefined>;
  hotlines(): readonly { number: string; name: string; owner: string; mode: string; reachable: boolean }[];
  catalogue(): {
    matterTypes: readonly string[];
    categories: readonly string[];
    units: readonly string[];
    breakReasons: readonly string[];
  };
  maskFor(role: Person['role'], number: string): string;
  hotlineName(number: string): string;
  queueName(queue: string): string;
  health(): Promise<Health>;
  metrics(): Promise<{ contentType: string; text: string }>;
}

export interface HttpSettings {
  readonly cookieSecure: boolean;
  /** Where the built pages are; absent in API-only tests. */
  readonly webFolder: string | undefined;
}
