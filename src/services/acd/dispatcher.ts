import { compareCallers, matchCallers, type WaitingCaller } from '../../domain/acd/pick-agent.ts';
import type { AgentPart } from '../../domain/call/call.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { SeatBook } from './seat-book.ts';

/**
 * Brings waiting callers and free seats together. It acts when a caller joins or a seat becomes free, never by a
 * clock; a reservation that fails makes it look again, because somebody else may be free. Whose switch is out of reach
 * keeps his place and is passed over: no phone could be rung for him, and its seat would be lost to the others.
 *
 * It owns the list of waiting callers. A caller who is being reserved for is out of the list until the reservation
 * has an answer; a call that stopped waiting meanwhile gives the seat back by itself (state table, `agentReserved`).
 */
export class Dispatcher {
  readonly #waiting = new Map<string, WaitingCaller>();
  readonly #reserving = new Set<string>();
  readonly #seats: SeatBook;
  readonly #log: Logger;
  readonly #maxWaiting: number;
  /** Resolves when the call is stored: a phone is never rung for a call that a crash would forget. */
  readonly #committed: (callId: string) => Promise<void>;
  #deliver: (callId: string, agent: AgentPart) => void = () => undefined;
  #canServe: (callId: string) => boolean = () => true;
  #again = false;
  #matching = false;

  constructor(options: {
    seats: SeatBook;
    maxWaiting: number;
    log: Logger;
    committed?: (callId: string) => Promise<void>;
  }) {
    this.#seats = options.seats;
    this.#maxWaiting = options.maxWaiting;
    this.#log = options.log;
    this.#committed = options.committed ?? (() => Promise.resolve());
  }

  /** Where a won seat is told to. */
  onReserved(deliver: (callId: string, agent: AgentPart) => void): void {
    this.#deliver = deliver;
  }

  /** Who can't be served now, though he waits; `match` is called when that may have changed. */
  onlyWho(canServe: (callId: string) => boolean): void {
    this.#canServe = canServe;
  }

  get waiting(): number {
    return this.#waiting.size + this.#reserving.size;
  }

  /** Adds a caller; false when the queue is full. A caller who has a place already (`first` false) is never refused. */
  add(caller: WaitingCaller, first: boolean): boolean {
    // Whoever is served at once does not wait, however many others are being put through in this moment.
    const servedAtOnce = this.#seats.available().length > this.#waiting.size;
    if (first && !servedAtOnce && this.waiting >= this.#maxWaiting) return false;
    this.#waiting.set(caller.callId, caller);
    this.match();
    return true;
  }

  remove(callId: string): void {
    this.#waiting.delete(callId);
  }

  /** 1 for the next to be served; 0 for a call that does not wait. */
  position(callId: string): number {
    if (this.#reserving.has(callId)) return 1;
    const caller = this.#waiting.get(callId);
    if (caller === undefined) return 0;
    let ahead = 0;
    for (const other of this.#waiting.values()) if (compareCallers(other, caller) < 0) ahead += 1;
    return ahead + 1;
  }

  /** Gives free seats to waiting callers, as far as they go. */
  match(): void {
    // A match may be asked for while one runs (a seat's change is told in the middle of it): then once more after it.
    if (this.#matching) {
      this.#again = true;
      return;
    }
    this.#matching = true;
    do {
      this.#again = false;
      if (this.#waiting.size === 0) break;
      const callers = [...this.#waiting.values()].filter(({ callId }) => this.#canServe(callId));
      for (const { callId, personId } of matchCallers(callers, this.#seats.available())) {
        this.#reserve(callId, personId);
      }
    } while (this.#again);
    this.#matching = false;
  }

  #reserve(callId: string, personId: string): void {
    const caller = this.#waiting.get(callId);
    if (caller === undefined) return;
    this.#waiting.delete(callId);
    this.#reserving.add(callId);
    Promise.all([this.#seats.reserve(personId, callId), this.#committed(callId)])
      .then(([agent]) => agent)
      .catch((error: unknown) => {
        this.#log.error(
          { callId, personId, error: errorChain(error) },
          'seat could not be reserved; the caller keeps the place',
        );
        return undefined;
      })
      .then((agent) => {
        this.#reserving.delete(callId);
        if (agent !== undefined) this.#deliver(callId, agent);
        else this.#waiting.set(callId, caller);
        if (agent === undefined) this.match();
      })
      .catch((error: unknown) =>
        this.#log.error({ callId, error: errorChain(error) }, 'delivering a reservation failed'),
      );
  }
}
