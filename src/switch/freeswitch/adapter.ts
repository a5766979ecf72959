import type { Clock } from '../../kernel/clock.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import { err, ok, type Result } from '../../kernel/result.ts';
import { EslClient } from '../esl/client.ts';
import type { EslEvent } from '../esl/event.ts';
import type { CommandGate } from '../esl/gate.ts';
import type {
  LegId,
  LegRole,
  OriginateRequest,
  PhoneBans,
  PlayRequest,
  SuperviseMode,
  SwitchEvent,
  SwitchFailure,
  SwitchListener,
  SwitchReply,
  TelephoneSwitch,
} from '../port.ts';
import { type WayOutCommands, WaysOut } from '../ways-out.ts';
import { applyBans } from './bans.ts';
import { Census } from './census.ts';
import { Executions } from './executions.ts';
import { LegPlayer } from './leg-player.ts';
import { originateLine } from './originate.ts';
import { OriginateTracker } from './originate-tracker.ts';
import { readReply } from './replies.ts';
import { takeSnapshot } from './snapshot.ts';
import { playbackArgument, switchPath } from './sounds.ts';
import { eventsRead, isRegistration, legOf, playbackComplete, translateEvent } from './translate-event.ts';
import { wayOutCommands } from './way-out-commands.ts';

/** Where the switch is and what it is told. Folders are as the switch sees them. */
export interface FreeSwitchOptions {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** The SIP domain under which phones register. */
  readonly domain: string;
  /** Where relative prompt paths begin; without it only absolute ones are taken. */
  readonly promptsFolder?: string;
  /** Where relative recording paths begin. */
  readonly recordingsFolder: string;
  readonly commandDeadlineMs: number;
  /** Whoever waits is the dialplan's after so many whole seconds without control. */
  readonly wayOutAfterS: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** In [0, 1), spreads reconnects; the machine's own by default. */
  readonly random?: () => number;
  /** Asked before each connection and command; without one everything may be sent. */
  readonly gate?: CommandGate;
}

const LEG_ID = /^[A-Za-z0-9-]{1,64}$/;
const CAUSE = /^[A-Z][A-Z0-9_]{0,63}$/;
const CONFERENCE = /^[A-Za-z0-9_-]{1,80}$/;
/** How much longer than its ringing an originate's job may take. */
const JOB_MARGIN_MS = 15_000;
/** Events that may wait for the snapshot; FreeSWITCH's own queue holds as many. */
const MAX_HELD_EVENTS = 100_000;

const bad = (message: string): Promise<Result<never, SwitchFailure>> =>
  Promise.resolve(err({ kind: 'bad-argument', message }));

/** FreeSWITCH behind the house's switch port. */
class FreeSwitch implements TelephoneSwitch {
  readonly #options: FreeSwitchOptions;
  readonly #log: Logger;
  readonly #client: EslClient;
  readonly #player: LegPlayer;
  readonly #wayOut: WayOutCommands;
  readonly #waysOut: WaysOut;
  readonly #originates: OriginateTracker;
  readonly #executions: Executions;
  readonly #census = new Census();
  #listener: SwitchListener | undefined;
  /** Events that wait for the snapshot; undefined when it has been told (or there is no link). */
  #held: EslEvent[] | undefined;
  #linkTold = false;
  /** Which link we are on; a snapshot of an earlier one is thrown away. */
  #link = 0;

