/** The load generator's process: phones, desks and an Event Socket of its own, all on one clock. */
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../src/kernel/clock.ts';
import { randomIds } from '../../src/kernel/ids.ts';
import { EslClient } from '../../src/switch/esl/client.ts';
import type { EslEvent } from '../../src/switch/esl/event.ts';
import { silentLog } from '../../test/support/postgres-server.ts';
import { round } from '../support/figures.ts';
import { Desk } from './desks.ts';
import type { CallMarks, FromLoad, LoadOrder, LoadResult } from './order.ts';
import { AgentPhones, CitizenPhones } from './phones.ts';
import { Sound } from './sound.ts';

const hotline = '12345';
/** All calls must be over this long after the last one began. */
const drainMs = 30_000;
const linkMs = 10_000;
/** A breath between warm-up and counted calls, in which everybody becomes free again. */
const settleMs = 3000;
const firstNumber = 13_900_000_000;

/** When an event came, and when the switch says that it was. */
interface Seen {
  readonly at: number;
  readonly stampedAt: number;
}

type Marks = { -readonly [Name in Exclude<keyof CallMarks, 'waitsAt' | 'stampedAt' | 'poppedAt'>]: CallMarks[Name] } & {
  readonly sipCallId: string;
  parked: Seen | undefined;
  answered: Seen | undefined;
  /** mod_callcenter's own word for it. */
  queued: Seen | undefined;
  /** Of the service: joins the pop to the call. */
  callId: string | undefined;
  agentEnded: boolean;
  citizenEnded: boolean;
};

const newMarks = (sipCallId: string): Marks => ({
  invitedAt: performance.now(),
  parked: undefined,
  answered: undefined,
  queued: undefined,
  offeredAt: undefined,
  bridged: false,
  ended: false,
  offers: 0,
  sipCallId,
  callId: undefined,
  agentEnded: false,
  citizenEnded: false,
});

/** One round of calls, from registering to the last hang-up. */
class Load {
  readonly #order: LoadOrder;
  readonly #byNumber = new Map<string, Marks>();
  readonly #bySipCallId = new Map<string, Marks>();
  readonly #byLeg = new Map<string, Marks>();
  readonly #pops = new Map<string, number>();
  readonly #closers: (() => void | Promise<void>)[] = [];
  #citizens: CitizenPhones | undefined;
  #called = 0;
  #over = 0;
  #allOver: () => void = () => undefined;

  constructor(order: LoadOrder) {
    this.#order = order;
  }

