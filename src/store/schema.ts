/** The tables as Kysely sees them: one interface per table of `migrations/`, columns as they are there. */
import type { ColumnType, Generated, JSONColumnType } from 'kysely';

/** timestamptz: read as Date, written as Date. */
type Timestamp = ColumnType<Date, Date, Date>;
type DefaultedTimestamp = ColumnType<Date, Date | undefined, Date>;
type NullableTimestamp = ColumnType<Date | null, Date | null | undefined, Date | null>;
/** bigint comes as text, since it may be beyond what a number can hold. */
type BigInteger = ColumnType<string, string | bigint, string | bigint>;
/** jsonb is read as `unknown`, to be checked by a schema, and written as JSON text. */
type Json = JSONColumnType<object, string, string>;

export type EndClassWord = 'success' | 'caller' | 'agent' | 'upstream' | 'us' | 'unknown';

export interface PeopleTable {
  id: string;
  login: string;
  name: string;
  role: 'agent' | 'supervisor' | 'subcentre';
  extension: string | null;
  hotline_number: string | null;
  password_hash: string;
  sip_ha1_md5: string | null;
  disabled_at: NullableTimestamp;
  created_at: DefaultedTimestamp;
}

interface SessionsTable {
  token_sha256: Buffer;
  person_id: string;
  created_at: DefaultedTimestamp;
  expires_at: Timestamp;
}

export interface SeatsTable {
  person_id: string;
  status: 'offline' | 'ready' | 'break' | 'wrapUp';
  reason: string | null;
  since: Timestamp;
  wrap_up_ends_at: NullableTimestamp;
  idle_since: NullableTimestamp;
}

interface SeatReservationsTable {
  person_id: string;
  call_id: string;
  leg_id: string;
  fencing_token: BigInteger;
  reserved_at: Timestamp;
  lease_until: Timestamp;
}

export interface HotlinesTable {
  number: string;
  name: string;
  owner: string;
  mode: 'city' | 'merge' | 'dual_track' | 'subcenter' | 'contracted' | 'not_integrated';
  answered_here: boolean;
  gateway: string | null;
  note: Generated<string>;
}

export interface CallsTable {
  id: string;
  caller_number: string;
  caller_name: string;
  dialled_number: string;
  state: string;
  state_since: Timestamp;
  context: Json;
  started_at: Timestamp;
  answered_at: NullableTimestamp;
  queued_at: NullableTimestamp;
  agent_answered_at: NullableTimestamp;
  ended_at: NullableTimestamp;
  end_class: EndClassWord | null;
  end_reason: string | null;
  flow: string | null;
  flow_path: Json;
  queue: string | null;
  agent_id: string | null;
  rating: number | null;
  recording_path: string | null;
}

export interface CallLegsTable {
  id: string;
  call_id: string;
  role: 'citizen' | 'agent' | 'subcentre' | 'supervisor';
  party: string;
  person_id: string | null;
  direction: 'inbound' | 'outbound';
  created_at: Timestamp;
  ringing_at: NullableTimestamp;
  answered_at: NullableTimestamp;
  ended_at: NullableTimestamp;
  end_class: EndClassWord | null;
  end_reason: string | null;
  cause: string | null;
  sip_status: number | null;
}

export interface CallJournalTable {
  call_id: string;
  position: number;
  at: Timestamp;
  from_state: string;
  event: string;
  to_state: string;
  details: Json;
}

export interface WorkOrdersTable {
  id: string;
  order_no: string;
  call_id: string | null;
  caller_number: string;
  citizen_name: string;
  contact_number: string;
  matter_type: string;
  category: string;
  address: string;
  content: string;
  unit: string;
  status: 'accepted' | 'dispatched' | 'closed';
  version: Generated<number>;
  created_by: string;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface WorkOrderDraftsTable {
  call_id: string;
  person_id: string;
  version: number;
  body: Json;
  updated_at: Timestamp;
}

export interface CallbacksTable {
  id: Generated<string>;
  call_id: string | null;
  /** The citizen's. */
  leg_id: string | null;
  caller_number: string;
  dialled_number: string;
  reason: string;
  recording_path: string | null;
  since: Timestamp;
  done_at: Timestamp | null;
  done_by: string | null;
}

/** All tables. */
export interface Database {
  people: PeopleTable;
  sessions: SessionsTable;
  seats: SeatsTable;
  seat_reservations: SeatReservationsTable;
  hotlines: HotlinesTable;
  calls: CallsTable;
  call_legs: CallLegsTable;
  call_journal: CallJournalTable;
  work_orders: WorkOrdersTable;
  work_order_drafts: WorkOrderDraftsTable;
  callbacks: CallbacksTable;
}
