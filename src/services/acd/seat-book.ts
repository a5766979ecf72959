import type { AvailableSeat } from '../../domain/acd/pick-agent.ts';
import {
  chooseStatus,
  endWrapUp,
  isAvailable,
  releaseSeat,
  type Seat,
  type SeatSettings,
} from '../../domain/acd/seat.ts';
import type { AgentPart, SeatOutcome } from '../../domain/call/call.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { DeadlineError, withinTime } from '../../kernel/deadline.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { SeatStore } from '../ports.ts';
import { SeatSaver } from './seat-saver.ts';

export interface SeatBookOptions {
  readonly store: SeatStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly settings: SeatSettings & { readonly leaseMs: number; readonly deskGraceMs: number };
}

/** How long a seat is left alone whose reservation the database refused or could not make. */
const refusedSeatRestMs = 1000;
/** Longer than any healthy commit, short enough for a citizen who waits. */
const storeDeadlineMs = 1000;
const storeAgainMs = 3000;
const localPrefix = 'local-';
const isLocal = (fencingToken: string): boolean => fencingToken.startsWith(localPrefix);

/**
 * All seats of this centre. It alone owns their state in memory; PostgreSQL owns the reservations (lease and fencing
 * token), so that a second control can't give the same agent away.
 *
 * A seat that is taken is marked here before the database is asked, so that one event can't offer it twice; if the
 * database refuses or fails, the mark goes and the dispatcher is told to look again.
 */
export class SeatBook {
  readonly #options: SeatBookOptions;
  readonly #seats = new Map<string, Seat>();
  readonly #byExtension = new Map<string, string>();
  readonly #timers = new Map<string, Timer>();
  readonly #desks = new Map<string, number>();
  readonly #taking = new Set<string>();
  /** Reservations whose release the database has not confirmed yet, by person and by call. */
  readonly #releasing = new Map<string, Promise<void>>();
  /** Stored reservations that are over and could not be released, by person: a seat has one at most. */
  readonly #unreleased = new Map<string, string>();
  readonly #saver: SeatSaver;
  #renewal: Timer | undefined;
  #onChange: (personId: string) => void = () => undefined;
  #onAvailable: () => void = () => undefined;

  constructor(options: SeatBookOptions) {
    this.#options = options;
    this.#saver = new SeatSaver({ ...options, seat: (personId) => this.#must(personId) });
  }

  /** `change` is told of every change of one seat, `available` when somebody may have become free. */
  listen(change: (personId: string) => void, available: () => void): void {
    this.#onChange = change;
    this.#onAvailable = available;
  }

