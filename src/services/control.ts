import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { CityProfile } from '../config/city.ts';
import type { Config } from '../config/config.ts';
import type { Prompts } from '../config/prompts.ts';
import type { DeskPush } from '../desk/protocol.ts';
import type { Call } from '../domain/call/call.ts';
import { numberFor } from '../domain/hotline/mask-number.ts';
import type { Flow } from '../domain/ivr/flow.ts';
import type { Clock } from '../kernel/clock.ts';
import { withinTime } from '../kernel/deadline.ts';
import { errorChain } from '../kernel/errors.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/log.ts';
import { addFallbackMessages } from '../store/callbacks.ts';
import { deskStore } from '../store/desk-store.ts';
import { listSipUsers } from '../store/people.ts';
import { callStore, seatStore } from '../store/ports.ts';
import type { Database } from '../store/schema.ts';
import type { LinkEvent, RegistrationEvent, SwitchListener, TelephoneSwitch } from '../switch/port.ts';
import { Dispatcher } from './acd/dispatcher.ts';
import { SeatBook } from './acd/seat-book.ts';
import { CallRuntime } from './calls/call-runtime.ts';
import { CallWriter } from './calls/call-writer.ts';
import { findFallbackMessages } from './calls/fallback-messages.ts';
import { MessageCollector } from './calls/message-collector.ts';
import { phoneTarget } from './calls/phone-target.ts';
import { RecordingAlarm } from './calls/recording-alarm.ts';
import { fileSpool } from './calls/spool.ts';
import { type ConsultTarget, DeskService } from './desk/desk-service.ts';
import type { ViewContext } from './desk/views.ts';
import { PhoneDirectory } from './phone-directory.ts';
import { PhoneGuard } from './phone-guard.ts';
import type { SwitchPhone } from './ports.ts';
import { answeredNumbers } from './switch-config.ts';

/** Fixed times of the call control that no city has asked to change. */
const times = {
  stepTimeoutMs: 4_000,
  autoResumeMs: 8_000,
  lineChangeMs: 500,
  announceEveryMs: 30_000,
  ratingTimeoutMs: 10_000,
  seatLeaseMs: 30_000,
  deskGraceMs: 15_000,
  phoneRestMs: 10_000,
  /** An offer waits no longer than this for the call's record; a database in trouble must not keep citizens waiting. */
  commitWaitMs: 1_000,
  storedWithinMs: 2_000,
};

