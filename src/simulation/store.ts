import type { OrderBody } from '../desk/protocol.ts';
import type { Call } from '../domain/call/call.ts';
import type { Spool } from '../services/calls/spool.ts';
import type {
  CallBatch,
  CallStore,
  DeskStore,
  JournalEntry,
  LegRecord,
  Person,
  SeatStore,
  StoredDraft,
  StoredSeat,
} from '../services/ports.ts';
import type { VirtualClock } from './clock.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';
import type { Weather } from './weather.ts';

interface Reservation {
  readonly personId: string;
  readonly callId: string;
  readonly leg: string;
  readonly fencingToken: string;
  readonly leaseUntilMs: number;
}

/** The process that uses the store; a dead one gets no answers, and half of what it had under way is not done. */
export interface StoreUser {
  readonly alive: boolean;
  /** Which machine’s disk is its own. */
  readonly host: string;
  /** A frozen one hears answers when it wakes. */
  whenAwake(run: () => void): void;
}

/** What lies in a machine's spool. */
interface Disk {
  readonly epoch: number;
  readonly backlog: CallBatch;
}

/** As PostgreSQL refuses what a control of an earlier epoch writes (migrations/0003). */
class StaleControlError extends Error {
  readonly code = 'YH001';
}

export interface SimulatedStoreOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace;
  readonly weather: () => Weather;
  /** A statement failed or its outcome is not known. */
  readonly onFault: () => void;
}

/** What the house keeps in PostgreSQL, with its constraints; it outlives every control process. */
export class SimulatedStore {
  readonly people = new Map<string, Person>();
  readonly seats = new Map<string, StoredSeat>();
  readonly reservations = new Map<string, Reservation>();
  readonly calls = new Map<string, Call>();
  readonly journal = new Map<string, JournalEntry[]>();
  readonly legs = new Map<string, LegRecord>();
  readonly #drafts = new Map<string, StoredDraft<OrderBody>>();
  readonly #options: SimulatedStoreOptions;
  readonly #disks = new Map<string, string>();
  #epoch = 0;
  #tokens = 0;
  /** What each process has under way. */
  readonly #underWay = new Map<StoreUser, Set<() => void>>();
  #orders = 0;
  /** While it is down every statement fails; so does what is under way. */
  down = false;
  /** Who can’t reach it although it is there. */
  readonly cutOff = new Set<StoreUser>();
  readonly #fenced = new Set<StoreUser>();

  constructor(options: SimulatedStoreOptions) {
    this.#options = options;
  }

  addPerson(person: Person): void {
    this.people.set(person.id, person);
    if (person.role !== 'agent' || person.extension === null) return;
    const { id: personId, name, extension } = person;
    const sinceMs = this.#options.clock.now();
    const never = { reason: null, idleSinceMs: null, wrapUpEndsAtMs: null };
    this.seats.set(personId, { personId, name, extension, status: 'offline', sinceMs, ...never });
  }

