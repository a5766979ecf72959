/** The load's process: agents' phones and desks, the sub-centre's phone, and citizens who come and go at random. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { SocketAddress } from '../../test/support/phone/transport.ts';
import type { LoadAgent } from '../dispatch/order.ts';
import { AgentPhones, CitizenPhones } from '../dispatch/phones.ts';
import { Sound } from '../dispatch/sound.ts';
import { type DeskCounts, SoakDesk } from './desk.ts';

export interface SoakOrder {
  readonly trunk: SocketAddress;
  readonly agentsSide: SocketAddress;
  readonly domain: string;
  readonly webUrl: string;
  readonly agents: readonly LoadAgent[];
  /** A phone like an agent's, without a desk. */
  readonly subcentre: LoadAgent;
  /** Calls at a time. */
  readonly calls: number;
  readonly seed: number;
}

export interface SoakCounts extends DeskCounts {
  begun: number;
  /** The citizen hung up and the switch agreed. */
  ended: number;
  /** The switch ended or refused it: a planned answer in a fault, else not to be. */
  endedByThem: number;
  vanished: number;
}

export type ToSoak = 'counts' | 'stop';

const hotline = '12345';
const shortestMs = 10_000;
const longestMs = 30_000;
const vanishEveryMs = 30_000;
const drainMs = longestMs + 10_000;
const ringMs = 200;
const registerAgainMs = 600_000;
const firstNumber = 13_700_000_000;

/** The same arrivals at the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class SoakLoad {
  readonly counts: SoakCounts = { begun: 0, ended: 0, endedByThem: 0, vanished: 0, done: 0, refused: 0, drops: 0 };
  readonly #order: SoakOrder;
  readonly #random: () => number;
  readonly #live = new Set<string>();
  readonly #closers: (() => void | Promise<void>)[] = [];
  #citizens: CitizenPhones | undefined;
  #agents: AgentPhones | undefined;
  #stopping = false;

  constructor(order: SoakOrder) {
    this.#order = order;
    this.#random = randomOf(order.seed);
  }

  async start(): Promise<void> {
    const { trunk, agentsSide, domain, agents, subcentre, webUrl } = this.#order;
    const sound = await Sound.open(true);
    this.#closers.push(() => sound.close());
    const phones = await AgentPhones.open({
      server: agentsSide,
      domain,
      ringMs,
      sound,
      hooks: { onOffer: () => undefined, onTalking: () => undefined, onEnd: () => undefined },
    });
    this.#agents = phones;
    this.#closers.push(() => phones.close());
    const register = async () => {
      for (const { user, password } of [...agents, subcentre]) await phones.register(user, password);
    };
    await register();
    const again = setInterval(() => void register(), registerAgainMs);
    this.#closers.push(() => clearInterval(again));
    this.#citizens = await CitizenPhones.open(trunk, sound, { onEnd: (number, asked) => this.#onEnd(number, asked) });
    this.#closers.push(() => this.#citizens?.close());
    for (const { session } of agents) {
      const desk = new SoakDesk(webUrl, session ?? '', this.counts, this.#random);
      desk.open();
      this.#closers.push(() => desk.close());
    }
    const vanish = setInterval(() => this.#vanish(), vanishEveryMs);
    this.#closers.push(() => clearInterval(vanish));
    void this.#arrive();
  }

  /** No more arrivals; resolves when the calls that are there have had the time to end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (let waitedMs = 0; this.#live.size > 0 && waitedMs < drainMs; waitedMs += 200) await pause(200);
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** Poisson arrivals at the rate at which so many calls are there at a time. */
  async #arrive(): Promise<void> {
    const meanMs = (shortestMs + longestMs) / 2 / this.#order.calls;
    while (!this.#stopping) {
      await pause(-Math.log(1 - this.#random()) * meanMs);
      if (this.#live.size < this.#order.calls * 1.2 && !this.#stopping) this.#call();
    }
  }

  #call(): void {
    const number = String(firstNumber + this.counts.begun);
    this.counts.begun += 1;
    this.#live.add(number);
    this.#citizens?.call(number, hotline);
    setTimeout(() => this.#citizens?.hangup(number), shortestMs + this.#random() * (longestMs - shortestMs));
  }

  #onEnd(number: string, asked: boolean): void {
    if (!this.#live.delete(number)) return;
    if (asked) this.counts.ended += 1;
    else this.counts.endedByThem += 1;
  }

  /** The network of a citizen or of an agent is gone, in turns. The far side hangs up after its time, or the switch does. */
  #vanish(): void {
    const [number] = this.#live;
    if (number === undefined) return;
    this.counts.vanished += 1;
    if (this.counts.vanished % 2 === 0) {
      this.#agents?.vanish(number);
      return;
    }
    this.#live.delete(number);
    this.#citizens?.vanish(number);
  }
}

/** The process: gets its order, works until it is told to stop, tells its counts when it is asked. */
export async function runSoakLoad(): Promise<void> {
  process.on('disconnect', () => process.exit(1));
  // Ctrl-C in the terminal is the parent's to handle.
  process.on('SIGINT', () => undefined);
  const [order] = (await once(process, 'message')) as [SoakOrder];
  const load = new SoakLoad(order);
  await load.start();
  process.send?.(load.counts);
  process.on('message', (message: ToSoak) => {
    if (message === 'counts') process.send?.(load.counts);
    else
      void load.stop().then(() => {
        process.send?.(load.counts);
        process.disconnect();
        process.exit(0);
      });
  });
}
