import type { VirtualClock } from './clock.ts';
import type { Random } from './random.ts';
import { SwitchCore } from './switch-core.ts';
import type { SimLeg } from './switch-legs.ts';
import type { CoreListener } from './switch-listener.ts';

/** What people at phones can do with a switch, and what can be seen of it from outside. */
export type PhoneSide = Pick<
  SwitchNodes,
  | 'legs'
  | 'leg'
  | 'register'
  | 'unregister'
  | 'citizenCalls'
  | 'phoneRings'
  | 'phoneIsHeard'
  | 'phoneAnswers'
  | 'presses'
  | 'refers'
  | 'phoneDials'
  | 'putsTogether'
  | 'end'
>;

export interface SwitchNodesOptions {
  readonly clock: VirtualClock;
  /** Of each node. */
  readonly randoms: readonly Random[];
  /** Which node the proxy takes; not asked where there is one. */
  readonly proxyRandom: Random;
  readonly listener: (node: number) => CoreListener;
}

/** The switch nodes behind a proxy that sends each call and each phone to one that is there; or the only one. */
export class SwitchNodes {
  readonly cores: readonly SwitchCore[];
  readonly #proxyRandom: Random;
  /** Where each phone is registered. */
  readonly #homes = new Map<string, SwitchCore>();

  constructor(options: SwitchNodesOptions) {
    const { clock, randoms, proxyRandom, listener } = options;
    this.cores = randoms.map((random, node) => new SwitchCore(clock, random, listener(node)));
    this.#proxyRandom = proxyRandom;
  }

  get several(): boolean {
    return this.cores.length > 1;
  }

  /** One that runs. */
  anyRunning(): SwitchCore | undefined {
    const running = this.cores.filter((core) => core.running);
    return running.length > 1 ? this.#proxyRandom.pick(running) : running[0];
  }

  /** Power cut: its phones notice it when they register anew. */
  crash(core: SwitchCore): void {
    core.crash();
    for (const [user, home] of this.#homes) if (home === core) this.#homes.delete(user);
  }

  legs(): SimLeg[] {
    return this.cores.flatMap((core) => core.legs());
  }

  leg(id: string): SimLeg | undefined {
    for (const core of this.cores) {
      const leg = core.leg(id);
      if (leg !== undefined) return leg;
    }
    return undefined;
  }

  register(user: string): void {
    const core = this.#homes.get(user) ?? this.anyRunning();
    if (core === undefined) return;
    this.#homes.set(user, core);
    core.register(user);
  }

  unregister(user: string): void {
    this.#homes.get(user)?.unregister(user);
    this.#homes.delete(user);
  }

  citizenCalls(id: string, callerNumber: string, dialledNumber: string): SimLeg | undefined {
    return this.anyRunning()?.citizenCalls(id, callerNumber, dialledNumber);
  }

  phoneRings(leg: SimLeg): void {
    this.#nodeOf(leg)?.phones.rings(leg);
  }

  phoneIsHeard(leg: SimLeg): void {
    this.#nodeOf(leg)?.phones.isHeard(leg);
  }

  phoneAnswers(leg: SimLeg): void {
    this.#nodeOf(leg)?.phones.answers(leg);
  }

  presses(leg: SimLeg, digit: string): void {
    this.#nodeOf(leg)?.presses(leg, digit);
  }

  /** Phones reach their own node. Through the proxy they can't call at all. */
  phoneDials(id: string, leg: SimLeg, number: string): SimLeg | undefined {
    return this.several ? undefined : this.#nodeOf(leg)?.phones.dial(id, leg, number);
  }

  putsTogether(leg: SimLeg, named: SimLeg): boolean {
    return this.#nodeOf(leg)?.phones.putTogether(leg, named) ?? false;
  }

  refers(leg: SimLeg, number: string): boolean {
    return this.#nodeOf(leg)?.refers(leg, number) ?? false;
  }

  end(leg: SimLeg, cause: string, endedBy: 'phone' | 'switch' | 'unknown'): void {
    this.#nodeOf(leg)?.end(leg, cause, endedBy);
  }

  /** Of a leg that has ended there is none, and nothing is left to do. */
  #nodeOf(leg: SimLeg): SwitchCore | undefined {
    return this.cores.find((core) => core.leg(leg.id) === leg);
  }
}
