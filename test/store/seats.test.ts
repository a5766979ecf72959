import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  getSeat,
  listReservations,
  listSeats,
  putSeat,
  releaseSeat,
  renewSeats,
  reserveSeat,
  type SeatWish,
} from '../../src/store/seats.ts';
import { testDatabase } from '../support/database.ts';
import { addPerson, t0 } from './fixtures.ts';

const database = testDatabase();
const leaseMs = 15_000;

function wishFor(personId: string, changes: Partial<SeatWish> = {}): SeatWish {
  return {
    personId,
    callId: randomUUID(),
    leg: randomUUID(),
    nowMs: t0,
    leaseUntilMs: t0 + leaseMs,
    ...changes,
  };
}

async function reserved(wish: SeatWish): Promise<string> {
  const token = await reserveSeat(database.db, wish);
  if (!token) throw new Error('the seat was not free');
  return token.fencingToken;
}

const reservationOf = async (personId: string) =>
  (await listReservations(database.db)).find((reservation) => reservation.personId === personId);

describe('reserving a seat', () => {
  it('lets exactly one of 50 rivals have it', async () => {
    const { id } = await addPerson(database.db);
    const wishes = Array.from({ length: 50 }, () => wishFor(id));
    const answers = await Promise.all(wishes.map((wish) => reserveSeat(database.db, wish)));
    const won = answers.findIndex((answer) => answer !== undefined);
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
    expect(await reservationOf(id)).toEqual({
      personId: id,
      callId: wishes[won]?.callId,
      leg: wishes[won]?.leg,
      fencingToken: answers[won]?.fencingToken,
      leaseUntilMs: t0 + leaseMs,
    });
  });

  it('lets exactly one of 50 rivals have it when the lease is over', async () => {
    const { id } = await addPerson(database.db);
    const old = await reserved(wishFor(id));
    const later = t0 + leaseMs;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        reserveSeat(database.db, wishFor(id, { nowMs: later, leaseUntilMs: later + leaseMs })),
      ),
    );
    const tokens = answers.flatMap((answer) => (answer ? [answer.fencingToken] : []));
    expect(tokens).toHaveLength(1);
    expect(BigInt(tokens[0] ?? 0)).toBeGreaterThan(BigInt(old));
  });

  it('refuses as long as the lease lasts, to the millisecond', async () => {
    const { id } = await addPerson(database.db);
    await reserved(wishFor(id));
    expect(await reserveSeat(database.db, wishFor(id, { nowMs: t0 + leaseMs - 1 }))).toBeUndefined();
    expect(await reserveSeat(database.db, wishFor(id, { nowMs: t0 + leaseMs }))).toBeDefined();
  });

  it('gives one call no second seat, unless the lease of the first is over', async () => {
    const [first, second] = [await addPerson(database.db), await addPerson(database.db)];
    const callId = randomUUID();
    await reserved(wishFor(first.id, { callId }));
    expect(await reserveSeat(database.db, wishFor(second.id, { callId }))).toBeUndefined();
    const later = { nowMs: t0 + leaseMs, leaseUntilMs: t0 + 2 * leaseMs };
    expect(await reserveSeat(database.db, wishFor(second.id, { callId, ...later }))).toBeDefined();
    expect(await reservationOf(first.id)).toBeUndefined();
  });
});

describe('releasing and renewing', () => {
  it('releases with the token, once', async () => {
    const { id } = await addPerson(database.db);
    const fencingToken = await reserved(wishFor(id));
    expect(await releaseSeat(database.db, { personId: id, fencingToken })).toBe(true);
    expect(await reservationOf(id)).toBeUndefined();
    expect(await releaseSeat(database.db, { personId: id, fencingToken })).toBe(false);
  });

  it('does nothing with a stale token', async () => {
    const { id } = await addPerson(database.db);
    const stale = await reserved(wishFor(id));
    const later = t0 + leaseMs;
    const fresh = await reserved(wishFor(id, { nowMs: later, leaseUntilMs: later + leaseMs }));
    expect(await releaseSeat(database.db, { personId: id, fencingToken: stale })).toBe(false);
    expect(await renewSeats(database.db, [{ personId: id, fencingToken: stale }], later + 9 * leaseMs)).toEqual([]);
    expect(await reservationOf(id)).toMatchObject({ fencingToken: fresh, leaseUntilMs: later + leaseMs });
  });

  it('renews many at once and tells which are still held', async () => {
    const people = [await addPerson(database.db), await addPerson(database.db), await addPerson(database.db)];
    const held = await Promise.all(
      people.map(async ({ id }) => ({ personId: id, fencingToken: await reserved(wishFor(id)) })),
    );
    const gone = held[1];
    if (!gone) throw new Error('there are three');
    await releaseSeat(database.db, gone);
    const still = await renewSeats(database.db, held, t0 + 3 * leaseMs);
    expect(still.toSorted()).toEqual([people[0]?.id, people[2]?.id].toSorted());
    expect((await reservationOf(people[0]?.id ?? ''))?.leaseUntilMs).toBe(t0 + 3 * leaseMs);
    expect(await renewSeats(database.db, [], t0)).toEqual([]);
  });
});

describe('the status of a seat', () => {
  it('is kept to the millisecond and overwritten', async () => {
    const { id } = await addPerson(database.db);
    expect(await getSeat(database.db, id)).toBeUndefined();
    const seat = { personId: id, status: 'break', reason: '就餐', sinceMs: t0 + 7 } as const;
    await putSeat(database.db, { ...seat, idleSinceMs: null, wrapUpEndsAtMs: null });
    expect(await getSeat(database.db, id)).toEqual({ ...seat, idleSinceMs: null, wrapUpEndsAtMs: null });
    const wrapUp = { personId: id, status: 'wrapUp', reason: null, sinceMs: t0 + 8 } as const;
    await putSeat(database.db, { ...wrapUp, idleSinceMs: t0, wrapUpEndsAtMs: t0 + 30_001 });
    expect(await getSeat(database.db, id)).toEqual({ ...wrapUp, idleSinceMs: t0, wrapUpEndsAtMs: t0 + 30_001 });
  });

  it('is listed for every agent with a phone, offline when he never chose one', async () => {
    const agent = await addPerson(database.db, { name: '李强' });
    const disabled = await addPerson(database.db);
    await database.db
      .updateTable('people')
      .set({ disabled_at: new Date(t0) })
      .where('id', '=', disabled.id)
      .execute();
    const supervisor = await addPerson(database.db, { role: 'supervisor' });
    const phoneless = await addPerson(database.db, { extension: null });
    const seats = await listSeats(database.db);
    expect(seats.find((seat) => seat.personId === agent.id)).toEqual({
      personId: agent.id,
      name: '李强',
      extension: agent.extension,
      status: 'offline',
      reason: null,
      sinceMs: t0,
      idleSinceMs: null,
      wrapUpEndsAtMs: null,
    });
    const listed = seats.map((seat) => seat.personId);
    for (const other of [disabled, supervisor, phoneless]) expect(listed).not.toContain(other.id);
  });
});
