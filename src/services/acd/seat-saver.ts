import type { Seat } from '../../domain/acd/seat.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { withinTime } from '../../kernel/deadline.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { SeatStore } from '../ports.ts';

/** Longer than any healthy commit, short enough for a citizen who waits. */
const storeDeadlineMs = 1000;
const storeAgainMs = 3000;

export interface SeatSaverOptions {
  readonly store: Pick<SeatStore, 'save'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The seat as it is now. */
  readonly seat: (personId: string) => Seat;
}

/**
 * Stores the statuses of seats, one save of a seat after the other: on several connections the older one could be
 * stored last. What could not be stored is tried again until it is.
 */
export class SeatSaver {
  readonly #options: SeatSaverOptions;
  /** The last save of each seat that is under way. */
  readonly #saving = new Map<string, Promise<void>>();
  readonly #retries = new Map<string, Timer>();

  constructor(options: SeatSaverOptions) {
    this.#options = options;
  }

  /**
   * Stores a change before it counts. While the database does not answer agents must be able to go on all the same.
   * @param changed the seat with the change, when its turn to be stored has come
   * @param make lets the change count
   */
  async before(personId: string, changed: () => Seat, make: () => void): Promise<void> {
    const stored = this.#inTurn(personId, () => this.#save(changed()));
    const own = this.#saving.get(personId);
    await withinTime(this.#options.clock, 'storing the seat', storeDeadlineMs, stored).catch((error: unknown) =>
      this.#again(personId, error),
    );
    make();
    // One that came behind it has begun as soon as this one was stored: with the seat as it was before the change counted.
    const last = this.#saving.get(personId);
    if (last !== undefined && last !== own) this.later(personId);
  }

  /** Stores the seat as it is when its turn comes. */
  later(personId: string): void {
    this.#inTurn(personId, () => this.#save(this.#options.seat(personId))).catch((error: unknown) =>
      this.#again(personId, error),
    );
  }

  close(): void {
    for (const timer of this.#retries.values()) timer.cancel();
    this.#retries.clear();
  }

  #inTurn(personId: string, save: () => Promise<void>): Promise<void> {
    const turn = (this.#saving.get(personId) ?? Promise.resolve()).then(save);
    // Whoever saves next does so whether or not this one fails; its own caller is told of the failure.
    const over = turn.catch(() => undefined);
    this.#saving.set(personId, over);
    void over.then(() => {
      if (this.#saving.get(personId) === over) this.#saving.delete(personId);
    });
    return turn;
  }

  #save(seat: Seat): Promise<void> {
    const { personId, status, reason, sinceMs, idleSinceMs, wrapUpEndsAtMs } = seat;
    return this.#options.store.save({ personId, status, reason, sinceMs, idleSinceMs, wrapUpEndsAtMs });
  }

  /** A status that is not stored, or of which that isn't known, would be another one after a restart. */
  #again(personId: string, error: unknown): void {
    const { clock, log } = this.#options;
    log.error({ personId, error: errorChain(error) }, 'seat status was not stored; it counts, and is stored later');
    this.#retries.get(personId)?.cancel();
    const retry = clock.setTimer(storeAgainMs, () => {
      this.#retries.delete(personId);
      this.later(personId);
    });
    this.#retries.set(personId, retry);
  }
}