  /** Registers the phones, opens the desks and makes everybody ready. */
  async prepare(): Promise<void> {
    const { trunk, agentsSide, domain, agents, plan, webUrl } = this.#order;
    const sound = await Sound.open(plan.sound);
    this.#closers.push(() => sound.close());
    await this.#observe();
    const phones = await AgentPhones.open({
      server: agentsSide,
      domain,
      ringMs: plan.ringMs,
      sound,
      hooks: {
        onOffer: ({ callerNumber, callId }) => {
          const marks = this.#byNumber.get(callerNumber);
          if (marks === undefined) return;
          marks.offeredAt ??= performance.now();
          marks.offers += 1;
          marks.callId = callId;
        },
        onTalking: (number) => setTimeout(() => this.#citizens?.hangup(number), plan.talkMs),
        onEnd: (number) => this.#ended(number, 'agentEnded', true),
      },
    });
    this.#closers.push(() => phones.close());
    for (const { user, password } of agents) await phones.register(user, password);
    this.#citizens = await CitizenPhones.open(trunk, sound, {
      onEnd: (number, asked) => this.#ended(number, 'citizenEnded', asked),
    });
    this.#closers.push(() => this.#citizens?.close());
    if (webUrl === undefined) return;
    for (const { user, session } of agents) {
      const onPop = (_agent: string, callId: string, at: number) => void this.#pops.set(callId, at);
      const desk = await Desk.open(webUrl, user, session ?? '', onPop);
      this.#closers.push(() => desk.close());
    }
  }

  async run(): Promise<LoadResult> {
    const { warmUpCalls, calls } = this.#order.plan;
    const warm = await this.#callAll(warmUpCalls);
    if (warmUpCalls > 0) await pause(settleMs);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    const counted = await this.#callAll(calls);
    const { user, system } = process.cpuUsage(cpuBefore);
    delay.disable();
    const first = warm[0];
    return {
      calls: counted.map((marks) => this.#public(marks)),
      first: first === undefined ? undefined : this.#public(first),
      // The histogram holds the timer's whole period, of which 1 ms is asked for.
      generatorDelayMsP99: round(Math.max(0, delay.percentile(99) / 1e6 - 1)),
      generatorCpuPercent: round((user + system) / 10 / (performance.now() - startedAt)),
    };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** Starts calls at the plan's rate, by the clock and not by the last call, and waits for all ends. */
  async #callAll(count: number): Promise<Marks[]> {
    if (count === 0) return [];
    this.#over = 0;
    const all: Marks[] = [];
    const over = new Promise<void>((resolve) => {
      this.#allOver = () => {
        if (this.#over >= count && all.length === count) resolve();
      };
    });
    const beganAt = performance.now();
    const everyMs = 1000 / this.#order.plan.callsPerSecond;
    for (let index = 0; index < count; index += 1) {
      const waitMs = beganAt + index * everyMs - performance.now();
      if (waitMs > 0) await pause(waitMs);
      all.push(this.#call());
    }
    this.#allOver();
    const ac = new AbortController();
    await Promise.race([over, pause(drainMs, undefined, { signal: ac.signal })]);
    ac.abort();
    return all;
  }

  #call(): Marks {
    const number = String(firstNumber + this.#called);
    this.#called += 1;
    if (this.#citizens === undefined) throw new Error('not prepared');
    const marks = newMarks(this.#citizens.call(number, hotline));
    this.#byNumber.set(number, marks);
    this.#bySipCallId.set(marks.sipCallId, marks);
    return marks;
  }

  #ended(number: string, side: 'agentEnded' | 'citizenEnded', inOrder: boolean): void {
    const marks = this.#byNumber.get(number);
    if (marks === undefined) return;
    if (!inOrder) {
      this.#over += 1;
      this.#allOver();
      return;
    }
    marks[side] = true;
    if (!marks.agentEnded || !marks.citizenEnded || marks.ended) return;
    marks.ended = true;
    this.#over += 1;
    this.#allOver();
  }

  #public(marks: Marks): CallMarks {
    const { invitedAt, offeredAt, bridged, ended, offers, callId } = marks;
    // The leg is parked, answered, queued: whatever comes last begins the wait. The answer is never missing.
    const seen = [marks.parked, marks.answered, marks.queued].filter((each) => each !== undefined);
    const last = (times: readonly number[]) => (marks.answered === undefined ? undefined : Math.max(...times));
    const waitsAt = last(seen.map(({ at }) => at));
    const stampedAt = last(seen.map((each) => each.stampedAt));
    const poppedAt = callId === undefined ? undefined : this.#pops.get(callId);
    return { invitedAt, waitsAt, stampedAt, offeredAt, poppedAt, bridged, ended, offers };
  }

  /** An Event Socket of the generator's own tells when a caller waits and that two legs were bridged. */
  async #observe(): Promise<void> {
    const { esl } = this.#order;
    const client = new EslClient({
      ...esl,
      events: ['CHANNEL_ANSWER', 'CHANNEL_PARK', 'CHANNEL_BRIDGE', 'CUSTOM', 'callcenter::info'],
      commandDeadlineMs: 5000,
      log: silentLog,
      clock: systemClock,
      ids: randomIds,
      random: Math.random,
    });
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no Event Socket link')), linkMs);
      client.start({
        onUp: () => {
          clearTimeout(late);
          resolve();
        },
        onDown: (reason) => console.error(`the generator's Event Socket link broke: ${reason}`),
        onEvent: (event) => this.#onEvent(event, performance.now()),
      });
    });
    this.#closers.push(() => client.close());
  }

  #onEvent(event: EslEvent, at: number): void {
    const stampedAt = Number(event.get('Event-Date-Timestamp')) / 1000 - performance.timeOrigin;
    const seen: Seen = { at, stampedAt };
    if (event.name === 'CUSTOM') {
      if (event.get('CC-Action') !== 'member-queue-start') return;
      const marks = this.#byLeg.get(event.get('CC-Member-Session-UUID') ?? '');
      if (marks !== undefined) marks.queued ??= seen;
      return;
    }
    const leg = event.get('Unique-ID') ?? '';
    if (event.name === 'CHANNEL_BRIDGE') {
      for (const end of ['Bridge-A-Unique-ID', 'Bridge-B-Unique-ID', 'Unique-ID', 'Other-Leg-Unique-ID']) {
        const marks = this.#byLeg.get(event.get(end) ?? '');
        if (marks !== undefined) marks.bridged = true;
      }
      return;
    }
    const marks = this.#byLeg.get(leg) ?? this.#bySipCallId.get(event.get('variable_sip_call_id') ?? '');
    if (marks === undefined) return;
    this.#byLeg.set(leg, marks);
    if (event.name === 'CHANNEL_ANSWER') marks.answered ??= seen;
    else marks.parked ??= seen;
  }
}

const tell = (message: FromLoad): void => {
  process.send?.(message);
};

/** The process: gets its order, says that it is ready, runs at the word "go", and ends with its parent. */
export async function runLoadProcess(): Promise<void> {
  process.on('disconnect', () => process.exit(1));
  // Ctrl-C in the terminal is the parent's to handle.
  process.on('SIGINT', () => undefined);
  const [order] = (await once(process, 'message')) as [LoadOrder];
  const load = new Load(order);
  try {
    await load.prepare();
    const go = once(process, 'message');
    tell({ type: 'ready' });
    await go;
    tell({ type: 'done', result: await load.run() });
    await once(process, 'message');
  } catch (error) {
    tell({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  await load.close();
  process.disconnect();
  process.exit(0);
}
