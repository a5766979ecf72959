/** What the services need from the store; src/app.ts wires the real one, the simulation its own. */

import type { Secret } from '../config/secret.ts';
import type { SeatStatus } from '../domain/acd/seat.ts';
import type { Call, LegRole } from '../domain/call/call.ts';

/** A phone that may register. */
export interface SwitchPhone {
  readonly extension: string;
  readonly name: string;
  readonly ha1Md5: Secret;
}

export interface StoredSeat {
  readonly personId: string;
  readonly name: string;
  readonly extension: string;
  readonly status: SeatStatus;
  readonly reason: string | null;
  readonly sinceMs: number;
  readonly idleSinceMs: number | null;
  readonly wrapUpEndsAtMs: number | null;
}

export interface SeatStore {
  list(): Promise<StoredSeat[]>;
  save(seat: Omit<StoredSeat, 'name' | 'extension'>): Promise<void>;
  /** Atomic; undefined when somebody else holds the seat. */
  reserve(wish: {
    personId: string;
    callId: string;
    leg: string;
    nowMs: number;
    leaseUntilMs: number;
  }): Promise<{ fencingToken: string } | undefined>;
  renew(held: readonly { personId: string; fencingToken: string }[], leaseUntilMs: number): Promise<void>;
  /** Only the holder of the token can release. */
  release(personId: string, fencingToken: string): Promise<void>;
  reservations(): Promise<{ personId: string; callId: string; leg: string; fencingToken: string }[]>;
}

/** One step of a call, for the journal. */
export interface JournalEntry {
  readonly callId: string;
  readonly position: number;
  readonly atMs: number;
  readonly fromState: string;
  readonly event: string;
  readonly toState: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface LegRecord {
  readonly leg: string;
  readonly callId: string;
  readonly role: LegRole;
  readonly party: string;
  readonly personId: string | null;
  readonly direction: 'inbound' | 'outbound';
  readonly createdAtMs: number;
  readonly ringingAtMs: number | null;
  readonly answeredAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly endClass: string | null;
  readonly endReason: string | null;
  readonly cause: string | null;
  readonly sipStatus: number | null;
}

/** Everything that one moment of a call leaves behind; written in one transaction. */
export interface CallBatch {
  readonly calls: readonly Call[];
  readonly journal: readonly JournalEntry[];
  readonly legs: readonly LegRecord[];
}

export interface CallStore {
  write(batch: CallBatch): Promise<void>;
  /** Calls that had not ended when control went. */
  live(): Promise<{ call: Call; nextPosition: number; legs: readonly LegRecord[] }[]>;
  /** The last journal position of each of these calls; calls without a line are not in it. */
  lastPositions(callIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/** What a desk shows of a caller's history. */
export interface CallerHistory {
  readonly earlierCalls: readonly {
    readonly callId: string;
    readonly startedAtMs: number;
    readonly agentName: string | null;
    readonly summary: string;
    readonly endClass: string | null;
  }[];
  readonly openOrders: readonly {
    readonly id: string;
    readonly orderNo: string;
    readonly matterType: string;
    readonly category: string;
    readonly summary: string;
    readonly status: string;
    readonly createdAtMs: number;
  }[];
}

export interface TodayCall {
  readonly callId: string;
  readonly startedAtMs: number;
  readonly callerNumber: string;
  readonly dialledNumber: string;
  readonly talkMs: number;
  readonly endClass: string | null;
  readonly endReason: string | null;
  readonly orderNo: string | null;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: 'agent' | 'supervisor' | 'subcentre';
  readonly extension: string | null;
  readonly hotlineNumber: string | null;
}

/** A draft as it is stored; `body` was checked when it came in. */
export interface StoredDraft<Body> {
  readonly callId: string;
  readonly version: number;
  readonly body: Body;
  readonly orderId: string | null;
  readonly orderNo: string | null;
}

export interface DeskStore<Body> {
  person(personId: string): Promise<Person | undefined>;
  subcentrePeople(hotlineNumber: string): Promise<string[]>;
  history(callerNumber: string, exceptCallId: string): Promise<CallerHistory>;
  today(person: Person, sinceMs: number): Promise<TodayCall[]>;
  draft(callId: string): Promise<StoredDraft<Body> | undefined>;
  /** `conflict` brings the newer draft that is there already. */
  saveDraft(wish: {
    callId: string;
    personId: string;
    baseVersion: number;
    body: Body;
    nowMs: number;
  }): Promise<{ ok: true; draft: StoredDraft<Body> } | { ok: false; draft: StoredDraft<Body> }>;
  /** Makes the order of this call, or brings it up to date. */
  saveOrder(wish: { callId: string; personId: string; callerNumber: string; body: Body; nowMs: number }): Promise<{
    orderId: string;
    orderNo: string;
  }>;
  /** Who had the call last, for drafts that are saved after it has ended. */
  callOwner(callId: string): Promise<{ agentId: string | null; callerNumber: string } | undefined>;
}
