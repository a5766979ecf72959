import type { VirtualClock } from './clock.ts';
import type { SimLeg } from './switch-legs.ts';

const aloneForMs = 5_000;

/** Conferences that end by themselves when nobody but citizens is left in them. */
export class Conferences {
  readonly #clock: VirtualClock;
  readonly #legs: () => readonly SimLeg[];
  readonly #toParked: (leg: SimLeg) => void;

  constructor(clock: VirtualClock, legs: () => readonly SimLeg[], toParked: (leg: SimLeg) => void) {
    this.#clock = clock;
    this.#legs = legs;
    this.#toParked = toParked;
  }

  /** Somebody who works here has left. A citizen whom all others have left is parked after a grace. */
  left(conference: string): void {
    const members = (): SimLeg[] => this.#legs().filter((leg) => leg.conference === conference);
    const alone = (): boolean => members().every(({ role }) => role === 'citizen');
    if (members().length === 0 || !alone()) return;
    this.#clock.setTimer(aloneForMs, () => {
      if (alone()) for (const leg of members()) this.#toParked(leg);
    });
  }
}
