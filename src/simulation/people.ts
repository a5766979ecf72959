import type { Sound } from '../switch/port.ts';
import type { VirtualClock } from './clock.ts';
import type { PhoneSide } from './nodes.ts';
import type { Random } from './random.ts';
import type { SimLeg } from './switch-legs.ts';
import type { Trace } from './trace.ts';

export interface PeopleOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly core: PhoneSide;
  readonly trace: Trace;
  /** Extensions of agents and numbers of sub-centres that have a phone here. */
  readonly phones: readonly string[];
  /** Numbers of sub-centres, for phones that transfer. */
  readonly subcentres: readonly string[];
  readonly arrivalEveryMs: number;
}

/** Everybody at a phone: citizens who call, and whoever picks up when a phone rings. */
export class People {
  readonly #options: PeopleOptions;
  #calm = true;
  #citizens = 0;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  /** Citizens call and phones come and go until `quiet`. */
  busy(): void {
    this.#calm = false;
    this.#nextCitizen();
    for (const phone of this.#options.phones) this.#nextPhoneTrouble(phone);
    this.registerAll();
  }

  /** Nobody calls any more; who is on the phone hangs up within a minute. */
  quiet(): void {
    this.#calm = true;
    const { clock, random, core } = this.#options;
    for (const leg of core.legs()) clock.setTimer(random.between(0, 60_000), () => this.#hangsUp(leg));
  }

  /** After the switch came back every phone registers anew by and by. */
  registerAll(): void {
    const { clock, random, core, phones } = this.#options;
    for (const phone of phones) clock.setTimer(random.between(0, 5_000), () => core.register(phone));
  }

  /** A phone is rung: what its owner does. */
  rings(leg: SimLeg): void {
    const { clock, random, core } = this.#options;
    const end = (cause: string) => () => core.end(leg, cause, 'phone');
    const what = random.weighted({ answers: 70, refuses: 6, ignores: 9, vanishes: 3, fails: 4, atOnce: 8 });
    const rungMs = random.between(30, 200);
    if (what === 'vanishes') return;
    if (what === 'fails') {
      clock.setTimer(rungMs, end(random.pick(['NORMAL_TEMPORARY_FAILURE', 'RECOVERY_ON_TIMER_EXPIRE'])));
      return;
    }
    clock.setTimer(rungMs, () => core.phoneRings(leg));
    // Outside lines ring in their own way, or say why nobody will come.
    if (leg.hearsEarly && random.chance(0.4))
      clock.setTimer(rungMs * random.between(1, 3), () => core.phoneIsHeard(leg));
    if (what === 'ignores') return;
    const thinksMs = what === 'atOnce' ? random.between(0, 20) : random.between(200, 12_000);
    if (what === 'refuses') clock.setTimer(rungMs + thinksMs, end(random.pick(['USER_BUSY', 'CALL_REJECTED'])));
    else clock.setTimer(rungMs + thinksMs, () => this.#picksUp(leg));
  }

  /** A caller hears prompts; some answer what they ask. */
  hears(leg: SimLeg, sounds: readonly Sound[]): void {
    const { clock, random } = this.#options;
    if (leg.role !== 'citizen') return;
    const prompts = sounds.map((sound) => (sound.kind === 'file' ? sound.path : ''));
    if (!prompts.some((prompt) => prompt.includes('menu') || prompt.includes('rating-ask'))) return;
    if (random.chance(0.3)) return;
    const digits = random.chance(0.1) ? 3 : 1;
    for (let index = 0; index < digits; index += 1) {
      const digit = random.pick(['1', '2', '3', '0', '9', '#', '*', '1', '2']);
      clock.setTimer(random.between(50, 6_000), () => this.#options.core.presses(leg, digit));
    }
  }

  #picksUp(leg: SimLeg): void {
    if (leg.ended) return;
    const { clock, random, core } = this.#options;
    core.phoneAnswers(leg);
    if (this.#calm) {
      clock.setTimer(random.between(0, 30_000), () => this.#hangsUp(leg));
      return;
    }
    this.#mayTransfer(leg);
    this.#mayConsult(leg);
    // Agents mostly end calls at the desk, sub-centres always at the phone.
    const staysMs = leg.role === 'agent' && random.chance(0.6) ? 600_000 : random.exponential(40_000);
    const quickly = random.chance(0.05);
    clock.setTimer(quickly ? random.between(0, 60) : staysMs, () => this.#hangsUp(leg));
  }

  /** Some agents press "transfer" on the phone: a good number or none, once or twice, or hang up in the middle of it. */
  #mayTransfer(leg: SimLeg): void {
    const { clock, random, core, trace, subcentres } = this.#options;
    if (!random.chance(leg.role === 'agent' ? 0.25 : 0.03)) return;
    clock.setTimer(random.exponential(15_000), () => {
      const number = random.pick([...subcentres, ...subcentres, '12345', '0086123']);
      if (!core.refers(leg, number)) return;
      trace.note([leg.id], `${leg.role}’s phone refers to ${number}`);
      if (random.chance(0.2)) clock.setTimer(random.between(0, 2_000), () => this.#hangsUp(leg));
    });
  }

  /**
   * Some agents call a sub-centre on a second line, most while they talk, and go back, hang everything up, or put the
   * citizen through.
   */
  #mayConsult(leg: SimLeg): void {
    const { clock, random, core, trace, subcentres } = this.#options;
    if (leg.role !== 'agent' || !random.chance(0.25)) return;
    clock.setTimer(random.exponential(10_000), () => {
      const number = random.pick([...subcentres, ...subcentres, '12345', '0086123']);
      const line = core.phoneDials(random.uuid(), leg, number);
      if (line === undefined) return;
      trace.note([leg.id, line.id], `the agent’s phone calls ${number} on a second line`);
      const ms = random.chance(0.1) ? random.between(0, 300) : random.exponential(15_000);
      clock.setTimer(ms, () => this.#endsConsultation(leg, line));
    });
  }

  #endsConsultation(leg: SimLeg, line: SimLeg): void {
    const { clock, random, core, trace } = this.#options;
    const what = random.weighted({ putsThrough: 6, putsThroughTurned: 2, hangsUpLine: 3, hangsUpAll: 1, stays: 1 });
    if (what === 'stays') return;
    if (what === 'putsThrough' || what === 'putsThroughTurned') {
      const [one, other] = what === 'putsThrough' ? [leg, line] : [line, leg];
      const done = core.putsTogether(one, other);
      trace.note([leg.id, line.id], `the agent’s phone puts its two lines together: ${done ? 'done' : 'refused'}`);
      if (done) for (const end of [leg, line]) clock.setTimer(random.between(0, 300), () => this.#hangsUp(end));
      return;
    }
    this.#hangsUp(line);
    if (what === 'hangsUpAll') this.#hangsUp(leg);
  }

  /** A phone that hears that its transfer is done hangs up. */
  referEnded(leg: SimLeg, done: boolean): void {
    const { clock, random } = this.#options;
    if (done) clock.setTimer(random.between(0, 300), () => this.#hangsUp(leg));
  }

  #nextCitizen(): void {
    const { clock, random, arrivalEveryMs } = this.#options;
    clock.setTimer(random.exponential(arrivalEveryMs), () => {
      if (this.#calm) return;
      this.#calls();
      // People call again in bursts: after the news, after a power cut.
      if (random.chance(0.05)) for (let more = random.integer(2, 8); more > 0; more -= 1) this.#calls();
      this.#nextCitizen();
    });
  }

  #calls(): void {
    const { clock, random, core, trace } = this.#options;
    this.#citizens += 1;
    const number = `138${String(random.integer(0, 99_999_999)).padStart(8, '0')}`;
    const id = random.uuid();
    const leg = core.citizenCalls(id, random.chance(0.03) ? '' : number, '12345');
    if (leg === undefined) return;
    trace.note([id], `citizen ${this.#citizens} calls: ${id}`);
    const patience = random.weighted({ instant: 5, short: 15, medium: 35, long: 45 });
    const patienceMs = {
      instant: random.between(0, 300),
      short: random.between(300, 8_000),
      medium: random.between(8_000, 60_000),
      long: random.between(60_000, 300_000),
    }[patience];
    clock.setTimer(patienceMs, () => this.#hangsUp(leg));
    if (random.chance(0.1)) {
      clock.setTimer(random.between(0, 60_000), () => core.presses(leg, random.pick(['0', '1', '5'])));
    }
  }

  #hangsUp(leg: SimLeg): void {
    if (leg.ended) return;
    const { random, core } = this.#options;
    const answered = random.chance(0.03) ? 'MEDIA_TIMEOUT' : 'NORMAL_CLEARING';
    const unanswered = leg.direction === 'inbound' ? 'ORIGINATOR_CANCEL' : 'CALL_REJECTED';
    core.end(leg, leg.answered ? answered : unanswered, 'phone');
  }

  #nextPhoneTrouble(phone: string): void {
    const { clock, random, core } = this.#options;
    clock.setTimer(random.exponential(15 * 60_000), () => {
      if (this.#calm) return;
      core.unregister(phone);
      clock.setTimer(random.between(500, 60_000), () => core.register(phone));
      this.#nextPhoneTrouble(phone);
    });
  }
}
