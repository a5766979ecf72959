import { type Kysely, sql } from 'kysely';

/**
 * The first tables: people and their seats, calls with legs and journal, work orders with drafts.
 * Every time is timestamptz with milliseconds; enumerations are checked texts, so that a new word is a migration.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people (
      id uuid primary key,
      login text not null unique check (length(login) between 1 and 64),
      name text not null,
      role text not null check (role in ('agent', 'supervisor', 'subcentre')),
      extension text unique check (extension ~ '^[0-9]{3,8}$'),
      hotline_number text,
      password_hash text not null,
      sip_ha1_md5 text,
      disabled_at timestamptz,
      created_at timestamptz not null default now()
    );
    create table sessions (
      token_sha256 bytea primary key,
      person_id uuid not null references people on delete cascade,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null
    );
    create index sessions_expires_at on sessions (expires_at);

    create table seats (
      person_id uuid primary key references people on delete cascade,
      status text not null check (status in ('offline', 'ready', 'break', 'wrapUp')),
      reason text,
      since timestamptz not null,
      wrap_up_ends_at timestamptz,
      idle_since timestamptz
    );
    create sequence fencing_tokens;
    create table seat_reservations (
      person_id uuid primary key references people on delete cascade,
      call_id uuid not null unique,
      leg_id uuid not null,
      fencing_token bigint not null,
      reserved_at timestamptz not null,
      lease_until timestamptz not null
    );

    create table hotlines (
      number text primary key,
      name text not null,
      owner text not null,
      mode text not null check (mode in ('city', 'merge', 'dual_track', 'subcenter', 'contracted', 'not_integrated')),
      answered_here boolean not null,
      gateway text,
      note text not null default ''
    );

    create table calls (
      id uuid primary key,
      caller_number text not null,
      caller_name text not null default '',
      dialled_number text not null,
      state text not null,
      state_since timestamptz not null,
      context jsonb not null,
      started_at timestamptz not null,
      answered_at timestamptz,
      queued_at timestamptz,
      agent_answered_at timestamptz,
      ended_at timestamptz,
      end_class text check (end_class in ('success', 'caller', 'agent', 'upstream', 'us', 'unknown')),
      end_reason text,
      flow text,
      flow_path jsonb not null default '[]',
      queue text,
      agent_id uuid references people,
      rating smallint check (rating between 0 and 9),
      recording_path text
    );
    create index calls_caller on calls (caller_number, started_at desc);
    create index calls_agent on calls (agent_id, started_at desc);
    create index calls_started on calls (started_at desc);
    create index calls_live on calls (id) where ended_at is null;

    create table call_legs (
      id uuid primary key,
      call_id uuid not null references calls on delete cascade,
      role text not null check (role in ('citizen', 'agent', 'subcentre')),
      party text not null,
      person_id uuid references people,
      direction text not null check (direction in ('inbound', 'outbound')),
      created_at timestamptz not null,
      ringing_at timestamptz,
      answered_at timestamptz,
      ended_at timestamptz,
      end_class text check (end_class in ('success', 'caller', 'agent', 'upstream', 'us', 'unknown')),
      end_reason text,
      cause text,
      sip_status smallint
    );
    create index call_legs_call on call_legs (call_id);

    create table call_journal (
      call_id uuid not null references calls on delete cascade,
      position integer not null,
      at timestamptz not null,
      from_state text not null,
      event text not null,
      to_state text not null,
      details jsonb not null default '{}',
      primary key (call_id, position)
    );

    create sequence work_order_numbers;
    create table work_orders (
      id uuid primary key,
      order_no text not null unique,
      call_id uuid unique references calls,
      caller_number text not null,
      citizen_name text not null,
      contact_number text not null,
      matter_type text not null,
      category text not null,
      address text not null,
      content text not null,
      unit text not null,
      status text not null check (status in ('accepted', 'dispatched', 'closed')),
      version integer not null default 1,
      created_by uuid not null references people,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create index work_orders_caller on work_orders (caller_number, created_at desc);
    create index work_orders_open on work_orders (caller_number) where status <> 'closed';

    create table work_order_drafts (
      call_id uuid primary key references calls on delete cascade,
      person_id uuid not null references people,
      version integer not null,
      body jsonb not null,
      updated_at timestamptz not null
    );
  `.execute(db);
}
