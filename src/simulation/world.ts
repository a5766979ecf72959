import type { Logger } from '../kernel/log.ts';
import type { Person } from '../services/ports.ts';
import { ProcessClock, VirtualClock } from './clock.ts';
import { type House, SimulatedControl } from './control.ts';
import { Desks } from './desks.ts';
import { directFlow, menuFlow } from './flow.ts';
import { Invariants, type Violation } from './invariants.ts';
import { Leaders } from './leaders.ts';
import { SimulatedLinks } from './links.ts';
import { SwitchNodes } from './nodes.ts';
import { People } from './people.ts';
import { Random } from './random.ts';
import { SimulatedStore } from './store.ts';
import { SimulatedSwitch } from './switch.ts';
import type { LegPlace, SimLeg } from './switch-legs.ts';
import type { CoreListener } from './switch-listener.ts';
import { Trace } from './trace.ts';
import { drawWeather, fairWeather, type Weather } from './weather.ts';

const startMs = Date.UTC(2026, 0, 5, 8);
const busyMs = 20 * 60_000;
const quietMs = 4 * 60_000;
const settleMs = 20_000;
/** Of so many seeds one has two switch nodes. */
const seedsPerCluster = 5;
const nodeCrashEveryMs = 3 * 60_000;

/** One city with one hotline, a switch of one node or two, one store, and a control that may die at any step, with or without a standby. */
export class World {
  readonly clock: VirtualClock;
  readonly trace: Trace;
  readonly #random: Random;
  readonly #weather: Weather;
  #house: House;
  readonly #store: SimulatedStore;
  readonly #nodes: SwitchNodes;
  readonly #people: People;
  readonly #desks: Desks;
  readonly #invariants: Invariants;
  readonly #leaders: Leaders;
  #stormy = false;
  #calmSinceMs = startMs;
  #stalledUntilMs = startMs;
  /** Steps until control dies. */
  #fuse = Number.POSITIVE_INFINITY;

