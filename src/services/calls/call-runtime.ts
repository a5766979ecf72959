import { admit } from '../../domain/acd/admission.ts';
import type { Call, CallEvent, Effect } from '../../domain/call/call.ts';
import { overCapacity } from '../../domain/call/callback.ts';
import type { Surroundings } from '../../domain/call/decision.ts';
import { step, type Verdict } from '../../domain/call/interpreter.ts';
import { because, legOf, placeOf, presentRoles } from '../../domain/call/moves.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { SerialQueue } from '../../kernel/serial.ts';
import type { LegSnapshot, LinkEvent, SwitchEvent } from '../../switch/port.ts';
import type { LegRecord } from '../ports.ts';
import { announce } from './announce.ts';
import { asFound, isNowhere, parkedAsShown, placeAsShown, showsItself } from './as-shown.ts';
import { type CallObserver, CallObservers } from './call-observers.ts';
import { CallTimers } from './call-timers.ts';
import { reaches, runSwitchEffect, type SwitchEffect, type SwitchEffectContext } from './effects.ts';
import { endUnseen, endUntold, mayHaveGone } from './ends-untold.ts';
import { journalDetails } from './journal-details.ts';
import { LegBook } from './leg-book.ts';
import { LegCare } from './leg-care.ts';
import { readLive } from './read-live.ts';
import type { CallRuntimeOptions } from './runtime-options.ts';
import { PositionSayer } from './say-position.ts';
import { SwitchInbox } from './switch-inbox.ts';
import { citizenCall, roleOf, translate } from './translate.ts';

/** At most this many events wait for one call; beyond it something loops, and the event is refused and logged. */
const eventLimitPerCall = 1000;

interface LiveCall {
  call: Call;
  readonly queue: SerialQueue;
  readonly timers: CallTimers;
  readonly log: Logger;
  nextPosition: number;
  readonly places: PositionSayer;
}

/**
 * Runs every live call: one serial queue per call, one step of the state table per event, its effects in order.
 * It owns the calls in memory and their timers; the switch owns the legs, the writer the records.
 */
export class CallRuntime {
  readonly #options: CallRuntimeOptions;
  readonly #calls = new Map<string, LiveCall>();
  readonly #legs = new LegBook();
  readonly #care: LegCare;
  readonly #inbox: SwitchInbox;
  readonly #observers: CallObservers;
  readonly #effectContext: SwitchEffectContext;
  /** Live calls beyond the limit, which are told so and let go. */
  readonly #turnedAway = new Set<string>();
  #refused = 0;
  /** Citizens left to the dialplan; bounded by the switch's own limit of legs. */
  readonly #untaken = new Set<string>();
  /** Citizens of live calls whom the dialplan has treated in between. */
  readonly #treated = new Set<string>();
  #afterMessage: () => void = () => undefined;
  #closing = false;
  /** Calls of an earlier control process are taken up once, at the first link. */
  #restored = false;

