import type { DeskPush, OrderBody } from '../desk/protocol.ts';
import type { Flow } from '../domain/ivr/flow.ts';
import { withinTime } from '../kernel/deadline.ts';
import type { Logger } from '../kernel/log.ts';
import { Dispatcher } from '../services/acd/dispatcher.ts';
import { SeatBook } from '../services/acd/seat-book.ts';
import type { CallObserver } from '../services/calls/call-observers.ts';
import { CallRuntime } from '../services/calls/call-runtime.ts';
import { CallWriter } from '../services/calls/call-writer.ts';
import { phoneTarget } from '../services/calls/phone-target.ts';
import { DeskService } from '../services/desk/desk-service.ts';
import type { DeskStore } from '../services/ports.ts';
import type { LinkEvent, RegistrationEvent } from '../switch/port.ts';
import type { ProcessClock } from './clock.ts';
import type { SimulatedLinks } from './links.ts';
import type { Random } from './random.ts';
import type { SimulatedStore, StoreUser } from './store.ts';

/** What the city is like; small numbers, so that its limits are met. */
export interface House {
  readonly flow: Flow;
  readonly ratingEnabled: boolean;
  readonly maxWaiting: number;
  readonly maxLiveCalls: number;
  /** Sub-centres by number; null: only a registered phone can reach it. */
  readonly subcentres: ReadonlyMap<string, string | null>;
}

export const houseTimes = {
  ringTimeoutMs: 15_000,
  consultRingTimeoutMs: 20_000,
  queueMaxWaitMs: 120_000,
  announceEveryMs: 20_000,
  autoResumeMs: 8_000,
  lineChangeMs: 500,
  ratingTimeoutMs: 10_000,
  stepTimeoutMs: 4_000,
  wrapUpMs: 15_000,
  phoneRestMs: 10_000,
  leaseMs: 30_000,
  deskGraceMs: 15_000,
  commitWaitMs: 1_000,
} as const;

export interface SimulatedControlOptions {
  readonly clock: ProcessClock;
  /** The machine that it runs on. */
  readonly host: string;
  readonly random: Random;
  readonly store: SimulatedStore;
  readonly telephone: SimulatedLinks;
  readonly log: Logger;
  readonly house: House;
  readonly push: (personId: string, push: DeskPush) => void;
  readonly onCall: CallObserver['onCall'];
}

const ignore = (): void => undefined;
const deaf = { onOffer: ignore, onOfferGone: ignore, onConsult: ignore, onNotice: ignore };

/** One control process: the real parts, wired as src/services/control.ts wires them, on a simulated switch and store. */
export class SimulatedControl implements StoreUser {
  readonly clock: ProcessClock;
  readonly host: string;
  readonly telephone: SimulatedLinks;
  readonly seats: SeatBook;
  readonly dispatcher: Dispatcher;
  readonly writer: CallWriter;
  readonly runtime: CallRuntime;
  readonly desk: DeskService;
  readonly #log: Logger;
  readonly #phones = new Set<string>();
  readonly #store: SimulatedStore;
  #alive = true;
  #taken = false;

  constructor(options: SimulatedControlOptions) {
    const { clock, store, telephone, log, house, random: ids } = options;
    this.clock = clock;
    this.host = options.host;
    this.telephone = telephone;
    this.#log = log;
    this.#store = store;
    this.seats = new SeatBook({ store: store.seatStore(this), clock, ids, log, settings: houseTimes });
    this.writer = new CallWriter({ store: store.callStore(this), clock, log, spool: store.spool(this) });
    this.dispatcher = new Dispatcher({
      seats: this.seats,
      maxWaiting: house.maxWaiting,
      log,
      committed: (callId) => this.writer.stored(callId, houseTimes.commitWaitMs),
    });
    this.runtime = new CallRuntime({
      telephone: telephone.port,
      clock,
      ids,
      log,
      flow: house.flow,
      promptPath: (id) => id,
      recordingPath: (call) => call.id.slice(0, 8),
      hotlineNumber: '12345',
      seats: this.seats,
      dispatcher: this.dispatcher,
      writer: this.writer,
      store: store.callStore(this),
      phoneTarget: phoneTarget({
        ids,
        consultTarget: (number) => this.#mayReach(number, house),
        ownNumbers: ['12345'],
      }),
      settings: { ...houseTimes, ratingEnabled: house.ratingEnabled, maxLiveCalls: house.maxLiveCalls },
    });
    this.desk = this.#makeDesk(options, store.deskStore(this));
    this.runtime.observe(this.desk);
    this.runtime.observe({
      // The rest is seen on the switch.
      ...deaf,
      // What a control believes after another one has taken over is no part of the truth.
      onCall: (before, after, event) => {
        if (!store.isFenced(this)) options.onCall(before, after, event);
      },
    });
    this.seats.listen(
      (personId) => this.desk.onSeat(personId),
      () => this.dispatcher.match(),
    );
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Alive, connected, and done with taking over what an earlier process had left. */
  get ready(): boolean {
    return this.#alive && !this.clock.frozen && this.#taken && this.telephone.connected;
  }

  /** Something reaches the process from outside: at once, or when it wakes. */
  whenAwake(run: () => void): void {
    this.clock.whenAwake(run);
  }

  /** @throws when the store does not answer; the process ends then and is started again. */
  async start(): Promise<void> {
    await this.writer.takeSpool();
    await this.seats.load();
    this.telephone.port.start({
      onLeg: (event) => this.runtime.onLeg(event),
      onRegistration: (event) => this.#onRegistration(event),
      onLink: (event) => this.#onLink(event),
    });
  }

  /** The process dies at once, wherever it is. */
  kill(): void {
    this.#alive = false;
    this.#store.died(this);
    this.clock.end();
    this.telephone.kill();
  }

  async close(): Promise<void> {
    await this.telephone.port.close();
    await this.runtime.close();
    this.seats.close();
    await this.writer.close();
    this.kill();
  }

  #makeDesk(options: SimulatedControlOptions, store: DeskStore<OrderBody>): DeskService {
    const { log, random: ids, house } = options;
    return new DeskService({
      runtime: this.runtime,
      seats: this.seats,
      store,
      clock: this.clock,
      ids,
      log,
      views: { maskFor: (_role, number) => number, hotlineName: (number) => number, queueName: (queue) => queue },
      consultTarget: (number) => this.#mayReach(number, house),
      push: (personId, push) => {
        if (this.#alive) options.push(personId, push);
      },
      stored: () => withinTime(this.clock, 'storing calls', 2_000, this.writer.flush()).catch(() => undefined),
      dayStartMs: () => 0,
    });
  }

  #mayReach(number: string, house: House) {
    const gateway = house.subcentres.get(number);
    if (gateway === undefined) return undefined;
    if (this.#phones.has(number)) return { number, name: number, gateway: null };
    return gateway === null ? undefined : { number, name: number, gateway };
  }

  #onRegistration(event: RegistrationEvent): void {
    if (event.type === 'registered') this.#phones.add(event.user);
    else this.#phones.delete(event.user);
    this.seats.phone(event.user, event.type === 'registered');
  }

  #onLink(event: LinkEvent): void {
    if (event.type === 'linkUp') {
      this.#phones.clear();
      for (const registration of event.snapshot.registrations) this.#phones.add(registration.user);
      this.seats.phones(this.#phones);
    }
    this.runtime.onLink(event).then(
      () => {
        this.#taken ||= event.type === 'linkUp';
      },
      (error: unknown) => {
        this.#log.error({ error: String(error) }, 'calls could not be brought to agree with the switch');
      },
    );
  }
}
