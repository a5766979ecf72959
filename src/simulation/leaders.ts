import type { VirtualClock } from './clock.ts';
import type { SimulatedControl } from './control.ts';
import type { Random } from './random.ts';
import type { SimulatedStore } from './store.ts';
import type { Trace } from './trace.ts';

/** As in src/services/leadership.ts. */
const leaseMs = 2_500;
const renewEveryMs = 700;
/** A link whose keep-alive got no answer for so long is given up. */
const keepAliveMs = 4_500;

export interface LeadersOptions {
  readonly clock: VirtualClock;
  readonly trace: Trace;
  readonly random: Random;
  readonly store: SimulatedStore;
  /** Another machine waits to take over. */
  readonly standby: boolean;
  readonly make: (host: string) => SimulatedControl;
  /** A control is up, or one that had taken desks is gone: pages look for the one that leads. */
  readonly onChange: () => void;
  /** Something went wrong or was mended. */
  readonly onFault: () => void;
}

/** Now and then for longer than those who wait are put off. */
function frozenMs(random: Random): number {
  const how = random.weighted({ short: 50, long: 42, veryLong: 8 });
  if (how === 'short') return random.between(200, 3_000);
  return how === 'long' ? random.between(3_000, 15_000) : random.between(15_000, 60_000);
}

/** The processes of control on one machine or two: how they die, stand still, are cut off and follow each other. */
export class Leaders {
  readonly #options: LeadersOptions;
  #leader: SimulatedControl | undefined;
  #host = 'first';
  #restarting = false;

  constructor(options: LeadersOptions) {
    this.#options = options;
  }

  /** The control that leads; another one may still believe that it does. */
  get leader(): SimulatedControl | undefined {
    return this.#leader;
  }

  boot(): void {
    const { trace, make, onChange } = this.#options;
    const control = make(this.#host);
    this.#leader = control;
    trace.note([], `control starts on the ${this.#host} machine`);
    control.start().then(onChange, (error: unknown) => {
      trace.note([], `control could not start: ${String(error)}`);
      control.kill();
      this.#bootAfter(1_000);
    });
  }

  crash(): void {
    if (!this.#leader?.alive || this.#restarting) return;
    const { trace, random, standby } = this.#options;
    trace.note([], 'control is killed');
    this.#leader.kill();
    if (standby && random.chance(0.5)) this.#otherHost();
    const back = random.weighted({ soon: 78, later: 16, late: 4, never: 2 });
    if (back === 'never') trace.note([], 'nobody starts it again');
    else if (back === 'soon') this.#bootAfter(random.between(50, 5_000));
    else if (back === 'later') this.#bootAfter(random.between(5_000, 60_000));
    else this.#bootAfter(random.between(60_000, 240_000));
  }

  /** Somebody looks, in the evening at the latest: one that nobody has started again is started. */
  startAgain(): void {
    if (!this.#leader?.alive) this.#bootAfter(0);
  }

  async restart(): Promise<void> {
    const control = this.#inOrder();
    if (control === undefined) return;
    const { trace, random } = this.#options;
    this.#restarting = true;
    trace.note([], 'control is restarted in order');
    await control.close();
    this.#restarting = false;
    this.#bootAfter(random.between(100, 5_000));
  }

  /** SIGSTOP and SIGCONT, or a machine that stood still. */
  freeze(): void {
    const control = this.#inOrder();
    if (control === undefined) return;
    const { clock, trace, random, store, onFault } = this.#options;
    const forMs = frozenMs(random);
    trace.note([], `control is frozen for ${Math.floor(forMs)} ms`);
    control.clock.freeze();
    this.#takeOverFrom(control, () => control.clock.frozen);
    clock.setTimer(forMs, () => {
      if (!control.alive) return;
      trace.note([], 'control wakes');
      control.clock.thaw();
      if (store.isFenced(control)) this.#endFenced(control);
      else if (forMs > keepAliveMs) control.telephone.drop('the keep-alive was not answered in time');
      onFault();
    });
  }

  /** The store is there, but not for the control that leads. */
  cutOff(): void {
    const control = this.#inOrder();
    if (control === undefined) return;
    const { clock, trace, random, store, onFault } = this.#options;
    const forMs = random.between(500, 15_000);
    trace.note([], `control does not reach the store for ${Math.floor(forMs)} ms`);
    store.cutOff.add(control);
    this.#takeOverFrom(control, () => store.cutOff.has(control));
    clock.setTimer(forMs, () => {
      if (!control.alive || !store.cutOff.delete(control)) return;
      trace.note([], 'control reaches the store again');
      if (store.isFenced(control)) this.#endFenced(control);
      onFault();
    });
  }

  /** The leader, unless something is being done to it already. */
  #inOrder(): SimulatedControl | undefined {
    const control = this.#leader;
    const { store } = this.#options;
    if (!control?.alive || control.clock.frozen || store.cutOff.has(control) || this.#restarting) return undefined;
    return control;
  }

  /** What the standby does when the leader’s lease has ended, if the leader is still in that trouble. */
  #takeOverFrom(leader: SimulatedControl, inTrouble: () => boolean): void {
    const { clock, trace, random, store, standby } = this.#options;
    if (!standby) return;
    clock.setTimer(leaseMs + random.between(0, renewEveryMs), () => {
      if (this.#leader !== leader || !leader.alive || this.#restarting || store.down || !inTrouble()) return;
      trace.note([], 'the standby takes over');
      store.fence(leader);
      leader.telephone.fence();
      this.#otherHost();
      this.boot();
    });
  }

  /** It finds out at its next renewal and ends; until then it does what it can. */
  #endFenced(control: SimulatedControl): void {
    const { clock, trace, random, onChange } = this.#options;
    clock.setTimer(random.between(0, renewEveryMs), () => {
      if (!control.alive) return;
      trace.note([], 'the control that led before ends');
      control.kill();
      onChange();
    });
  }

  #bootAfter(delayMs: number): void {
    this.#options.clock.setTimer(delayMs, () => {
      if (!this.#leader?.alive) this.boot();
    });
  }

  #otherHost(): void {
    this.#host = this.#host === 'first' ? 'second' : 'first';
  }
}