export interface ControlOptions {
  readonly config: Config;
  readonly city: CityProfile;
  readonly prompts: Prompts;
  readonly flow: Flow;
  readonly db: Kysely<Database>;
  /** Under which this control leads. */
  readonly epoch: string;
  readonly telephone: TelephoneSwitch;
  /** Writes the phones where the switch reads them; undefined where that is somebody else's. */
  readonly writePhones: ((phones: readonly SwitchPhone[]) => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** Sends to the desks; known only when the hub stands. */
  readonly push: (personId: string, push: DeskPush) => void;
}

/** The call control: everything between the switch's events and the desks, wired together. */
export interface Control {
  readonly runtime: CallRuntime;
  readonly seats: SeatBook;
  readonly dispatcher: Dispatcher;
  readonly writer: CallWriter;
  readonly desk: DeskService;
  readonly guard: PhoneGuard;
  readonly directory: PhoneDirectory;
  readonly views: ViewContext;
  readonly recordings: RecordingAlarm;
  /** Connects to the switch; resolves at the first link-up. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function createControl(options: ControlOptions): Control {
  const { config, city, db, clock, ids, log, telephone } = options;
  const seats = new SeatBook({
    store: seatStore(db),
    clock,
    ids,
    log,
    settings: {
      wrapUpMs: config.calls.wrapUpMs,
      phoneRestMs: times.phoneRestMs,
      leaseMs: times.seatLeaseMs,
      deskGraceMs: times.deskGraceMs,
    },
  });
  const calls = callStore(db);
  const writer = new CallWriter({
    store: calls,
    clock,
    log,
    spool: fileSpool(join(config.dataFolder, 'call-records.spool'), options.epoch, log),
  });
  const dispatcher = new Dispatcher({
    seats,
    maxWaiting: config.queue.maxWaiting,
    log,
    committed: (callId) => writer.stored(callId, times.commitWaitMs),
  });
  const hotlineNumber = city.hotlines[0]?.number ?? '12345';
  const phones = new Set<string>();
  const mayReach = (number: string) => consultTarget(city, phones, number);
  const runtime = new CallRuntime({
    telephone,
    clock,
    ids,
    log,
    flow: options.flow,
    promptPath: (id) => options.prompts.path(id),
    recordingPath: (call) => recordingPath(config.recordingsFolder, call),
    hotlineNumber,
    phoneTarget: phoneTarget({ ids, consultTarget: mayReach, ownNumbers: answeredNumbers(city) }),
    seats,
    dispatcher,
    writer,
    store: calls,
    settings: {
      ringTimeoutMs: config.calls.ringTimeoutMs,
      consultRingTimeoutMs: config.calls.consultRingTimeoutMs,
      queueMaxWaitMs: config.queue.maxWaitMs,
      announceEveryMs: times.announceEveryMs,
      autoResumeMs: times.autoResumeMs,
      lineChangeMs: times.lineChangeMs,
      ratingEnabled: config.calls.rating ?? city.rating,
      ratingTimeoutMs: times.ratingTimeoutMs,
      stepTimeoutMs: times.stepTimeoutMs,
      maxLiveCalls: config.capacity.maxLiveCalls,
    },
  });
  const views = viewContext(city);
  const desk = new DeskService({
    runtime,
    seats,
    store: deskStore(db, { ids, numbering: { prefix: city.orderNumberPrefix, timeZone: city.timeZone } }),
    clock,
    ids,
    log,
    views,
    consultTarget: mayReach,
    push: options.push,
    // With the database in trouble the desks are told what is stored already.
    stored: () => withinTime(clock, 'storing calls', times.storedWithinMs, writer.flush()).catch(() => undefined),
    dayStartMs: (nowMs) => dayStartMs(nowMs, city.timeZone),
  });
  runtime.observe(desk);
  const recordings = new RecordingAlarm({
    runtime,
    clock,
    log,
    folder: config.recordingsFolder,
    freeBytes: async (folder) => {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
    tellSupervisors: (text) => desk.tellSupervisors(text),
  });
  runtime.observe(recordings);
  seats.listen(
    (personId) => desk.onSeat(personId),
    () => dispatcher.match(),
  );
  const messages = new MessageCollector({
    clock,
    log,
    find: () => findFallbackMessages(config.recordingsFolder, log),
    // What became of a call decides whether its message is owed an answer.
    stored: () => withinTime(clock, 'storing calls', times.storedWithinMs, writer.flush()),
    add: (found) => addFallbackMessages(db, found),
  });
  const guard = new PhoneGuard({
    telephone,
    clock,
    log,
    banMs: config.sip.phoneBanMs,
    isKnown: (user) => directory.has(user),
    onBan: ({ user, address, banMs }) =>
      desk.tellSupervisors(`话机 ${user} 在 ${address} 多次输错密码，已停用 ${Math.ceil(banMs / 1000)} 秒`),
  });
  const directory = new PhoneDirectory({
    list: () => listSipUsers(db),
    write: options.writePhones,
    telephone,
    learnSeats: () => seats.learn(phones),
    onChanged: (user) => guard.forgive(user),
    clock,
    log,
  });
  return {
    runtime,
    seats,
    dispatcher,
    writer,
    desk,
    guard,
    directory,
    views,
    recordings,
    async start() {
      await writer.takeSpool();
      await seats.load();
      await new Promise<void>((resolve) => {
        runtime.onMessage(() => messages.collect());
        const collect = () => messages.collect();
        telephone.start(listener({ runtime, seats, phones, guard, directory, log, up: resolve, collect }));
      });
    },
    async close() {
      await telephone.close();
      await runtime.close();
      guard.close();
      directory.close();
      seats.close();
      messages.close();
      await writer.close();
    },
  };
}

/** Recordings lie by day, so that no folder grows without end. */
function recordingPath(folder: string, call: Call): string {
  const day = new Date(call.startedAtMs).toISOString().slice(0, 10);
  return join(folder, day, `${call.id}.wav`);
}

function viewContext(city: CityProfile): ViewContext {
  const hotlines = new Map(city.hotlines.map((hotline) => [hotline.number, hotline.name]));
  const queues = new Map(city.queues.map((queue) => [queue.id, queue.name]));
  return {
    maskFor: (role, number) => numberFor(number, role, city.fullNumberRoles),
    hotlineName: (number) => hotlines.get(number) ?? number,
    queueName: (queue) => queues.get(queue) ?? queue,
  };
}

/** A phone that is registered here under the hotline's own number comes before the gateway: small sub-centres have no exchange. */
function consultTarget(city: CityProfile, phones: ReadonlySet<string>, number: string): ConsultTarget | undefined {
  const hotline = city.hotlines.find((line) => line.number === number && !line.answeredHere);
  if (hotline === undefined) return undefined;
  if (phones.has(number)) return { number, name: hotline.name, gateway: null };
  return hotline.gateway === null ? undefined : { number, name: hotline.name, gateway: hotline.gateway };
}

/** One for each time zone: making a formatter costs more than all that is formatted with it. */
const clockFaces = new Map<string, Intl.DateTimeFormat>();

function clockFace(timeZone: string): Intl.DateTimeFormat {
  const known = clockFaces.get(timeZone);
  if (known !== undefined) return known;
  const face = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  });
  clockFaces.set(timeZone, face);
  return face;
}