  /** A process has died: what it had under way is committed now or never. */
  died(user: StoreUser): void {
    for (const commit of this.#underWay.get(user) ?? []) {
      if (this.#reaches(user) && this.#options.random.chance(0.5)) commit();
    }
    this.#underWay.delete(user);
    this.#fenced.delete(user);
    this.cutOff.delete(user);
  }

  /** Another control has taken over: nothing that this one has under way or asks for is done any more. */
  fence(user: StoreUser): void {
    this.#fenced.add(user);
  }

  isFenced(user: StoreUser): boolean {
    return this.#fenced.has(user);
  }

  /**
   * Forgets what is over, so that thousands of hours fit into memory; but nothing of which somebody may still speak, for the
   * real store deletes no call: a machine's spool, or a control that was not told of the end of one of its legs.
   */
  forgetEnded(): void {
    const kept = this.#spooledCalls();
    for (const leg of this.legs.values()) if (leg.endedAtMs === null) kept.add(leg.callId);
    for (const [id, call] of this.calls) {
      if (call.state !== 'ended' || kept.has(id)) continue;
      this.calls.delete(id);
      this.journal.delete(id);
      this.#drafts.delete(id);
    }
    for (const [id, leg] of this.legs) if (!this.calls.has(leg.callId)) this.legs.delete(id);
  }

  #spooledCalls(): Set<string> {
    const disks = [...this.#disks.values()].map((text) => JSON.parse(text) as Disk);
    return new Set(
      disks.flatMap(({ backlog }) => [
        ...backlog.calls.map((call) => call.id),
        ...backlog.journal.map((entry) => entry.callId),
      ]),
    );
  }

  seatStore(user: StoreUser): SeatStore {
    return {
      list: () => this.#run(user, 'seats', () => [...this.seats.values()]),
      save: (seat) =>
        this.#run(user, 'save seat', () => {
          const old = this.seats.get(seat.personId);
          if (old !== undefined) this.seats.set(seat.personId, { ...old, ...seat });
        }),
      reserve: (wish) => this.#run(user, 'reserve', () => this.#reserve(wish)),
      renew: (held, leaseUntilMs) =>
        this.#run(user, 'renew', () => {
          for (const { personId, fencingToken } of held) {
            const found = this.reservations.get(personId);
            if (found?.fencingToken === fencingToken) this.reservations.set(personId, { ...found, leaseUntilMs });
          }
        }),
      release: (personId, fencingToken) =>
        this.#run(user, 'release', () => {
          if (this.reservations.get(personId)?.fencingToken === fencingToken) this.reservations.delete(personId);
        }),
      reservations: () => this.#run(user, 'reservations', () => [...this.reservations.values()]),
    };
  }

  callStore(user: StoreUser): CallStore {
    return {
      write: (batch) => this.#run(user, 'write calls', () => this.#write(batch)),
      lastPositions: (callIds) =>
        this.#run(user, 'last positions', () => {
          const known = callIds.map((id) => [id, this.journal.get(id)?.at(-1)?.position] as const);
          return new Map(known.flatMap(([id, last]) => (last === undefined ? [] : [[id, last] as const])));
        }),
      live: () =>
        this.#run(user, 'live calls', () =>
          [...this.calls.values()]
            .filter((call) => call.endedAtMs === null)
            .map((call) => ({
              call: structuredClone(call),
              nextPosition: (this.journal.get(call.id)?.at(-1)?.position ?? -1) + 1,
              legs: [...this.legs.values()].filter((leg) => leg.callId === call.id),
            })),
        ),
    };
  }

  deskStore(user: StoreUser): DeskStore<OrderBody> {
    return {
      person: (personId) => this.#run(user, 'person', () => this.people.get(personId)),
      subcentrePeople: (number) =>
        this.#run(user, 'people of a sub-centre', () =>
          [...this.people.values()].filter((person) => person.hotlineNumber === number).map((person) => person.id),
        ),
      history: () => this.#run(user, 'history', () => ({ earlierCalls: [], openOrders: [] })),
      today: () => this.#run(user, 'today', () => []),
      draft: (callId) => this.#run(user, 'draft', () => this.#drafts.get(callId)),
      saveDraft: (wish) => this.#run(user, 'save draft', () => this.#saveDraft(wish)),
      saveOrder: ({ callId, body }) =>
        this.#run(user, 'save order', () => {
          this.#orders += 1;
          const order = { orderId: `order-${this.#orders}`, orderNo: String(this.#orders) };
          const version = this.#drafts.get(callId)?.version ?? 0;
          this.#drafts.set(callId, { callId, version, body, ...order });
          return order;
        }),
      callOwner: (callId) =>
        this.#run(user, 'owner of a call', () => {
          const call = this.calls.get(callId);
          return call && { agentId: call.lastAgentId, callerNumber: call.callerNumber };
        }),
    };
  }

  /** The disk of control's machine: quick, and it does not fail here. Each process leads under an epoch of its own. */
  spool(user: StoreUser): Spool {
    this.#epoch += 1;
    const epoch = this.#epoch;
    const act = async <T>(work: () => T): Promise<T> => {
      await this.#pause(user, this.#options.random.between(0.1, 2));
      if (!user.alive) return new Promise<T>(() => undefined);
      return work();
    };
    return {
      keep: (backlog) => {
        const text = JSON.stringify({ epoch, backlog } satisfies Disk);
        return act(() => {
          this.#disks.set(user.host, text);
        });
      },
      take: () =>
        act(() => {
          const text = this.#disks.get(user.host);
          if (text === undefined) return undefined;
          const { epoch: ofEpoch, backlog } = JSON.parse(text) as Disk;
          return { backlog, anotherLed: epoch - ofEpoch > 1 };
        }),
      // The simulated database refuses nothing for good.
      setAside: () => act(() => undefined),
      clear: () =>
        act(() => {
          this.#disks.delete(user.host);
        }),
    };
  }

  #reserve(wish: Parameters<SeatStore['reserve']>[0]): { fencingToken: string } | undefined {
    const { personId, callId, leg, nowMs, leaseUntilMs } = wish;
    for (const [other, held] of this.reservations) {
      if (held.callId !== callId || other === personId) continue;
      if (held.leaseUntilMs > nowMs) return undefined;
      this.reservations.delete(other);
    }
    const held = this.reservations.get(personId);
    if (held !== undefined && held.leaseUntilMs > nowMs) return undefined;
    this.#tokens += 1;
    const fencingToken = String(this.#tokens);
    this.reservations.set(personId, { personId, callId, leg, fencingToken, leaseUntilMs });
    return { fencingToken };
  }

  #write(batch: CallBatch): void {
    const known = new Set([...this.calls.keys(), ...batch.calls.map((call) => call.id)]);
    for (const { callId } of [...batch.legs, ...batch.journal]) {
      if (!known.has(callId)) throw new Error(`foreign key: no call ${callId}`);
    }
    for (const call of batch.calls) this.calls.set(call.id, call);
    for (const leg of batch.legs) this.legs.set(leg.leg, leg);
    for (const entry of batch.journal) {
      const entries = this.journal.get(entry.callId) ?? [];
      this.journal.set(entry.callId, entries);
      if (entries.some((other) => other.position === entry.position)) continue;
      entries.push(entry);
      entries.sort((a, b) => a.position - b.position);
    }
  }

  #saveDraft(wish: Parameters<DeskStore<OrderBody>['saveDraft']>[0]): ReturnTypeOf<DeskStore<OrderBody>['saveDraft']> {
    const { callId, baseVersion, body } = wish;
    if (!this.calls.has(callId)) throw new Error(`foreign key: no call ${callId}`);
    const old = this.#drafts.get(callId);
    if ((old?.version ?? 0) !== baseVersion && old !== undefined) return { ok: false, draft: old };
    const draft = {
      callId,
      version: baseVersion + 1,
      body,
      orderId: old?.orderId ?? null,
      orderNo: old?.orderNo ?? null,
    };
    this.#drafts.set(callId, draft);
    return { ok: true, draft };
  }

  /** One statement: on its way, carried out as a whole or not, and its answer on the way back. */
  async #run<T>(user: StoreUser, what: string, work: () => T): Promise<T> {
    const { random, weather, trace } = this.#options;
    const slow = random.chance(weather().slowStoreChance);
    const underWay = this.#underWay.get(user) ?? new Set();
    this.#underWay.set(user, underWay.add(work));
    await this.#pause(undefined, slow ? random.between(100, 4_000) : random.between(0.2, 4));
    if (!user.alive) return this.#never();
    underWay.delete(work);
    const failed = random.chance(weather().storeFailureChance);
    if (this.down || this.cutOff.has(user)) return this.#fail(user, what, 'down');
    if (this.#fenced.has(user)) return this.#refuse(user);
    if (failed && random.chance(0.5)) return this.#fail(user, what, 'failed');
    const value = work();
    if (failed) return this.#fail(user, what, 'done, but its answer was lost');
    await this.#pause(user, random.between(0.1, 2));
    if (!user.alive) return this.#never();
    if (slow) trace.note([], `store: ${what} was slow`);
    return value;
  }

  async #fail(user: StoreUser, what: string, how: string): Promise<never> {
    const { random, trace, onFault } = this.#options;
    await this.#pause(user, random.between(1, 400));
    onFault();
    if (!user.alive) return this.#never();
    trace.note([], `store: ${what} ${how}`);
    throw new Error(`${what}: the store ${how}`);
  }

  async #refuse(user: StoreUser): Promise<never> {
    await this.#pause(user, this.#options.random.between(0.1, 2));
    if (!user.alive) return this.#never();
    throw new StaleControlError('the leadership of this control is over');
  }

  #reaches(user: StoreUser): boolean {
    return !this.down && !this.cutOff.has(user) && !this.#fenced.has(user);
  }

  #never(): Promise<never> {
    return new Promise<never>(() => undefined);
  }

  /** @param user who waits for it; without one it is the store that takes its time. */
  #pause(user: StoreUser | undefined, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.setTimer(ms, () => {
        if (user === undefined) resolve();
        else user.whenAwake(resolve);
      });
    });
  }
}

type ReturnTypeOf<F extends (...args: never[]) => Promise<unknown>> = Awaited<ReturnType<F>>;
