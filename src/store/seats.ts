import { type Selectable, sql } from 'kysely';
import type { Db } from './database.ts';
import type { SeatsTable } from './schema.ts';
import { toDate, toDateOrNull, toMs, toMsOrNull } from './times.ts';

/** What an agent chose, or what followed from his last call. */
export interface SeatStatusRecord {
  readonly personId: string;
  readonly status: SeatsTable['status'];
  readonly reason: string | null;
  readonly sinceMs: number;
  readonly idleSinceMs: number | null;
  readonly wrapUpEndsAtMs: number | null;
}

export interface SeatRecord extends SeatStatusRecord {
  readonly name: string;
  readonly extension: string;
}

/** The status of every agent who isn't disabled and has a phone; who never chose one is offline since he exists. */
export async function listSeats(db: Db): Promise<SeatRecord[]> {
  const rows = await db
    .selectFrom('people')
    .leftJoin('seats', 'seats.person_id', 'people.id')
    .select(['people.id', 'people.name', 'people.extension', 'people.created_at'])
    .select(['status', 'reason', 'since', 'idle_since', 'wrap_up_ends_at'])
    .where('role', '=', 'agent')
    .where('extension', 'is not', null)
    .where('disabled_at', 'is', null)
    .orderBy('login')
    .execute();
  return rows.map((row) => ({
    personId: row.id,
    name: row.name,
    extension: row.extension ?? '',
    status: row.status ?? 'offline',
    reason: row.reason,
    sinceMs: toMs(row.since ?? row.created_at),
    idleSinceMs: toMsOrNull(row.idle_since),
    wrapUpEndsAtMs: toMsOrNull(row.wrap_up_ends_at),
  }));
}

export async function getSeat(db: Db, personId: string): Promise<SeatStatusRecord | undefined> {
  const row = await db.selectFrom('seats').selectAll().where('person_id', '=', personId).executeTakeFirst();
  return row && seatOf(row);
}

function seatOf(row: Selectable<SeatsTable>): SeatStatusRecord {
  return {
    personId: row.person_id,
    status: row.status,
    reason: row.reason,
    sinceMs: toMs(row.since),
    idleSinceMs: toMsOrNull(row.idle_since),
    wrapUpEndsAtMs: toMsOrNull(row.wrap_up_ends_at),
  };
}

export async function putSeat(db: Db, seat: SeatStatusRecord): Promise<void> {
  const values = {
    status: seat.status,
    reason: seat.reason,
    since: toDate(seat.sinceMs),
    idle_since: toDateOrNull(seat.idleSinceMs),
    wrap_up_ends_at: toDateOrNull(seat.wrapUpEndsAtMs),
  };
  await db
    .insertInto('seats')
    .values({ person_id: seat.personId, ...values })
    .onConflict((conflict) => conflict.column('person_id').doUpdateSet(values))
    .execute();
}

export interface SeatWish {
  readonly personId: string;
  readonly callId: string;
  /** The leg that will ring the agent's phone. */
  readonly leg: string;
  readonly nowMs: number;
  readonly leaseUntilMs: number;
}

/** A number that grows with every reservation, as text: only who shows the newest may renew or release. */
export interface FencingToken {
  readonly fencingToken: string;
}

export interface SeatReservation extends FencingToken {
  readonly personId: string;
  readonly callId: string;
  readonly leg: string;
  readonly leaseUntilMs: number;
}

/**
 * Reserves a seat for a call, in one statement, so that of any number of rivals exactly one gets it. A reservation
 * whose lease is over counts for nothing, neither this seat's nor another one's for the same call.
 * @returns undefined when the seat, or another seat for this call, is held.
 */
export async function reserveSeat(db: Db, wish: SeatWish): Promise<FencingToken | undefined> {
  const now = toDate(wish.nowMs);
  // The count makes the deletion come first, as it would otherwise only be carried out at the end of the statement.
  const { rows } = await sql<{ fencing_token: string }>`
    /* prepared: reserve-seat */ with dead as (
      delete from seat_reservations
       where call_id = ${wish.callId} and person_id <> ${wish.personId} and lease_until <= ${now}
      returning 1
    ), cleared as (select count(*) from dead)
    insert into seat_reservations as held (person_id, call_id, leg_id, fencing_token, reserved_at, lease_until)
    select ${wish.personId}::uuid, ${wish.callId}::uuid, ${wish.leg}::uuid, nextval('fencing_tokens'),
           ${now}::timestamptz, ${toDate(wish.leaseUntilMs)}::timestamptz
      from cleared
     where not exists (
       select from seat_reservations
        where call_id = ${wish.callId} and person_id <> ${wish.personId} and lease_until > ${now}
     )
    on conflict (person_id) do update
       set call_id = excluded.call_id, leg_id = excluded.leg_id, fencing_token = excluded.fencing_token,
           reserved_at = excluded.reserved_at, lease_until = excluded.lease_until
     where held.lease_until <= ${now}
    returning fencing_token`.execute(db);
  const token = rows[0]?.fencing_token;
  return token === undefined ? undefined : { fencingToken: token };
}

export type HeldSeat = FencingToken & { readonly personId: string };

/** Makes leases longer; a stale token renews nothing. @returns the people whose seats are still held. */
export async function renewSeats(db: Db, held: readonly HeldSeat[], leaseUntilMs: number): Promise<string[]> {
  if (held.length === 0) return [];
  const { rows } = await sql<{ person_id: string }>`
    update seat_reservations as reservation
       set lease_until = ${toDate(leaseUntilMs)}
      from unnest(${held.map((seat) => seat.personId)}::uuid[], ${held.map((seat) => seat.fencingToken)}::bigint[])
           as mine (person_id, fencing_token)
     where reservation.person_id = mine.person_id and reservation.fencing_token = mine.fencing_token
    returning reservation.person_id`.execute(db);
  return rows.map((row) => row.person_id);
}

/** Gives a seat back. False, and nothing happens, when the token is stale. */
export async function releaseSeat(db: Db, { personId, fencingToken }: HeldSeat): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('seat_reservations')
    .where('person_id', '=', personId)
    .where('fencing_token', '=', fencingToken)
    .executeTakeFirstOrThrow();
  return numDeletedRows === 1n;
}

/** All reservations, also those whose lease is over. */
export async function listReservations(db: Db): Promise<SeatReservation[]> {
  const rows = await db.selectFrom('seat_reservations').selectAll().orderBy('person_id').execute();
  return rows.map((row) => ({
    personId: row.person_id,
    callId: row.call_id,
    leg: row.leg_id,
    fencingToken: row.fencing_token,
    leaseUntilMs: toMs(row.lease_until),
  }));
}