/** The last midnight by the city's clock, in milliseconds since the epoch. */
export function dayStartMs(nowMs: number, timeZone: string): number {
  const shown = clockFace(timeZone).formatToParts(nowMs);
  const parts: Record<string, number> = Object.fromEntries(shown.map((part) => [part.type, Number(part.value)]));
  const sinceMidnightS = (parts.hour ?? 0) * 3600 + (parts.minute ?? 0) * 60 + (parts.second ?? 0);
  return Math.floor(nowMs / 1000) * 1000 - sinceMidnightS * 1000;
}

interface ListenerParts {
  readonly runtime: CallRuntime;
  readonly seats: SeatBook;
  readonly phones: Set<string>;
  readonly guard: PhoneGuard;
  readonly directory: PhoneDirectory;
  readonly log: Logger;
  readonly up: () => void;
  readonly collect: () => void;
}

function listener({ runtime, seats, phones, guard, directory, log, up, collect }: ListenerParts): SwitchListener {
  return {
    onLeg: (event) => runtime.onLeg(event),
    onRegistration(event: RegistrationEvent) {
      if (event.type === 'passwordShown') {
        guard.note(event);
        return;
      }
      if (event.type === 'registered') phones.add(event.user);
      else phones.delete(event.user);
      seats.phone(event.user, event.type === 'registered');
    },
    onLink(event: LinkEvent) {
      if (event.type === 'linkDown')
        log.error({ reason: event.reason }, 'the link to the switch is down; calls go on, control reconnects');
      if (event.type === 'linkUp') {
        phones.clear();
        for (const registration of event.snapshot.registrations) phones.add(registration.user);
        seats.phones(phones);
        guard.linkUp();
        directory.changed();
        if (event.lost === undefined)
          log.info({ legs: event.snapshot.legs.length, phones: phones.size }, 'the link to the switch is up');
      }
      const agreed = (): void => {
        if (event.type === 'linkUp') collect();
        up();
      };
      runtime.onLink(event).then(agreed, (error: unknown) => {
        log.error({ error: errorChain(error) }, 'calls could not be brought to agree with the switch');
        agreed();
      });
    },
  };
}
