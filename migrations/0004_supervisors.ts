import { type Kysely, sql } from 'kysely';

/** A supervisor who listened to a call has a leg in it, with its times. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table call_legs drop constraint call_legs_role_check;
    alter table call_legs add constraint call_legs_role_check
      check (role in ('citizen', 'agent', 'subcentre', 'supervisor'));
  `.execute(db);
}
