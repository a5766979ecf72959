import { err, ok, type Result } from '../kernel/result.ts';
import type {
  LegId,
  LegRole,
  OriginateRequest,
  PlayRequest,
  RegistrationEvent,
  SuperviseMode,
  SwitchEvent,
  SwitchFailure,
  SwitchListener,
  SwitchReply,
  TelephoneSwitch,
} from '../switch/port.ts';
import { WaysOut } from '../switch/ways-out.ts';
import type { ProcessClock, VirtualClock } from './clock.ts';
import type { Random } from './random.ts';
import type { SwitchCore } from './switch-core.ts';
import { type Link, newLink } from './switch-link.ts';
import type { Trace } from './trace.ts';
import type { Weather } from './weather.ts';
import { describe, short } from './words.ts';

export interface SimulatedSwitchOptions {
  readonly core: SwitchCore;
  readonly clock: VirtualClock;
  /** Of the control process that holds this end of the link. */
  readonly process: ProcessClock;
  readonly random: Random;
  readonly trace: Trace;
  /** The faults now. */
  readonly weather: () => Weather;
  /** A command was lost or late: what it was for can't be expected. */
  readonly onFault: () => void;
}

/** Short, so that it goes off in the time that control is away. */
const wayOutAfterS = 20;
const commandDeadlineMs = 3_000;
const jobMarginMs = 15_000;
const heartbeatEveryMs = 20_000;
/** Two heartbeats, and the time to bring both to agree. */
const unsureMs = 2 * heartbeatEveryMs + 5_000;

/** The switch port of one control process, over a link that is as bad as the weather says. */
export class SimulatedSwitch implements TelephoneSwitch {
  readonly #options: SimulatedSwitchOptions;
  #listener: SwitchListener | undefined;
  #link: Link | undefined;
  #closed = false;
  #stalledUntilMs = 0;
  #unsureUntilMs = 0;
  readonly #waysOut: WaysOut;
  /** What this process has started and heard no end of; the adapter tells the ends that it missed. */
  readonly #playing = new Map<LegId, string>();