  constructor(options: CallRuntimeOptions) {
    this.#options = options;
    this.#observers = new CallObservers(options.log);
    this.#effectContext = {
      telephone: options.telephone,
      promptPath: options.promptPath,
      ringTimeoutMs: options.settings.ringTimeoutMs,
      consultRingTimeoutMs: options.settings.consultRingTimeoutMs,
      hotlineNumber: options.hotlineNumber,
    };
    this.#care = new LegCare({
      ...options,
      roleOf: (leg) => this.#legs.get(leg)?.role,
      onGone: (leg) => this.onLeg(endUnseen(leg, options.clock.now())),
    });
    this.#inbox = new SwitchInbox(
      { leg: (event) => this.#onLeg(event), agree: (event) => this.#agree(event) },
      options.log,
    );
    options.dispatcher.onlyWho((callId) => reaches(options.telephone, this.get(callId)?.citizenLeg ?? ''));
    options.dispatcher.onReserved((callId, agent) => {
      if (this.post(callId, { type: 'agentReserved', agent })) return;
      // The call is over: nobody else would give the seat back.
      options.seats.release(agent, 'callerGone');
    });
  }

  observe(observer: CallObserver): void {
    this.#observers.add(observer);
  }

  /** Told when a citizen of whom the dialplan may have a message has gone. */
  onMessage(tell: () => void): void {
    this.#afterMessage = tell;
  }

  get(callId: string): Call | undefined {
    return this.#calls.get(callId)?.call;
  }

  /** All live calls. */
  all(): Call[] {
    return [...this.#calls.values()].map((live) => live.call);
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Callers who got a busy tone since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes an event of the switch. Never waits; the call's own queue does the work. */
  onLeg(event: SwitchEvent): void {
    this.#inbox.leg(event);
  }

  #onLeg(event: SwitchEvent): void {
    const known = this.#legs.get(event.leg);
    if (known === undefined) {
      if (event.type === 'legParked') this.#onUnknownLeg(event);
      // Only control rings phones: the order of an earlier process, or of an offer given up, was carried out late.
      if (event.type === 'legRinging') this.#care.letGo(event.leg);
      if (event.type === 'legEnded' && this.#untaken.delete(event.leg)) this.#afterMessage();
      return;
    }
    const changed = this.#legs.note(event);
    if (changed !== undefined) this.#options.writer.leg(changed);
    if (event.type === 'legParked') this.#care.claimParked(event);
    if (event.type === 'legTreated') this.#treated.add(event.leg);
    const live = this.#calls.get(known.callId);
    if (live === undefined) {
      // A leg that outlived its call (its end was not told in time): let it go as soon as it shows itself.
      if (showsItself(event)) this.#care.letGo(event.leg);
      return;
    }
    for (const leg of mayHaveGone(live.call, event)) this.#care.makeSure(leg);
    this.#push(live, () => {
      // One that the call has let go of is still there: the hang-up came too early or not at all.
      if (showsItself(event) && roleOf(live.call, event.leg) === undefined) this.#care.letGo(event.leg);
      return translate(live.call, event, { legs: this.#legs, phoneTarget: this.#options.phoneTarget });
    });
  }

  /** A person's wish or another part's news; false when there is no such call any more. */
  post(callId: string, event: CallEvent): boolean {
    const live = this.#calls.get(callId);
    if (live === undefined) return false;
    this.#push(live, () => event);
    return true;
  }

  /**
   * Like `post`, and tells what the state table made of it. Without a link to the switch nothing could be done, and a
   * state that only waits for its time-out would part those who still talk: `linkDown`.
   */
  async ask(callId: string, event: CallEvent): Promise<Verdict | 'gone' | 'linkDown'> {
    const live = this.#calls.get(callId);
    if (live === undefined) return 'gone';
    if (!reaches(this.#options.telephone, live.call.citizenLeg)) return 'linkDown';
    return new Promise((resolve) => {
      const pushed = live.queue.push(async () => resolve(await this.#step(live, event)));
      if (!pushed) resolve('refused');
    });
  }

  /** After a restart or a broken link: calls in the store and legs on the switch are brought to agree. */
  async onLink(event: LinkEvent): Promise<void> {
    if (event.type === 'linkUp') await this.#inbox.linkUp(event);
  }

  async #agree(event: Extract<LinkEvent, { type: 'linkUp' }>): Promise<void> {
    const present = new Map(event.snapshot.legs.map((leg) => [leg.leg, leg]));
    if (!this.#restored) await this.#loadLive(present);
    // First of all: who waits has a way out that may go off at any moment, and who talks must have none.
    for (const leg of present.values()) this.#care.claimAsShown(leg, this.#legs.get(leg.leg)?.role);
    for (const leg of this.#legs.all()) {
      if (present.has(leg.leg) || event.elsewhere?.(leg.leg) === true || (await this.#care.isStillThere(leg.leg)))
        continue;
      this.#onLeg(endUntold(leg, event.snapshot.startedAtMs, event.atMs));
    }
    for (const leg of present.values()) {
      const known = this.#legs.get(leg.leg);
      if (known !== undefined) {
        this.#catchUp(known, leg, event.atMs);
        continue;
      }
      if (leg.role === 'citizen' && leg.direction === 'inbound' && leg.parked) {
        this.#onUnknownLeg(parkedAsShown(leg, event.atMs), leg.createdAtMs);
        // A process before this one may have disarmed the dialplan's way out: parked anew, it is armed anew.
        if (this.#untaken.has(leg.leg)) this.#care.bringBack(leg.leg);
      } else if (leg.role === 'agent' || leg.role === 'subcentre' || leg.role === 'supervisor') {
        this.#care.letGo(leg.leg);
      }
    }
    // Those who were passed over because their switch was out of reach.
    this.#options.dispatcher.match();
  }

  /** Tells a call what it missed of a leg while the link was down: its place is a fact, not an event to wait for. */
  #catchUp(known: LegRecord, leg: LegSnapshot, atMs: number): void {
    const call = this.#calls.get(known.callId)?.call;
    // Nobody's leg any more, or one that is on its way out: the hang-up may have been lost with the link.
    const part = call === undefined ? undefined : roleOf(call, leg.leg);
    if (call === undefined || part === undefined || call.state === 'ending') {
      this.#care.letGo(leg.leg);
      return;
    }
    if (call.state === 'answering') this.#care.claimNew(leg.leg, leg.createdAtMs);
    const place = placeOf(call, part);
    if (leg.answered && known.answeredAtMs === null) this.#onLeg({ type: 'legAnswered', leg: leg.leg, atMs });
    const missed = placeAsShown(leg, place, atMs);
    if (missed !== undefined) this.#onLeg(missed);
    else if (isNowhere(leg)) this.#takeBack(known);
  }

  /** With the dialplan's own treatment, or lost between two bridges. Nothing is played to him before he is parked. */
  #takeBack({ leg, role, callId }: LegRecord): void {
    const live = this.#calls.get(callId);
    if (role === 'citizen' && live !== undefined) {
      this.#treated.add(leg);
      this.#push(live, () => ({ type: 'citizenTreated', found: true }));
    } else this.#care.bringBack(leg);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#calls.values()].map((live) => live.queue.idle()));
    for (const live of this.#calls.values()) live.timers.cancelAll();
  }

  async #loadLive(present: ReadonlyMap<string, LegSnapshot>): Promise<void> {
    const found = await readLive(this.#options, () => this.#closing);
    this.#restored = true;
    for (const stored of found) {
      if (this.#calls.has(stored.call.id)) continue;
      const live = this.#addLive(asFound(stored.call, present.get(stored.call.citizenLeg)), stored.nextPosition);
      for (const leg of stored.legs) this.#legs.restore(leg);
      // The call's own record may have been stored a moment before its legs' records were.
      for (const role of presentRoles(stored.call)) this.#legs.addOf(stored.call, role, stored.call.stateSinceMs);
      for (const part of ['supervisor', 'otherLine'] as const)
        if (legOf(stored.call, part) !== null) this.#legs.addOf(stored.call, part, stored.call.stateSinceMs);
      if (stored.call.agent !== null) this.#options.seats.adopt(stored.call.agent, stored.call.id);
      this.#push(live, () => ({ type: 'restored' }));
    }
    await this.#options.seats.dropOrphans().catch((error: unknown) => {
      this.#options.log.error({ error: errorChain(error) }, 'orphaned seats were not freed; their leases will end');
    });
  }

  #onUnknownLeg(event: Extract<SwitchEvent, { type: 'legParked' }>, sinceMs = event.atMs): void {
    const { clock, ids, settings, writer, flow } = this.#options;
    if (event.dialledBy !== undefined) {
      this.#onPhoneCalls(event, event.dialledBy);
      return;
    }
    if (event.direction !== 'inbound' || event.role !== 'citizen') {
      this.#care.letGo(event.leg);
      return;
    }
    // One that ends takes nobody any more: the dialplan's own treatment answers, explains and records.
    if (this.#closing) {
      this.#options.log.warn({ leg: event.leg }, 'call not taken: this control ends; the dialplan treats it');
      this.#untaken.add(event.leg);
      return;
    }
    const present = { letIn: this.#calls.size - this.#turnedAway.size, turnedAway: this.#turnedAway.size };
    const admission = admit(present, settings.maxLiveCalls);
    if (admission === 'busy') {
      this.#refuse(event.leg, present);
      return;
    }
    const came = citizenCall(ids.uuid(), event, flow.id, clock.now());
    const call = admission === 'in' ? came : because(came, 'us', overCapacity);
    const live = this.#addLive(call, 0);
    const leg = this.#legs.addOf(call, 'citizen', event.atMs);
    live.log.info({ leg: event.leg, dialled: call.dialledNumber }, 'call came in');
    if (admission !== 'in')
      live.log.warn(present, 'more calls than MAX_LIVE_CALLS: this one is told that it will be called back');
    live.queue.push(async () => {
      this.#record(live, undefined, 'arrived', call);
      writer.leg(leg);
      this.#observers.tell((observer) => observer.onCall(undefined, call, undefined));
      await this.#run(live, { do: 'startTimer', timer: 'step', delayMs: settings.stepTimeoutMs });
      // One that was left to the dialplan before may be treated by now, however lately he was parked.
      this.#care.claimNew(event.leg, this.#untaken.delete(event.leg) ? 0 : sinceMs);
      if (event.answered) await this.#step(live, { type: 'citizenFound', sinceMs });
      else await this.#run(live, { do: 'answer' });
    });
  }

  /** A phone calls by itself: an agent's who talks is on a second line then, and no other has anything to dial. */
  #onPhoneCalls({ leg, dialledNumber: number }: Extract<SwitchEvent, { type: 'legParked' }>, user: string): void {
    const live = [...this.#calls.values()].find(({ call: { agent } }) => agent?.extension === user);
    if (live === undefined) this.#care.bar(leg);
    else this.#push(live, () => ({ type: 'secondLine', leg, number, target: this.#options.phoneTarget(number) }));
  }

  /** Even those who are told that they can't be served have a limit; a busy tone is quicker than a wait for the dialplan. */
  #refuse(leg: string, present: { readonly letIn: number; readonly turnedAway: number }): void {
    this.#refused += 1;
    this.#options.log.warn({ leg, ...present }, 'caller refused as busy: twice MAX_LIVE_CALLS is there');
    this.#care.refuse(leg);
  }

  #addLive(call: Call, nextPosition: number): LiveCall {
    const log = this.#options.log.child({ callId: call.id });
    const onError = (error: unknown) => log.error({ error: errorChain(error) }, 'a step of the call failed');
    const live: LiveCall = {
      call,
      queue: new SerialQueue(eventLimitPerCall, onError),
      timers: new CallTimers(this.#options.clock, (timer) => this.#push(live, () => ({ type: 'timer', timer }))),
      log,
      nextPosition,
      places: new PositionSayer(),
    };
    this.#calls.set(call.id, live);
    if (call.endReason === overCapacity) this.#turnedAway.add(call.id);
    return live;
  }

  #push(live: LiveCall, make: () => CallEvent | undefined): void {
    const pushed = live.queue.push(async () => {
      const event = make();
      if (event !== undefined) await this.#step(live, event);
    });
    if (!pushed) live.log.error({ limit: eventLimitPerCall }, 'event refused: too many wait for this call');
  }

  async #step(live: LiveCall, event: CallEvent): Promise<Verdict> {
    const before = live.call;
    const next = step(before, event, this.#around(before));
    live.call = next.call;
    if (next.verdict === 'unforeseen') {
      live.log.error({ state: before.state, event: event.type }, 'no row for this event: the state table has a hole');
    }
    if (next.verdict === 'acted' || next.call.state !== before.state) {
      this.#record(live, before, event.type, next.call, event);
      if (before.state !== next.call.state) {
        live.log.info({ from: before.state, to: next.call.state, event: event.type }, 'call moved');
      }
    }
    if (next.call !== before) this.#observers.tell((observer) => observer.onCall(before, next.call, event));
    if (next.call.agent !== null && next.call.agent.answeredAtMs !== null)
      this.#options.seats.answered(next.call.agent);
    for (const effect of next.effects) {
      if (effect.do !== 'enqueue') await this.#run(live, effect);
      // What is left of the step is for one who waits: who has no place hears no blip of music before he is told.
      else if (!this.#enqueue(live, effect.first)) break;
    }
    if (next.call.state === 'ended') this.#forget(live);
    return next.verdict;
  }

  #around(call: Call): Surroundings {
    const { clock, settings, flow, recordingPath } = this.#options;
    return { nowMs: clock.now(), settings, flow, recordingPath: recordingPath(call) };
  }

  #record(live: LiveCall, before: Call | undefined, event: string, after: Call, details?: CallEvent): void {
    const entry = {
      callId: after.id,
      position: live.nextPosition,
      atMs: this.#options.clock.now(),
      fromState: before?.state ?? 'new',
      event,
      toState: after.state,
      details: journalDetails(details),
    };
    live.nextPosition += 1;
    this.#options.writer.call(after, entry);
  }

  async #run(live: LiveCall, effect: Exclude<Effect, { do: 'enqueue' }>): Promise<void> {
    const { call } = live;
    const { seats, dispatcher } = this.#options;
    switch (effect.do) {
      case 'startTimer':
        live.timers.start(effect.timer, effect.delayMs);
        return;
      case 'cancelTimer':
        live.timers.cancel(effect.timer);
        return;
      case 'dequeue':
        dispatcher.remove(call.id);
        return;
      case 'releaseSeat':
        seats.release(effect.agent, effect.outcome);
        return;
      case 'offerGone':
        this.#observers.tell((observer) => observer.onOfferGone(call, effect.agent, effect.reason));
        return;
      case 'notice':
        this.#observers.tell((observer) => observer.onNotice(call, effect.text, effect.to));
        return;
      default:
        await this.#runOnSwitch(live, effect);
    }
  }

  /** @returns false when the queue is full, which the call is told. */
  #enqueue(live: LiveCall, first: boolean): boolean {
    const { id: callId, queuedAtMs } = live.call;
    const joinedAtMs = queuedAtMs ?? this.#options.clock.now();
    if (this.#options.dispatcher.add({ callId, joinedAtMs }, first)) return true;
    this.#push(live, () => ({ type: 'queueFull' }));
    return false;
  }

  async #runOnSwitch(live: LiveCall, effect: SwitchEffect): Promise<void> {
    const { clock, writer } = this.#options;
    announce(effect, live.call, clock.now(), {
      legs: this.#legs,
      care: this.#care,
      observers: this.#observers,
      writer,
    });
    const sayable = effect.do === 'playCitizen' ? this.#sayable(live, effect) : effect;
    if (sayable === undefined) return;
    const reply = await runSwitchEffect(sayable, live.call, this.#effectContext);
    if (reply.ok) return;
    const { kind, message: error } = reply.error;
    live.log.warn({ command: effect.do, kind, error }, 'the switch did not do it');
    if (kind === 'gone') this.#care.doubt(this.#legs.ofCall(live.call.id));
    this.#push(live, () => ({ type: 'commandFailed', command: effect.do, kind }));
  }

  #sayable(live: LiveCall, effect: Extract<SwitchEffect, { do: 'playCitizen' }>): SwitchEffect | undefined {
    const { clock, dispatcher, settings } = this.#options;
    return live.places.say(effect, dispatcher.position(live.call.id), clock.now(), settings.announceEveryMs);
  }

  #forget(live: LiveCall): void {
    live.timers.cancelAll();
    // Their ends were not told in time; whoever is left would sit in silence.
    for (const { leg } of this.#legs.ofCall(live.call.id)) this.#care.letGo(leg);
    this.#options.dispatcher.remove(live.call.id);
    this.#calls.delete(live.call.id);
    this.#turnedAway.delete(live.call.id);
    if (this.#treated.delete(live.call.citizenLeg)) this.#afterMessage();
    live.log.info({ endClass: live.call.endClass, endReason: live.call.endReason }, 'call ended');
  }
}
