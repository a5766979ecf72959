import { describe, expect, it } from 'vitest';
import type { Seat, SeatStatus } from '../../src/domain/acd/seat.ts';
import { SeatSaver } from '../../src/services/acd/seat-saver.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { RecordedLog } from '../support/recorded-log.ts';

const person = 'person-1';

/** A seat and its saver on a store whose saves end when the test says so. */
function saver() {
  const clock = new ManualClock();
  let seat = { personId: person, status: 'ready' } as Seat;
  const saves: { readonly status: SeatStatus; readonly end: (error?: Error) => void }[] = [];
  const save = ({ status }: { readonly status: SeatStatus }) =>
    new Promise<void>((resolve, reject) => {
      saves.push({ status, end: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  const having = (status: SeatStatus): Seat => ({ ...seat, status });
  const put = (status: SeatStatus) => {
    seat = having(status);
  };
  const seats = new SeatSaver({ store: { save }, clock, log: new RecordedLog(), seat: () => seat });
  const choose = (status: SeatStatus) =>
    seats.before(
      person,
      () => having(status),
      () => put(status),
    );
  const saved = () => saves.map(({ status }) => status);
  return { seats, clock, saves, saved, put, choose, status: () => seat.status };
}

describe('what is stored of a seat', () => {
  it('is stored before it counts, and counts all the same when the database does not answer', async () => {
    const { clock, saves, saved, choose, status } = saver();
    const chosen = choose('break');
    await settle();
    expect([saved(), status()]).toEqual([['break'], 'ready']);
    await clock.advance(1000);
    await chosen;
    expect(status()).toBe('break');
    saves[0]?.end();
    await clock.advance(3000);
    saves[1]?.end();
    await settle();
    expect([saved(), clock.waiting]).toEqual([['break', 'break'], 0]);
  });

  // The simulation with more faults than its seeds have: a break of which the database knew nothing.
  it('is at last what counts, when a call ends while a chosen status is being stored', async () => {
    const { seats, saves, saved, put, choose, status } = saver();
    const chosen = choose('break');
    await settle();
    put('wrapUp');
    seats.later(person);
    saves[0]?.end();
    await chosen;
    for (let index = 1; index < 3; index += 1) {
      await settle();
      saves[index]?.end();
    }
    await settle();
    expect(status()).toBe('break');
    expect(saved().at(-1)).toBe('break');
    expect(saved()).toHaveLength(3);
  });
});
