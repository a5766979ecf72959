import { type Kysely, sql } from 'kysely';

/**
 * A citizen has one leg, and one entry on the call-back list at most: whether his call's end put him there, the
 * dialplan's recording, or both.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table callbacks drop constraint callbacks_check;
    alter table callbacks add constraint callbacks_of_call_or_message
      check (call_id is not null or recording_path is not null);
    alter table callbacks add column leg_id uuid;
    update callbacks set leg_id = found.leg from (
      select distinct on (leg) id, leg from (
        select id, since, substring(recording_path from '_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[.]wav$')::uuid as leg
          from callbacks where recording_path is not null
        union all
        select callbacks.id, since, call_legs.id
          from callbacks join call_legs on call_legs.call_id = callbacks.call_id and call_legs.role = 'citizen'
      ) as legs where leg is not null order by leg, since
    ) as found where found.id = callbacks.id;
    create unique index callbacks_leg on callbacks (leg_id);
  `.execute(db);
}