  constructor(options: FreeSwitchOptions) {
    this.#options = options;
    this.#log = options.log.child({ part: 'freeswitch' });
    this.#client = new EslClient({
      host: options.host,
      port: options.port,
      password: options.password,
      events: eventsRead,
      commandDeadlineMs: options.commandDeadlineMs,
      log: options.log,
      clock: options.clock,
      ids: options.ids,
      random: options.random ?? Math.random,
      ...(options.gate === undefined ? {} : { gate: options.gate }),
    });
    this.#player = new LegPlayer(
      {
        playback: (leg, playId, argument, forever) => this.#playback(leg, playId, argument, forever),
        breakAll: (leg) => this.#api(`uuid_break ${leg} all`),
      },
      options.clock,
      (leg, playId, failed, atMs) => this.#tellLeg({ type: 'playEnded', leg, playId, failed, atMs }),
    );
    this.#wayOut = wayOutCommands((line) => this.#client.api(line), options.wayOutAfterS);
    this.#waysOut = new WaysOut(this.#wayOut, options.clock, options.wayOutAfterS);
    this.#executions = new Executions(options.clock);
    this.#originates = new OriginateTracker(options.clock, (leg, cause) => this.#neverCame(leg, cause));
  }

  get connected(): boolean {
    return this.#linkTold && this.#client.connected;
  }

  start(listener: SwitchListener): void {
    this.#listener = listener;
    this.#client.start({
      onUp: () => {
        this.#link += 1;
        this.#held = [];
        void this.#bringUp(this.#link);
      },
      onDown: (reason) => this.#linkDown(reason),
      onEvent: (event) => this.#onEvent(event),
    });
  }

  close(): Promise<void> {
    this.#waysOut.forgetAll();
    return this.#client.close();
  }

  async exists(leg: LegId): Promise<Result<boolean, SwitchFailure>> {
    if (!LEG_ID.test(leg)) return bad('not a leg id');
    const reply = await this.#client.api(`uuid_exists ${leg}`);
    return reply.ok ? ok(reply.value.trim() === 'true') : reply;
  }

  answer(leg: LegId): SwitchReply {
    return this.#onLeg(leg, `uuid_answer ${leg}`);
  }

  hangup(leg: LegId, cause: string): SwitchReply {
    return CAUSE.test(cause) ? this.#onLeg(leg, `uuid_kill ${leg} ${cause}`) : bad('not a hang-up cause');
  }

  async originate(request: OriginateRequest): SwitchReply {
    if (!LEG_ID.test(request.leg) || !LEG_ID.test(request.callId)) return bad('not an id');
    const line = originateLine(request, this.#options.domain);
    if (!line.ok) return line;
    if (this.#originates.full) return err({ kind: 'refused', message: 'too many phones are ringing' });
    this.#originates.begin(request.leg);
    const job = this.#client.bgapi(line.value, request.ringTimeoutMs + JOB_MARGIN_MS);
    const accepted = await job.accepted;
    if (!accepted.ok && accepted.error.kind !== 'deadline') {
      this.#originates.forget(request.leg);
      return accepted;
    }
    void job.done.then((result) => this.#originates.jobEnded(request.leg, result));
    return accepted.ok ? ok(undefined) : accepted;
  }

  bridge(a: LegId, b: LegId): SwitchReply {
    if (!LEG_ID.test(a) || !LEG_ID.test(b)) return bad('not a leg id');
    return this.#moving([a, b], () => this.#api(`uuid_bridge ${a} ${b}`));
  }

  async answerRefer(leg: LegId, by: LegId, accepted: boolean): SwitchReply {
    if (!LEG_ID.test(leg) || !LEG_ID.test(by)) return bad('not a leg id');
    // An application waits until what plays on the leg has ended.
    const stopped = await this.#player.stop(leg);
    if (!stopped.ok) return stopped;
    const tell = (id: string) =>
      this.#execute(leg, { app: 'blind_transfer_ack', argument: String(accepted) }, { 'Event-UUID': id });
    const id = this.#options.ids.uuid();
    if (accepted) {
      // Whoever hangs the phone up next must not be quicker than the phone's own news.
      const told = this.#executions.completed(leg, id);
      const taken = await tell(id);
      return taken.ok ? told : taken;
    }
    return this.#waysOut.movingPerhaps([leg, by], () => {
      for (const one of [leg, by]) void this.#wayOut.disarm(one);
      return tell(id);
    });
  }

  /** Both in one turn. The name of the call is what a later control knows the leg by. */
  async takeLine(leg: LegId, callId: string): SwitchReply {
    if (!LEG_ID.test(leg) || !LEG_ID.test(callId)) return bad('not an id');
    const named = this.#api(`uuid_setvar ${leg} yht_call ${callId}`);
    const answered = this.#api(`uuid_answer ${leg}`);
    const first = await named;
    return first.ok ? answered : first;
  }

  attendedTransfer(leg: LegId, allowed: boolean): SwitchReply {
    return this.#onLeg(leg, `uuid_setvar ${leg} deny_refer_requests ${!allowed}`);
  }

  park(leg: LegId, both: boolean): SwitchReply {
    return this.#transfer(leg, both, 'parked');
  }

  joinConference(leg: LegId, conference: string, both: boolean): SwitchReply {
    if (!LEG_ID.test(leg) || !CONFERENCE.test(conference)) return bad('not a leg id or no conference name');
    return this.#moving([leg], () => this.#transfer(leg, both, `conf-${conference}`));
  }

  supervise(leg: LegId, agentLeg: LegId, mode: SuperviseMode): SwitchReply {
    if (!LEG_ID.test(leg) || !LEG_ID.test(agentLeg)) return bad('not a leg id');
    return this.#moving([leg], () => this.#transfer(leg, false, `${mode}-${agentLeg}`));
  }

  claim(leg: LegId, role: LegRole): SwitchReply {
    return LEG_ID.test(leg) ? this.#waysOut.claim(leg, role) : bad('not a leg id');
  }

  disarm(leg: LegId): SwitchReply {
    return LEG_ID.test(leg) ? this.#waysOut.disarm(leg) : bad('not a leg id');
  }

  play(request: PlayRequest): SwitchReply {
    if (!LEG_ID.test(request.leg) || !LEG_ID.test(request.playId)) return bad('not an id');
    const argument = playbackArgument(request.sounds, this.#options.promptsFolder);
    if (!argument.ok) return Promise.resolve(argument);
    return this.#player.play(request.leg, request.playId, argument.value, request.forever);
  }

  stopPlaying(leg: LegId): SwitchReply {
    return LEG_ID.test(leg) ? this.#player.stop(leg) : bad('not a leg id');
  }

  startRecording(leg: LegId, path: string): SwitchReply {
    return this.#record(leg, 'start', path);
  }

  stopRecording(leg: LegId, path: string): SwitchReply {
    return this.#record(leg, 'stop', path);
  }

  pauseRecording(leg: LegId, path: string): SwitchReply {
    // Masking writes silence, so that times in the recording stay those of the call.
    return this.#record(leg, 'mask', path);
  }

  resumeRecording(leg: LegId, path: string): SwitchReply {
    return this.#record(leg, 'unmask', path);
  }

  banPhones(bans: PhoneBans): SwitchReply {
    return applyBans((line) => this.#client.api(line), bans);
  }

  /** Read anew, the lists have no list for a new phone yet; without one it would be refused. */
  async readPhones(): SwitchReply {
    const read = await this.#client.api('reloadxml');
    if (!read.ok) return read;
    // What can't be read is answered `+OK` as well, with the fault in the brackets.
    if (!read.value.includes('[Success]')) return err({ kind: 'refused', message: read.value.trim().slice(0, 200) });
    return this.#api('reloadacl');
  }

  async #api(line: string): SwitchReply {
    return readReply(await this.#client.api(line));
  }

  /** All in one turn, so that they reach the switch together, in this order. */
  #moving(legs: readonly LegId[], command: () => SwitchReply): SwitchReply {
    return this.#waysOut.moving(legs, () => {
      for (const leg of legs) void this.#wayOut.disarm(leg);
      return command();
    });
  }

  #onLeg(leg: LegId, line: string): SwitchReply {
    return LEG_ID.test(leg) ? this.#api(line) : bad('not a leg id');
  }

  #transfer(leg: LegId, both: boolean, extension: string): SwitchReply {
    return this.#onLeg(leg, `uuid_transfer ${leg} ${both ? '-both ' : ''}${extension} XML yihaotong`);
  }

  #record(leg: LegId, action: 'start' | 'stop' | 'mask' | 'unmask', path: string): SwitchReply {
    const file = switchPath(path, this.#options.recordingsFolder);
    if (!file.ok) return Promise.resolve(file);
    const word = file.value.includes(' ') ? `'${file.value}'` : file.value;
    return this.#onLeg(leg, `uuid_record ${leg} ${action} ${word}`);
  }

  #playback(leg: LegId, playId: string, argument: string, forever: boolean): SwitchReply {
    return this.#execute(
      leg,
      { app: 'playback', argument },
      { 'Event-UUID': playId, ...(forever ? { loops: '-1' } : {}) },
    );
  }

  async #execute(
    leg: LegId,
    run: { readonly app: string; readonly argument: string },
    more: Readonly<Record<string, string>> = {},
  ): SwitchReply {
    const what = { 'call-command': 'execute', 'execute-app-name': run.app, 'execute-app-arg': run.argument };
    return readReply(await this.#client.sendMsg(leg, { ...what, ...more }));
  }

  /** FreeSWITCH keeps the REFER's variables on the leg; a later park of it is no REFER any more. */
  async #forgetRefer(leg: LegId): Promise<void> {
    const reply = await this.#api(`uuid_setvar ${leg} sip_refer_to`);
    if (!reply.ok) this.#log.warn({ leg, error: reply.error.message }, 'a REFER stays noted on its leg');
  }

  async #bringUp(link: number): Promise<void> {
    const { clock } = this.#options;
    const taken = await takeSnapshot(
      (line) => this.#client.api(line),
      (ms) => new Promise((resolve) => clock.setTimer(ms, resolve)),
      () => clock.now(),
    );
    if (link !== this.#link || this.#held === undefined) return;
    if (!taken.ok) {
      this.#client.drop(`no snapshot of the switch: ${taken.error.message}`);
      return;
    }
    const held = this.#held;
    this.#held = undefined;
    this.#linkTold = true;
    this.#census.begin(taken.value.snapshot.legs.map((one) => one.leg));
    this.#waysOut.looksAnew();
    this.#safely(() => this.#listener?.onLink({ type: 'linkUp', snapshot: taken.value.snapshot, atMs: clock.now() }));
    this.#player.reconcile(taken.value.playing, clock.now());
    for (const event of held) this.#handle(event);
  }

  /** Events were lost although the link holds: the switch's own list is told again, as after a broken link. */
  #lookAnew(): void {
    if (this.#held !== undefined) return;
    this.#log.warn({}, 'the switch has other legs than its events have told of; its list is taken anew');
    this.#held = [];
    void this.#bringUp(this.#link);
  }

  #linkDown(reason: string): void {
    this.#link += 1;
    this.#held = undefined;
    this.#waysOut.forgetAll();
    this.#executions.linkDown();
    if (!this.#linkTold) return;
    this.#linkTold = false;
    const atMs = this.#options.clock.now();
    this.#safely(() => this.#listener?.onLink({ type: 'linkDown', reason, atMs }));
  }

  #onEvent(event: EslEvent): void {
    if (this.#held === undefined) this.#handle(event);
    else if (this.#held.length < MAX_HELD_EVENTS) this.#held.push(event);
    else this.#client.drop('too many events came during the snapshot');
  }

  #handle(event: EslEvent): void {
    const leg = legOf(event);
    if (leg !== undefined) this.#originates.seen(leg);
    if (this.#census.note(event)) this.#lookAnew();
    if (event.name === 'CHANNEL_EXECUTE_COMPLETE') this.#executions.complete(event.get('Application-UUID') ?? '');
    const said = translateEvent(event);
    if (said === undefined) return;
    if (isRegistration(said)) {
      this.#safely(() => this.#listener?.onRegistration(said));
    } else if (said.type === 'playEnded') {
      // Only what we play ourselves is told; the player also knows a round of a repeated playback from its end.
      this.#player.complete(playbackComplete(said, event));
    } else {
      this.#onLegEvent(said);
    }
  }

  #onLegEvent(event: SwitchEvent): void {
    if (event.type === 'legParked' && event.referred !== undefined) void this.#forgetRefer(event.leg);
    switch (event.type) {
      case 'legParked':
        this.#waysOut.parked(event.leg, event.atMs);
        this.#player.moved(event.leg, event.atMs);
        break;
      case 'conferenceJoined':
      case 'supervising':
        this.#joined(event.leg, event.atMs);
        break;
      case 'legBridged':
        this.#joined(event.leg, event.atMs);
        this.#joined(event.other, event.atMs);
        break;
      case 'legTreated':
        this.#waysOut.forget(event.leg);
        this.#player.moved(event.leg, event.atMs);
        break;
      case 'legEnded':
        this.#waysOut.ended(event.leg);
        this.#executions.ended(event.leg);
        this.#player.forget(event.leg);
        if (!this.#originates.ended(event.leg)) return;
        break;
      default:
        break;
    }
    this.#tellLeg(event);
  }

  #joined(leg: LegId, atMs: number): void {
    this.#player.moved(leg, atMs);
    this.#waysOut.joined(leg, atMs);
  }

  #neverCame(leg: LegId, cause: string): void {
    this.#player.forget(leg);
    const atMs = this.#options.clock.now();
    this.#tellLeg({ type: 'legEnded', leg, atMs, cause, q850: undefined, sipStatus: undefined, endedBy: 'unknown' });
  }

  #tellLeg(event: SwitchEvent): void {
    this.#safely(() => this.#listener?.onLeg(event));
  }

  /** A listener that throws is our own fault; it must cost neither the link nor the events behind it. */
  #safely(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#log.error({ error: errorChain(error) }, 'a listener of the switch failed');
    }
  }
}

/** Makes the switch port on FreeSWITCH's Event Socket. Nothing happens before `start`. */
export function createFreeSwitch(options: FreeSwitchOptions): TelephoneSwitch {
  return new FreeSwitch(options);
}
