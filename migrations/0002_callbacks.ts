import { type Kysely, sql } from 'kysely';

/**
 * Citizens whom the hotline owes a call (66号: 漏接电话回拨): who gave up waiting, who met a limit of ours, whom a dead
 * switch cut off, and who spoke to the dialplan's own answer while control was gone.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table callbacks (
      id uuid primary key default gen_random_uuid(),
      call_id uuid unique references calls on delete cascade,
      caller_number text not null,
      dialled_number text not null,
      reason text not null,
      recording_path text unique,
      since timestamptz not null,
      done_at timestamptz,
      done_by uuid references people,
      check ((call_id is null) <> (recording_path is null))
    );
    create index callbacks_open on callbacks (since) where done_at is null;
  `.execute(db);
}
