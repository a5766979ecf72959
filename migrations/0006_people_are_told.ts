import { type Kysely, sql } from 'kysely';

/**
 * Whoever changes people (`add-person`, `new-passwords`, a person's psql) tells the control that leads, in the same
 * transaction, so that it and the switch know them at once. A listener that was away asks when it is back.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function tell_people() returns trigger language plpgsql as $body$
    begin
      perform pg_notify('yht_people', '');
      return null;
    end
    $body$;
    create trigger tell_people after insert or update or delete on people
      for each statement execute function tell_people();
  `.execute(db);
}