  constructor(seed: number, weather?: Weather) {
    const random = new Random(seed);
    this.#random = random;
    const clock = new VirtualClock(startMs);
    this.clock = clock;
    this.trace = new Trace(startMs, () => clock.now());
    this.#weather = weather ?? drawWeather(random.fork());
    this.#house = drawHouse(random.fork());
    const { trace } = this;
    const weatherNow = () => (this.#stormy ? this.#weather : fairWeather);
    const onFault = () => this.#disturbed();
    this.#store = new SimulatedStore({ clock, trace, random: random.fork(), weather: weatherNow, onFault });
    const proxyRandom = new Random(seed);
    this.#nodes = new SwitchNodes({
      clock,
      randoms: [random.fork(), ...(seed % seedsPerCluster === 0 ? [proxyRandom.fork()] : [])],
      proxyRandom,
      listener: (node) => this.#listenerOf(node),
    });
    const agents = drawPeople(random.fork());
    for (const person of agents) this.#store.addPerson(person);
    const subcentres = [...this.#house.subcentres.keys()];
    this.#people = new People({
      clock,
      trace,
      random: random.fork(),
      core: this.#nodes,
      subcentres,
      phones: [...agents.flatMap((person) => person.extension ?? []), ...subcentres.slice(0, 2)],
      arrivalEveryMs: random.between(2_000, 15_000),
    });
    this.#invariants = new Invariants(this.#store, this.#nodes, () => clock.now());
    this.#desks = new Desks({
      clock,
      trace,
      random: random.fork(),
      people: agents,
      subcentres: [...subcentres, '99999'],
      control: () => (this.#control?.alive ? this.#control : undefined),
      onRequest: (request, outcome) => this.#invariants.pressed(request, outcome),
    });
    this.#leaders = new Leaders({
      clock,
      trace,
      random: random.fork(),
      store: this.#store,
      standby: random.chance(0.5),
      make: (host) => this.#makeControl(host),
      onChange: () => this.#desks.controlUp(),
      onFault,
    });
  }

  get #control(): SimulatedControl | undefined {
    return this.#leaders.leader;
  }

  /** Lives for so many hours, in days of twenty minutes with a quiet night each. @returns what went wrong first. */
  async run(hours: number): Promise<Violation | undefined> {
    const untilMs = startMs + hours * 3_600_000;
    this.#leaders.boot();
    while (this.clock.now() < untilMs) {
      const dayMs = Math.min(busyMs, untilMs - this.clock.now());
      await this.#day(dayMs);
      if (this.#invariants.violation !== undefined) break;
      await this.#night();
      if (this.#invariants.violation !== undefined) break;
    }
    return this.#invariants.violation;
  }

  async #day(lengthMs: number): Promise<void> {
    this.#stormy = true;
    this.#people.busy();
    this.#desks.busy();
    this.#scheduleFaults();
    await this.#until(this.clock.now() + lengthMs);
  }

  async #night(): Promise<void> {
    this.#stormy = false;
    this.#store.down = false;
    this.#fuse = Number.POSITIVE_INFINITY;
    this.#desks.quiet();
    this.#leaders.startAgain();
    // Whoever was cut off by the last fault is brought back first.
    await this.#until(this.clock.now() + settleMs);
    this.#people.quiet();
    await this.#until(this.clock.now() + quietMs);
    if (this.#invariants.violation !== undefined) return;
    this.#invariants.checkJournal();
    if (this.#control?.ready) this.#invariants.checkNothingLeft(this.#control);
    else this.#invariants.add('control comes back', 'not ready after a quiet night', []);
    this.#store.forgetEnded();
  }

  async #until(untilMs: number): Promise<void> {
    let wasTroubled = true;
    let journalAtMs = this.clock.now() + 30_000;
    while (await this.clock.step(untilMs)) {
      this.trace.step += 1;
      const nowMs = this.clock.now();
      const control = this.#control;
      const stalled = nowMs < this.#stalledUntilMs;
      const blind = !control?.ready || control.telephone.unsure || !this.#settled(control);
      const troubled = blind || this.#store.down || this.#store.cutOff.size > 0 || stalled;
      // Between two steps nothing changes: a trouble of the last one has lasted until now.
      if (troubled || wasTroubled) this.#disturbed();
      wasTroubled = troubled;
      if (control?.ready) this.#invariants.check(control, this.#calmSinceMs);
      this.#invariants.checkWaysOut(control?.alive === true && (!control.ready || stalled));
      if (nowMs >= journalAtMs) {
        journalAtMs = nowMs + 30_000;
        this.#invariants.checkJournal();
      }
      if (this.#invariants.violation !== undefined) return;
      this.#fuse -= 1;
      if (this.#fuse <= 0) this.#crashControl();
    }
  }

  // Control’s life: ------------------------------------------------------------------------------------------------

  #makeControl(host: string): SimulatedControl {
    const { clock, trace } = this;
    const process = new ProcessClock(clock);
    const links = this.#nodes.cores.map(
      (core) =>
        new SimulatedSwitch({
          core,
          clock,
          process,
          trace,
          random: this.#random.fork(),
          weather: () => (this.#stormy ? this.#weather : fairWeather),
          onFault: () => this.#disturbed(),
        }),
    );
    const log = this.#logger([]);
    const telephone = new SimulatedLinks(links, process, log);
    if (this.#stormy && this.#random.chance(0.3)) this.#changeConfiguration();
    return new SimulatedControl({
      clock: process,
      host,
      telephone,
      random: this.#random.fork(),
      store: this.#store,
      log,
      house: this.#house,
      push: (personId, push) => this.#desks.push(personId, push),
      onCall: (before, after, event) => this.#invariants.onCall(before, after, event),
    });
  }

  /** It holds from the next start on, also for the calls that are there already. */
  #changeConfiguration(): void {
    this.trace.note([], 'the configuration has changed');
    this.#house = { ...drawHouse(this.#random.fork()), subcentres: this.#house.subcentres };
  }

  #crashControl(): void {
    this.#fuse = Number.POSITIVE_INFINITY;
    this.#leaders.crash();
  }

  // Faults: --------------------------------------------------------------------------------------------------------

  #scheduleFaults(): void {
    const { random, weather } = { random: this.#random, weather: this.#weather };
    this.#every(weather.linkDropEveryMs, () => {
      this.trace.note([], 'the link breaks');
      this.#anyLink()?.drop('reset');
      this.#disturbed();
    });
    this.#every(weather.linkStallEveryMs, () => {
      const forMs = random.chance(0.9) ? random.between(200, 9_000) : random.between(9_000, 60_000);
      this.trace.note([], `the link stalls for ${Math.floor(forMs)} ms`);
      this.#anyLink()?.stall(forMs);
      this.#stalledUntilMs = this.clock.now() + forMs;
    });
    // That nodes die is what a world with several of them is for.
    const crashEveryMs = this.#nodes.several ? nodeCrashEveryMs : weather.switchCrashEveryMs;
    this.#every(crashEveryMs, () => this.#crashSwitch());
    this.#every(weather.controlCrashEveryMs, () => {
      this.#fuse = random.integer(1, 40);
    });
    this.#every(weather.controlRestartEveryMs, () => {
      void this.#leaders.restart();
    });
    this.#every(weather.controlFreezeEveryMs, () => this.#leaders.freeze());
    this.#every(weather.partitionEveryMs, () => this.#leaders.cutOff());
    this.#every(weather.storeOutageEveryMs, () => {
      const forMs = random.chance(0.7) ? random.between(200, 8_000) : random.between(8_000, 90_000);
      this.trace.note([], `the store is away for ${Math.floor(forMs)} ms`);
      this.#store.down = true;
      this.clock.setTimer(forMs, () => {
        this.#store.down = false;
        this.#disturbed();
      });
    });
  }

  #every(meanMs: number, run: () => void): void {
    if (!Number.isFinite(meanMs)) return;
    this.clock.setTimer(this.#random.exponential(meanMs), () => {
      if (!this.#stormy) return;
      run();
      this.#every(meanMs, run);
    });
  }

  /** Of several nodes one dies, at times for longer than it takes to count as lost; now and then both. */
  #crashSwitch(): void {
    const core = this.#nodes.anyRunning();
    if (core === undefined) return;
    const name = this.#nodes.several ? `switch node ${this.#nodes.cores.indexOf(core) + 1}` : 'switch';
    this.trace.note([], `the ${name} dies`);
    this.#nodes.crash(core);
    this.#control?.telephone.to(this.#nodes.cores.indexOf(core))?.drop('the switch died');
    this.clock.setTimer(this.#random.between(500, this.#nodes.several ? 40_000 : 15_000), () => {
      this.trace.note([], `the ${name} is back`);
      core.restart();
      this.#people.registerAll();
    });
    if (!this.#nodes.several) return;
    // The phones of a dead node find the other one when their registration is over.
    this.clock.setTimer(this.#random.between(1_000, 30_000), () => this.#people.registerAll());
    if (this.#random.chance(0.1)) this.#crashSwitch();
  }

  /** A link of the control that leads. */
  #anyLink(): SimulatedSwitch | undefined {
    const node = this.#nodes.several ? this.#random.integer(0, this.#nodes.cores.length - 1) : 0;
    return this.#control?.telephone.to(node);
  }

  #settled(control: SimulatedControl): boolean {
    const { cores } = this.#nodes;
    return control.telephone.settled((node) => cores[node]?.running === true);
  }

  #listenerOf(node: number): CoreListener {
    return {
      event: (event) => this.#control?.telephone.to(node)?.tell(event),
      registration: (event) => this.#control?.telephone.to(node)?.tellRegistration(event),
      rings: (leg) => this.#people.rings(leg),
      hears: (leg, sounds) => this.#people.hears(leg, sounds),
      ended: (leg) => this.trace.note([leg.id], `${leg.role}’s leg ${leg.id.slice(0, 8)} ended`),
      referEnded: (leg, done) => this.#people.referEnded(leg, done),
      fellBack: (leg, from) => this.#fellBack(leg, from),
    };
  }

  #disturbed(): void {
    this.#calmSinceMs = this.clock.now();
  }

  #fellBack(leg: SimLeg, from: LegPlace): void {
    this.trace.note([leg.id], `the dialplan treats the ${leg.role}, who was ${from}`);
    const calmForMs = this.#control?.ready ? this.clock.now() - this.#calmSinceMs : 0;
    this.#invariants.fellBack(leg, from, calmForMs);
  }

  /** What control logs is part of the trace. */
  #logger(about: readonly string[]): Logger {
    const note =
      (level: string) =>
      (fields: object, message: string): void => {
        const named = Object.entries(fields).filter(([name]) => ['callId', 'leg', 'personId'].includes(name));
        const all = [...about, ...named.map(([, value]) => String(value))];
        const words = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
        this.trace.note(all.length === 0 ? ['log'] : all, `${level}: ${message} ${words.join(' ')}`);
        this.#invariants.logged(level, message, all);
      };
    return {
      debug: () => undefined,
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
      child: (fields) => this.#logger([...about, ...Object.values(fields).map(String)]),
    };
  }
}

function drawHouse(random: Random): House {
  return {
    flow: random.pick([menuFlow, directFlow]),
    ratingEnabled: random.chance(0.7),
    maxWaiting: random.pick([3, 10, 50]),
    maxLiveCalls: random.pick([15, 60]),
    subcentres: new Map([
      ['12366', null],
      ['12333', 'gateway-12333'],
      ['12329', 'gateway-12329'],
    ]),
  };
}

function drawPeople(random: Random): Person[] {
  const agents = Array.from({ length: random.integer(1, 8) }, (_, index): Person => {
    const extension = String(1001 + index);
    return { id: random.uuid(), name: `agent ${extension}`, role: 'agent', extension, hotlineNumber: null };
  });
  const subcentre = { role: 'subcentre', extension: null, hotlineNumber: '12366' } as const;
  const supervisor = { role: 'supervisor', extension: '1090', hotlineNumber: null } as const;
  return [
    ...agents,
    { id: random.uuid(), name: 'sub-centre 12366', ...subcentre },
    { id: random.uuid(), name: 'supervisor', ...supervisor },
  ];
}
