import type { SimLeg } from './switch-legs.ts';

export interface ReferralsListener {
  /** The phone is told what became of its REFER. */
  referEnded(leg: SimLeg, done: boolean): void;
}

/** Phones that have sent their partner away, and whom the switch owes the outcome. */
export class Referrals {
  readonly #listener: ReferralsListener;
  readonly #bridge: (a: string, b: string) => void;

  constructor(listener: ReferralsListener, bridge: (a: string, b: string) => void) {
    this.#listener = listener;
    this.#bridge = bridge;
  }

  begin(by: SimLeg, leg: SimLeg, number: string): void {
    leg.referral = by;
    leg.referred = { number, by: by.id };
  }

  /** Whom it sent away has arrived. */
  accept(leg: SimLeg): void {
    const by = leg.referral;
    leg.referral = undefined;
    if (by !== undefined && !by.ended) this.#listener.referEnded(by, true);
  }

  /** Nothing comes of it, and they are put together; false when the phone has hung up, or has been told. */
  refuse(leg: SimLeg): boolean {
    const by = leg.referral;
    leg.referral = undefined;
    if (by === undefined || by.ended) return false;
    this.#listener.referEnded(by, false);
    this.#bridge(by.id, leg.id);
    return true;
  }
}
