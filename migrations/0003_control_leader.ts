import { type Kysely, sql } from 'kysely';

const guarded = [
  ...['people', 'sessions', 'seats', 'seat_reservations', 'hotlines', 'calls', 'call_legs', 'call_journal'],
  ...['work_orders', 'work_order_drafts', 'callbacks'],
];

/**
 * Which control leads: one row, whose epoch grows with every takeover. Connections of a control carry its epoch as
 * `yht.control_epoch`; PostgreSQL itself refuses what one of an earlier epoch writes. Connections without one (a
 * person's psql, `add-person`) are not asked.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table control_leader (
      singleton boolean primary key default true check (singleton),
      epoch bigint not null,
      holder jsonb not null,
      web_url text not null,
      released boolean not null,
      lease_until timestamptz not null
    );
    insert into control_leader (epoch, holder, web_url, released, lease_until) values (0, '{}', '', true, now());

    create function refuse_stale_control() returns trigger language plpgsql as $body$
    declare
      mine text := current_setting('yht.control_epoch', true);
    begin
      if mine <> '' and not exists (select from control_leader where epoch = mine::bigint) then
        raise exception 'the leadership of control epoch % is over', mine using errcode = 'YH001';
      end if;
      return null;
    end
    $body$;
  `.execute(db);
  for (const table of guarded) {
    await sql`
      create trigger refuse_stale_control before insert or update or delete on ${sql.table(table)}
        for each statement execute function refuse_stale_control()
    `.execute(db);
  }
}
