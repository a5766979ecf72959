/** The store as the call control uses it: the same functions, bound to a database, with their retries. */
import type { Kysely } from 'kysely';
import { writeCalls } from './call-batch.ts';
import { type CallBatchRecord, type LiveCall, lastJournalPositions, loadLiveCalls } from './calls.ts';
import { withRetry } from './retry.ts';
import type { Database } from './schema.ts';
import {
  type FencingToken,
  type HeldSeat,
  listReservations,
  listSeats,
  putSeat,
  releaseSeat,
  renewSeats,
  reserveSeat,
  type SeatRecord,
  type SeatReservation,
  type SeatStatusRecord,
  type SeatWish,
} from './seats.ts';

export interface BoundSeatStore {
  list(): Promise<SeatRecord[]>;
  save(seat: SeatStatusRecord): Promise<void>;
  reserve(wish: SeatWish): Promise<FencingToken | undefined>;
  renew(held: readonly HeldSeat[], leaseUntilMs: number): Promise<void>;
  release(personId: string, fencingToken: string): Promise<void>;
  reservations(): Promise<SeatReservation[]>;
}

/** Seats and their reservations. A reservation is not repeated when it isn't known whether it was made: it would meet itself. */
export function seatStore(db: Kysely<Database>): BoundSeatStore {
  const repeatable = { repeatable: true };
  return {
    list: () => withRetry(() => listSeats(db), repeatable),
    save: (seat) => withRetry(() => putSeat(db, seat), repeatable),
    reserve: (wish) => withRetry(() => reserveSeat(db, wish)),
    renew: async (held, leaseUntilMs) => {
      await withRetry(() => renewSeats(db, held, leaseUntilMs), repeatable);
    },
    release: async (personId, fencingToken) => {
      await withRetry(() => releaseSeat(db, { personId, fencingToken }), repeatable);
    },
    reservations: () => withRetry(() => listReservations(db), repeatable),
  };
}

export interface BoundCallStore {
  write(batch: CallBatchRecord): Promise<void>;
  live(): Promise<LiveCall[]>;
  lastPositions(callIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/** Calls with their legs and journal. Writing is repeatable, because the same batch twice is the batch once. */
export function callStore(db: Kysely<Database>): BoundCallStore {
  return {
    write: (batch) => withRetry(() => writeCalls(db, batch), { repeatable: true }),
    live: () => withRetry(() => loadLiveCalls(db), { repeatable: true }),
    lastPositions: (callIds) => withRetry(() => lastJournalPositions(db, callIds), { repeatable: true }),
  };
}