  /** Reads all seats. Statuses survive a restart; a wrap-up that ended meanwhile ends now. */
  async load(): Promise<void> {
    const nowMs = this.#options.clock.now();
    for (const stored of await this.#options.store.list()) {
      const old = this.#seats.get(stored.personId);
      this.#byExtension.set(stored.extension, stored.personId);
      this.#seats.set(stored.personId, {
        ...stored,
        idleSinceMs: stored.idleSinceMs ?? nowMs,
        phoneRegistered: old?.phoneRegistered ?? false,
        deskPresent: old?.deskPresent ?? false,
        phoneRestUntilMs: 0,
        reservation: old?.reservation ?? null,
      });
      if (stored.status === 'wrapUp') this.#armWrapUp(stored.personId);
    }
  }

  /**
   * People have come, gone or changed: who is new gets a seat, who has gone gets no calls any more. Statuses stay as they
   * are here, where they may be newer than in the database.
   */
  async learn(registered: ReadonlySet<string>): Promise<void> {
    const listed = await this.#options.store.list();
    this.#byExtension.clear();
    for (const { extension, personId } of listed) this.#byExtension.set(extension, personId);
    for (const stored of listed) {
      const { personId, name, extension } = stored;
      const now = { name, extension, phoneRegistered: registered.has(extension) };
      const old = this.#seats.get(personId);
      if (old === undefined) {
        this.#put({
          ...stored,
          ...now,
          idleSinceMs: stored.idleSinceMs ?? this.#options.clock.now(),
          deskPresent: (this.#desks.get(personId) ?? 0) > 0,
          phoneRestUntilMs: 0,
          reservation: null,
        });
      } else if (old.name !== name || old.extension !== extension || old.phoneRegistered !== now.phoneRegistered) {
        this.#put({ ...old, ...now });
      }
    }
    for (const seat of this.all()) {
      if (this.#byExtension.get(seat.extension) !== seat.personId && seat.phoneRegistered)
        this.#put({ ...seat, phoneRegistered: false });
    }
  }

  get(personId: string): Seat | undefined {
    return this.#seats.get(personId);
  }

  all(): Seat[] {
    return [...this.#seats.values()];
  }

  available(): AvailableSeat[] {
    const nowMs = this.#options.clock.now();
    return this.all().filter((seat) => isAvailable(seat, nowMs) && !this.#taking.has(seat.personId));
  }

  /** The agent's own choice; stored before it counts. */
  async choose(personId: string, status: 'ready' | 'break' | 'offline', reason: string | null): Promise<void> {
    const nowMs = this.#options.clock.now();
    await this.#change(personId, (seat) => chooseStatus(seat, status, reason, nowMs));
  }

  /** Ends a wrap-up early. */
  async endWrapUp(personId: string): Promise<void> {
    const nowMs = this.#options.clock.now();
    await this.#change(personId, (seat) => endWrapUp(seat, nowMs));
  }

  phone(extension: string, registered: boolean): void {
    const personId = this.#byExtension.get(extension);
    const seat = personId === undefined ? undefined : this.#seats.get(personId);
    if (seat === undefined || seat.phoneRegistered === registered) return;
    this.#put({ ...seat, phoneRegistered: registered, phoneRestUntilMs: 0 });
  }

  /** The switch's whole list of registered phones, after the link came up. */
  phones(extensions: ReadonlySet<string>): void {
    for (const seat of this.all()) this.phone(seat.extension, extensions.has(seat.extension));
  }

  /** A desk page came (`+1`) or went (`-1`). A page that is reloaded is back within the grace. */
  desk(personId: string, change: 1 | -1): void {
    const count = Math.max(0, (this.#desks.get(personId) ?? 0) + change);
    this.#desks.set(personId, count);
    const key = `desk/${personId}`;
    this.#cancelTimer(key);
    const seat = this.#seats.get(personId);
    if (seat === undefined) return;
    if (count > 0) {
      if (!seat.deskPresent) this.#put({ ...seat, deskPresent: true });
      return;
    }
    this.#timers.set(
      key,
      this.#options.clock.setTimer(this.#options.settings.deskGraceMs, () => {
        const current = this.#seats.get(personId);
        if (current !== undefined && (this.#desks.get(personId) ?? 0) === 0)
          this.#put({ ...current, deskPresent: false });
      }),
    );
  }

  /** Reserves the seat for a call; undefined when it is not to be had. */
  async reserve(personId: string, callId: string): Promise<AgentPart | undefined> {
    const { clock, ids, settings } = this.#options;
    const leg = ids.uuid();
    this.#taking.add(personId);
    try {
      // The next offer of the same call, or of the same seat, must not meet the last one's reservation.
      await Promise.all([this.#releasing.get(personId), this.#releasing.get(callId)]);
      const nowMs = clock.now();
      const got = await this.#reserveStored({ personId, callId, leg, nowMs, leaseUntilMs: nowMs + settings.leaseMs });
      const seat = this.#seats.get(personId);
      if (got === undefined || seat === undefined) {
        this.#rest(personId, refusedSeatRestMs);
        return undefined;
      }
      if (!isAvailable(seat, nowMs)) {
        // The phone or the wish went while the database answered.
        await this.#releaseStored(personId, got.fencingToken);
        return undefined;
      }
      this.#put({ ...seat, reservation: { callId, leg, fencingToken: got.fencingToken, answered: false } });
      this.#armRenewal();
      return {
        personId,
        name: seat.name,
        extension: seat.extension,
        leg,
        fencingToken: got.fencingToken,
        offeredAtMs: clock.now(),
        answeredAtMs: null,
        otherLine: null,
        place: 'dialling',
      };
    } catch (error) {
      this.#rest(personId, refusedSeatRestMs);
      throw error;
    } finally {
      this.#taking.delete(personId);
    }
  }

  /** The agent's phone was answered; his seat counts as busy. */
  answered(agent: AgentPart): void {
    const seat = this.#seats.get(agent.personId);
    if (seat?.reservation?.fencingToken !== agent.fencingToken || seat.reservation.answered) return;
    this.#put({ ...seat, reservation: { ...seat.reservation, answered: true } });
  }

  /** Takes a reservation over that an earlier control process had made. */
  adopt(agent: AgentPart, callId: string): void {
    const seat = this.#seats.get(agent.personId);
    if (seat === undefined) return;
    const { leg, fencingToken } = agent;
    this.#put({ ...seat, reservation: { callId, leg, fencingToken, answered: agent.answeredAtMs !== null } });
    this.#armRenewal();
  }

  /** Frees the seats that an earlier control process had reserved for calls that are not there any more. */
  async dropOrphans(): Promise<void> {
    const { store, log } = this.#options;
    for (const { personId, fencingToken, callId } of await store.reservations()) {
      if (this.#seats.get(personId)?.reservation?.fencingToken === fencingToken) continue;
      log.warn({ personId, callId }, 'freed a seat that an earlier control process had reserved');
      await store.release(personId, fencingToken);
    }
  }

  /** Gives the seat back. A stale token (the seat was given away meanwhile) changes nothing. */
  release(agent: AgentPart, outcome: SeatOutcome): void {
    const { clock, settings, log } = this.#options;
    const seat = this.#seats.get(agent.personId);
    const released = this.#releaseStored(agent.personId, agent.fencingToken).catch((error: unknown) => {
      log.error(
        { personId: agent.personId, error: errorChain(error) },
        'seat reservation was not released in the database; it is free all the same, and released there later',
      );
      this.#unreleased.set(agent.personId, agent.fencingToken);
      this.#releaseLater();
    });
    this.#remember(released, [agent.personId, seat?.reservation?.callId ?? agent.leg]);
    if (seat?.reservation?.fencingToken !== agent.fencingToken) return;
    const next = releaseSeat(seat, outcome, clock.now(), settings);
    this.#put(next);
    if (next.status !== seat.status) this.#saver.later(next.personId);
    if (next.status === 'wrapUp') this.#armWrapUp(next.personId);
    if (outcome === 'phoneFault') this.#rest(next.personId, settings.phoneRestMs);
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#renewal?.cancel();
    this.#saver.close();
  }

  /** Leaves the seat alone for a while and then has the dispatcher look again: the bound against a loop of failures. */
  #rest(personId: string, restMs: number): void {
    const { clock } = this.#options;
    const seat = this.#seats.get(personId);
    if (seat === undefined) return;
    this.#seats.set(personId, { ...seat, phoneRestUntilMs: clock.now() + restMs });
    this.#cancelTimer(`rest/${personId}`);
    this.#timers.set(
      `rest/${personId}`,
      clock.setTimer(restMs + 1, () => this.#onAvailable()),
    );
  }

  /**
   * While the database does not answer, agents keep working: the reservation is made in memory alone. No other control
   * can give the seat away meanwhile, because leading needs the database as well.
   */
  async #reserveStored(wish: Parameters<SeatStore['reserve']>[0]): Promise<{ fencingToken: string } | undefined> {
    const { store, clock, ids, log } = this.#options;
    const asked = this.#releaseLeft(wish.personId).then(() => store.reserve(wish));
    try {
      return await withinTime(clock, 'seat reservation', storeDeadlineMs, asked);
    } catch (error) {
      log.error({ ...wish, error: errorChain(error) }, 'the database does not answer: seat reserved in memory alone');
      if (error instanceof DeadlineError) this.#giveBackLate(wish.personId, asked);
      return { fencingToken: `${localPrefix}${ids.uuid()}` };
    }
  }

  /** A reservation that came after its deadline belongs to nobody; left alone it would lock the seat for a whole lease. */
  #giveBackLate(personId: string, asked: ReturnType<SeatStore['reserve']>): void {
    const { store, log } = this.#options;
    asked
      .then((got) => (got === undefined ? undefined : store.release(personId, got.fencingToken)))
      .catch((error: unknown) =>
        log.warn(
          { personId, error: errorChain(error) },
          'a late seat reservation came to nothing or its lease will end',
        ),
      );
  }

  async #releaseStored(personId: string, fencingToken: string): Promise<void> {
    if (!isLocal(fencingToken)) await this.#options.store.release(personId, fencingToken);
  }

  /** A reservation that the database still holds would refuse the seat's next one until its lease ends. */
  async #releaseLeft(personId: string): Promise<void> {
    const fencingToken = this.#unreleased.get(personId);
    if (fencingToken === undefined) return;
    await this.#releaseStored(personId, fencingToken);
    if (this.#unreleased.get(personId) === fencingToken) this.#unreleased.delete(personId);
  }

  /** Tries again until the database has taken all of them. */
  #releaseLater(): void {
    this.#cancelTimer('release');
    const again = async (): Promise<void> => {
      for (const personId of [...this.#unreleased.keys()]) await this.#releaseLeft(personId);
    };
    this.#timers.set(
      'release',
      this.#options.clock.setTimer(storeAgainMs, () => {
        again().catch(() => this.#releaseLater());
      }),
    );
  }

  #remember(released: Promise<void>, keys: readonly string[]): void {
    for (const key of keys) this.#releasing.set(key, released);
    void released.then(() => {
      for (const key of keys) if (this.#releasing.get(key) === released) this.#releasing.delete(key);
    });
  }

  #must(personId: string): Seat {
    const seat = this.#seats.get(personId);
    if (seat === undefined) throw new Error(`No seat for person ${personId}`);
    return seat;
  }

  #put(seat: Seat): void {
    this.#seats.set(seat.personId, seat);
    this.#onChange(seat.personId);
    if (isAvailable(seat, this.#options.clock.now())) this.#onAvailable();
  }

  /**
   * Stores a change, then makes it. It is made anew on the seat as it is by then: a reservation, the phone or the page
   * may have come or gone while the database answered.
   */
  async #change(personId: string, change: (seat: Seat) => Seat): Promise<void> {
    await this.#saver.before(
      personId,
      () => change(this.#must(personId)),
      () => {
        this.#cancelTimer(`wrapUp/${personId}`);
        this.#put(change(this.#must(personId)));
      },
    );
  }

  #armWrapUp(personId: string): void {
    const key = `wrapUp/${personId}`;
    this.#cancelTimer(key);
    const seat = this.#seats.get(personId);
    const { clock } = this.#options;
    const delayMs = Math.max(0, (seat?.wrapUpEndsAtMs ?? 0) - clock.now());
    this.#timers.set(
      key,
      clock.setTimer(delayMs, () => {
        const current = this.#seats.get(personId);
        if (current?.status !== 'wrapUp') return;
        const next = endWrapUp(current, clock.now());
        this.#put(next);
        this.#saver.later(personId);
      }),
    );
  }

  /** While seats are held their leases are renewed at a third of their length. */
  #armRenewal(): void {
    if (this.#renewal !== undefined) return;
    const { clock, settings, store, log } = this.#options;
    this.#renewal = clock.setTimer(settings.leaseMs / 3, () => {
      this.#renewal = undefined;
      const held = this.all().flatMap((seat) =>
        seat.reservation === null || isLocal(seat.reservation.fencingToken)
          ? []
          : [{ personId: seat.personId, fencingToken: seat.reservation.fencingToken }],
      );
      if (held.length === 0) return;
      this.#armRenewal();
      store.renew(held, clock.now() + settings.leaseMs).catch((error: unknown) => {
        log.warn(
          { held: held.length, error: errorChain(error) },
          'seat leases were not renewed; tried again before they end',
        );
      });
    });
  }

  #cancelTimer(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }
}
