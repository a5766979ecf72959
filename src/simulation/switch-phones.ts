import type { SwitchEvent } from '../switch/port.ts';
import type { VirtualClock } from './clock.ts';
import { clearTimers, type LegPlace, type NewLeg, type SimLeg, whileThere } from './switch-legs.ts';

const unclaimedPhoneMs = 20_000;
const untakenMs = 4_000;

/** What the switch does with legs. */
export interface PhoneMoves {
  add(leg: NewLeg): SimLeg;
  put(leg: SimLeg, place: LegPlace): void;
  tell(event: SwitchEvent): void;
  timer(leg: SimLeg, delayMs: number, run: () => void): void;
  park(leg: SimLeg): void;
  end(leg: SimLeg, cause: string): void;
  part(leg: SimLeg, other: SimLeg): void;
  toParked(leg: SimLeg): void;
}

/** What the phones of seats and sub-centres do: ring, answer, call by themselves, put their calls together. */
export class Phones {
  readonly #clock: VirtualClock;
  readonly #moves: PhoneMoves;

  constructor(clock: VirtualClock, moves: PhoneMoves) {
    this.#clock = clock;
    this.#moves = moves;
  }

  rings(leg: SimLeg): void {
    if (leg.ended || leg.place !== 'dialling') return;
    this.#moves.put(leg, 'ringing');
    this.#moves.tell({ type: 'legRinging', leg: leg.id, atMs: this.#clock.now() });
  }

  /** The far side is heard before it answers: a leg that was to be heard is parked, and rings for as long as control likes. */
  isHeard(leg: SimLeg): void {
    if (leg.ended || leg.answered || leg.early || !leg.hearsEarly) return;
    clearTimers(leg);
    leg.early = true;
    this.#moves.tell({ type: 'legRinging', leg: leg.id, atMs: this.#clock.now() });
    this.#moves.timer(leg, unclaimedPhoneMs * 2, () => this.#moves.end(leg, 'NORMAL_CLEARING'));
    this.#moves.park(leg);
  }

  answers(leg: SimLeg): void {
    if (leg.ended || leg.answered) return;
    if (!leg.early) clearTimers(leg);
    leg.answered = true;
    this.#moves.tell({ type: 'legAnswered', leg: leg.id, atMs: this.#clock.now() });
    // One that was heard before is where control has put it meanwhile.
    if (leg.early) return;
    this.#moves.timer(leg, unclaimedPhoneMs, () => this.#moves.end(leg, 'NORMAL_CLEARING'));
    this.#moves.park(leg);
  }

  /** A call of its own waits, unanswered, for control (docs/adr/0025). */
  dial(id: string, { role, party }: SimLeg, number: string): SimLeg {
    const caller = { party, callerNumber: party, callerName: party };
    const line = this.#moves.add({
      id,
      direction: 'inbound',
      role,
      callId: undefined,
      ...caller,
      dialledNumber: number,
    });
    line.dialled = true;
    const end = (): void => this.#moves.end(line, 'NORMAL_TEMPORARY_FAILURE');
    whileThere(line, line.fallbacks, this.#clock, untakenMs, end);
    this.#moves.park(line);
    return line;
  }

  /** REFER with Replaces: of two lines of which one waits, the other one's partner goes where that one is; false when it may not be. */
  putTogether(leg: SimLeg, named: SimLeg): boolean {
    const talks = [leg, named].find((one) => one.place === 'bridged');
    const waits = [leg, named].find((one) => one.place !== 'bridged');
    const partner = talks?.partner;
    if (talks === undefined || waits === undefined || partner === undefined) return false;
    if ([leg, named, partner].some((one) => one.ended || !one.transferable)) return false;
    this.#moves.part(talks, partner);
    if (talks === leg) this.#moves.toParked(talks);
    else this.#moves.end(talks, 'ATTENDED_TRANSFER');
    this.#moves.toParked(partner);
    this.#moves.end(waits, 'ATTENDED_TRANSFER');
    return true;
  }
}
