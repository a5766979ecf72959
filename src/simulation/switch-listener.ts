import type { RegistrationEvent, Sound, SwitchEvent } from '../switch/port.ts';
import type { LegPlace, SimLeg } from './switch-legs.ts';
import type { ReferralsListener } from './switch-referrals.ts';

/** Who listens to a switch: the link to control, and the people at the phones. */
export interface CoreListener extends ReferralsListener {
  event(event: SwitchEvent): void;
  registration(event: RegistrationEvent): void;
  /** A phone is rung; it lives by its own will from here on. */
  rings(leg: SimLeg): void;
  hears(leg: SimLeg, sounds: readonly Sound[]): void;
  ended(leg: SimLeg): void;
  /** The dialplan treats a leg whose way out nobody has put off; `from` tells where it was. */
  fellBack(leg: SimLeg, from: LegPlace): void;
}