  constructor(options: SimulatedSwitchOptions) {
    this.#options = options;
    const { core } = options;
    const commands = {
      arm: (leg: LegId, role: LegRole) =>
        this.#command(leg, 'arm the way out', () => {
          const known = core.leg(leg)?.role ?? role;
          if (known !== role) throw new Error(`The leg ${leg} is a ${known}’s, not a ${role}’s`);
          return core.armWayOut(leg, wayOutAfterS * 1000);
        }),
      disarm: (leg: LegId) => this.#command(leg, 'disarm', () => core.disarm(leg)),
    };
    this.#waysOut = new WaysOut(commands, options.process, wayOutAfterS);
  }

  get connected(): boolean {
    return this.#link?.state === 'up';
  }

  /** An event was thrown away, and the heartbeats may not have given it away yet. */
  get unsure(): boolean {
    return this.#options.clock.now() < this.#unsureUntilMs;
  }

  /** What comes in waits until its process is awake. */
  start(listener: SwitchListener): void {
    const { process } = this.#options;
    this.#listener = {
      onLeg: (event) => process.whenAwake(() => listener.onLeg(event)),
      onRegistration: (event) => process.whenAwake(() => listener.onRegistration(event)),
      onLink: (event) => process.whenAwake(() => listener.onLink(event)),
    };
    this.#connectSoon();
  }

  /** An orderly end: nothing more is told; commands in flight fail. */
  close(): Promise<void> {
    this.#closed = true;
    this.#break();
    return Promise.resolve();
  }

  /** The process died: nobody waits for anything any more. Commands that were sent still arrive. */
  kill(): void {
    this.#closed = true;
    this.#listener = undefined;
    this.#waysOut.forgetAll();
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    this.#cut(link);
    link.pending.clear();
  }

  /** The connection breaks: events and replies on their way are lost. It is made anew after a while. */
  drop(reason: string): void {
    const link = this.#link;
    if (link === undefined) return;
    const wasUp = link.state === 'up';
    this.#break();
    const { clock } = this.#options;
    if (wasUp) this.#listener?.onLink({ type: 'linkDown', reason, atMs: clock.now() });
    this.#connectSoon();
  }

  /** Another control leads: the switch ends this connection, and none may be made anew (docs/adr/0015). */
  fence(): void {
    this.#closed = true;
    this.drop('another control leads');
  }

  /** Nothing comes through for a while, in neither direction; then everything. */
  stall(forMs: number): void {
    this.#stalledUntilMs = this.#options.clock.exactMs + forMs;
  }

  /** The switch tells an event. */
  tell(event: SwitchEvent): void {
    this.#deliver(event.leg, () => {
      this.#options.trace.note([event.leg], describe(event));
      if (event.type === 'legEnded') this.#link?.known.delete(event.leg);
      else this.#link?.known.add(event.leg);
      const ended =
        event.type === 'legEnded' || (event.type === 'playEnded' && event.playId === this.#playing.get(event.leg));
      if (ended) this.#playing.delete(event.leg);
      this.#options.process.whenAwake(() => this.#noteMove(event));
      this.#listener?.onLeg(event);
    });
  }

  tellRegistration(event: RegistrationEvent): void {
    this.#deliver(`phone ${event.user}`, () => {
      this.#options.trace.note([event.user], `${event.type} ${event.user}`);
      this.#listener?.onRegistration(event);
    });
  }

  exists(leg: LegId): Promise<Result<boolean, SwitchFailure>> {
    return this.#command(leg, 'exists', () => ok(this.#options.core.leg(leg) !== undefined));
  }

  answer(leg: LegId): SwitchReply {
    return this.#command(leg, 'answer', () => this.#options.core.answer(leg));
  }

  hangup(leg: LegId, cause: string): SwitchReply {
    return this.#command(leg, `hangup ${cause}`, () => this.#options.core.hangup(leg, cause));
  }

  originate(request: OriginateRequest): SwitchReply {
    const who = request.target.kind === 'gateway' ? request.target.number : request.target.user;
    const link = this.#link;
    let made = false;
    // The adapter ends a leg of which it has neither seen anything nor heard the job's result.
    this.#options.clock.setTimer(request.ringTimeoutMs + jobMarginMs, () => {
      if (made || link === undefined || link !== this.#link) return;
      const atMs = this.#options.clock.now();
      const never = { q850: undefined, sipStatus: undefined, endedBy: 'unknown' } as const;
      this.tell({ type: 'legEnded', leg: request.leg, atMs, cause: 'RECOVERY_ON_TIMER_EXPIRE', ...never });
    });
    return this.#command(request.leg, `originate to ${who}`, () => {
      made = true;
      return this.#options.core.originate(request);
    });
  }

  takeLine(leg: LegId, callId: string): SwitchReply {
    return this.#command(leg, 'take the line', () => this.#options.core.takeLine(leg, callId));
  }

  attendedTransfer(leg: LegId, allowed: boolean): SwitchReply {
    const what = `${allowed ? 'allow' : 'forbid'} an attended transfer`;
    return this.#command(leg, what, () => this.#options.core.attendedTransfer(leg, allowed));
  }

  bridge(a: LegId, b: LegId): SwitchReply {
    return this.#moving([a, b], `bridge with ${short(b)}`, () => this.#options.core.bridge(a, b));
  }

  answerRefer(leg: LegId, by: LegId, accepted: boolean): SwitchReply {
    const { core } = this.#options;
    const tell = () =>
      this.#command(leg, `answer the REFER: ${accepted ? 'done' : 'refused'}`, () => {
        if (!accepted) for (const one of [leg, by]) core.disarm(one);
        return core.answerRefer(leg, accepted);
      });
    return accepted ? tell() : this.#waysOut.movingPerhaps([leg, by], tell);
  }

  park(leg: LegId, both: boolean): SwitchReply {
    return this.#command(leg, both ? 'park both' : 'park', () => this.#options.core.park(leg, both));
  }

  joinConference(leg: LegId, conference: string, both: boolean): SwitchReply {
    const what = both ? 'join conference, both' : 'join conference';
    return this.#moving([leg], what, () => this.#options.core.join(leg, conference, both));
  }

  supervise(leg: LegId, agentLeg: LegId, mode: SuperviseMode): SwitchReply {
    return this.#moving([leg], `${mode} at ${short(agentLeg)}`, () =>
      this.#options.core.supervise(leg, agentLeg, mode),
    );
  }

  claim(leg: LegId, role: LegRole): SwitchReply {
    return this.#waysOut.claim(leg, role);
  }

  disarm(leg: LegId): SwitchReply {
    return this.#waysOut.disarm(leg);
  }

  play(request: PlayRequest): SwitchReply {
    const sounds = request.sounds.map((sound) => (sound.kind === 'file' ? sound.path : sound.kind)).join('+');
    return this.#command(request.leg, `play ${sounds}`, () => {
      this.#playing.set(request.leg, request.playId);
      return this.#options.core.play(request);
    });
  }

  stopPlaying(leg: LegId): SwitchReply {
    return this.#command(leg, 'stop playing', () => this.#options.core.stopPlaying(leg));
  }

  startRecording(leg: LegId, path: string): SwitchReply {
    return this.#command(leg, `record ${path}`, () => this.#options.core.record(leg));
  }

  stopRecording(leg: LegId): SwitchReply {
    return this.#command(leg, 'stop recording', () => this.#options.core.record(leg));
  }

  pauseRecording(leg: LegId): SwitchReply {
    return this.#command(leg, 'pause recording', () => this.#options.core.record(leg));
  }

  /** Phones of the simulation show no passwords. */
  banPhones(): SwitchReply {
    return Promise.resolve(ok(undefined));
  }

  readPhones(): SwitchReply {
    return Promise.resolve(ok(undefined));
  }

  resumeRecording(leg: LegId): SwitchReply {
    return this.#command(leg, 'resume recording', () => this.#options.core.record(leg));
  }

  /** Disarming and moving are one command here: over one connection the second is never carried out without the first. */
  #moving(legs: readonly LegId[], what: string, act: () => Result<void, SwitchFailure>): SwitchReply {
    const { core } = this.#options;
    const [first = ''] = legs;
    return this.#waysOut.moving(legs, () =>
      this.#command(first, what, () => {
        for (const leg of legs) core.disarm(leg);
        const reply = act();
        for (const leg of reply.ok ? [] : legs.flatMap((id) => core.leg(id) ?? [])) leg.disarmedInVain = true;
        return reply;
      }),
    );
  }

  /** As the adapter does it: what an earlier process had sent may have been carried out behind the snapshot. */
  #noteMove(event: SwitchEvent): void {
    const { leg, atMs } = event;
    if (event.type === 'legParked') this.#waysOut.parked(leg, atMs);
    if (event.type === 'legTreated') this.#waysOut.forget(leg);
    if (event.type === 'legEnded') this.#waysOut.ended(leg);
    if (!['legBridged', 'conferenceJoined', 'supervising'].includes(event.type)) return;
    for (const joined of event.type === 'legBridged' ? [leg, event.other] : [leg]) this.#waysOut.joined(joined, atMs);
  }

  #break(): void {
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    this.#cut(link);
    this.#waysOut.forgetAll();
    for (const fail of [...link.pending]) fail();
  }

  /** What was on its way is lost from some command on. */
  #cut(link: Link): void {
    const { clock, random } = this.#options;
    link.state = 'broken';
    link.cutMs = clock.exactMs + random.next() * Math.max(0, link.lastCommandMs - clock.exactMs);
  }

  #connectSoon(): void {
    const { clock, random } = this.#options;
    // The switch does not listen while something holds it up in loading its Event Socket anew.
    const held = random.chance(this.#options.weather().heldConnectionChance);
    clock.setTimer(held ? random.between(1_500, 20_000) : random.between(5, 1_500), () => {
      if (this.#closed || this.#link !== undefined) return;
      if (this.#options.core.running) this.#connect();
      else this.#connectSoon();
    });
  }

  /** Events are subscribed first and held back; then the lists are read and told, then the held events. */
  #connect(): void {
    const link = newLink();
    this.#link = link;
    this.#takeSnapshot(link);
    this.#heartbeat(link);
  }

  /** As the adapter's census does it: other legs than were told of, at two heartbeats in a row. */
  #heartbeat(link: Link): void {
    const { clock, core } = this.#options;
    clock.setTimer(heartbeatEveryMs, () => {
      if (this.#link !== link || this.#closed) return;
      // Of a phone that is only dialled nothing has been told yet.
      const present = core.legs().filter((leg) => leg.place !== 'dialling' || link.known.has(leg.id));
      const differs = present.length !== link.known.size;
      const again = differs && link.differed;
      link.differed = differs && !again;
      if (again && !link.holding) {
        this.#options.trace.note([], 'the switch has other legs than were told of');
        this.#options.onFault();
        link.holding = true;
        this.#takeSnapshot(link);
      }
      this.#heartbeat(link);
    });
  }

  #takeSnapshot(link: Link): void {
    const { clock, random, core, weather } = this.#options;
    clock.setTimer(random.between(1, 60), () => {
      if (this.#link !== link) return;
      const lagMs = random.chance(weather().laggingSnapshotChance) ? random.between(0, 500) : 0;
      const snapshot = core.snapshot(lagMs);
      clock.setTimer(random.between(1, 30), () => {
        if (this.#link !== link) return;
        link.state = 'up';
        link.holding = false;
        link.known.clear();
        for (const { leg } of snapshot.legs) link.known.add(leg);
        this.#options.trace.note([], `link up, ${snapshot.legs.length} legs`);
        this.#waysOut.looksAnew();
        this.#listener?.onLink({ type: 'linkUp', snapshot, atMs: clock.now() });
        this.#tellMissedEnds();
        for (const run of link.held.splice(0)) run();
      });
    });
  }

  #tellMissedEnds(): void {
    const { clock, core } = this.#options;
    for (const [leg, playId] of [...this.#playing]) {
      if (core.leg(leg)?.playing?.playId === playId) continue;
      this.#playing.delete(leg);
      if (core.leg(leg) === undefined) continue;
      this.#options.trace.note([leg], `playEnded ${short(leg)} ${playId.slice(-4)}, missed`);
      this.#listener?.onLeg({ type: 'playEnded', leg, atMs: clock.now(), playId, failed: false });
    }
  }

  #deliver(key: string, run: () => void): void {
    const link = this.#link;
    if (link === undefined) return;
    const { clock, random, weather, trace } = this.#options;
    if (random.chance(weather().lostEventChance)) {
      trace.note([key], 'an event is thrown away');
      this.#unsureUntilMs = clock.now() + unsureMs;
      return;
    }
    const delayMs = random.chance(weather().lateEventChance) ? random.between(50, 1_500) : random.between(0, 8);
    const earliestMs = Math.max(clock.exactMs + delayMs, this.#stalledUntilMs + random.next());
    const atMs = Math.max(earliestMs, (link.lastOf.get(key) ?? 0) + 0.002);
    link.lastOf.set(key, atMs);
    const arrive = (): void => {
      if (this.#link !== link) return;
      if (link.holding) link.held.push(run);
      else run();
    };
    clock.at(atMs, arrive);
    if (random.chance(weather().doubledEventChance)) clock.at(atMs + 0.001, arrive);
  }

  #command<T>(leg: LegId, what: string, act: () => Result<T, SwitchFailure>): Promise<Result<T, SwitchFailure>> {
    const { clock, random, trace, weather } = this.#options;
    const link = this.#link;
    if (link?.state !== 'up') {
      trace.note([leg], `→ ${what} ${short(leg)}: no link`);
      return Promise.resolve(err({ kind: 'link-down', message: 'not connected' }));
    }
    trace.note([leg], `→ ${what} ${short(leg)}`);
    // The adapter plays one thing after the other on a leg, so that an old sound never cuts a newer one off. The switch
    // carries out a link's commands in order: what arms and what disarms a way out never overtake each other.
    const fault = random.chance(weather().commandFaultChance)
      ? random.weighted({ lost: 1, noReply: 1, late: keepsOrder(what) ? 0 : 1 })
      : undefined;
    if (fault !== undefined) this.#options.onFault();
    const arrivesMs = Math.max(
      clock.exactMs + random.between(0.2, 3),
      link.lastCommandMs + 0.002,
      this.#stalledUntilMs + random.next(),
    );
    link.lastCommandMs = arrivesMs;
    return new Promise((resolve) => {
      const settle = (reply: Result<T, SwitchFailure>): void => {
        if (!link.pending.delete(fail)) return;
        deadline.cancel();
        if (!reply.ok) trace.note([leg], `← ${what} ${short(leg)}: ${reply.error.kind}`);
        this.#options.process.whenAwake(() => resolve(reply));
      };
      const fail = (): void => settle(err({ kind: 'link-down', message: 'the link broke' }));
      link.pending.add(fail);
      const deadline = clock.setTimer(commandDeadlineMs, () => {
        this.#options.onFault();
        settle(err({ kind: 'deadline', message: 'no reply in time' }));
      });
      if (fault === 'lost') return;
      clock.at(arrivesMs + (fault === 'late' ? random.between(3_100, 7_000) : 0), () => {
        if (arrivesMs > link.cutMs) return;
        if (!this.#options.core.running) return;
        if (fault !== undefined) this.#options.onFault();
        const reply = act();
        if (fault === 'noReply') return;
        const backMs = Math.max(clock.exactMs + random.between(0.2, 3), this.#stalledUntilMs + random.next());
        clock.at(backMs, () => settle(reply));
      });
    });
  }
}

const keepsOrder = (what: string): boolean =>
  what.startsWith('play ') || what === 'arm the way out' || what === 'disarm';
