import type { Logger } from '../kernel/log.ts';
import { createCluster } from '../switch/cluster/cluster.ts';
import type { TelephoneSwitch } from '../switch/port.ts';
import type { ProcessClock } from './clock.ts';
import type { SimulatedSwitch } from './switch.ts';

const nodeLostMs = 5_000;

/** One control's links to the switch nodes, and the port that control makes of them as src/app.ts does. */
export class SimulatedLinks {
  readonly port: TelephoneSwitch;
  readonly #links: readonly SimulatedSwitch[];

  constructor(links: readonly SimulatedSwitch[], clock: ProcessClock, log: Logger) {
    this.#links = links;
    const [first] = links;
    if (first === undefined) throw new Error('There is no switch to link to');
    const nodes = links.map((telephone, node) => ({ name: `node ${node + 1}`, telephone }));
    this.port = links.length === 1 ? first : createCluster({ nodes, nodeLostMs, clock, log });
  }

  /** Commands about some legs at least have a way. */
  get connected(): boolean {
    return this.port.connected;
  }

  /** An event was thrown away, and the heartbeats may not have given it away yet. */
  get unsure(): boolean {
    return this.#links.some((link) => link.unsure);
  }

  /** Timers that a cluster has running even when nothing happens: it looks for phones whose time is over. */
  get idleTimers(): number {
    return this.#links.length > 1 ? 1 : 0;
  }

  /**
   * Whether control knows where it stands with each node: linked, or dead and counted so.
   * @param running whether this node is there
   */
  settled(running: (node: number) => boolean): boolean {
    const states = this.port.nodes?.() ?? [{ state: this.connected ? 'up' : 'down' }];
    return states.every(({ state }, node) => (running(node) ? state === 'up' : state === 'lost'));
  }

  /** The link to one node. */
  to(node: number): SimulatedSwitch | undefined {
    return this.#links[node];
  }

  kill(): void {
    for (const link of this.#links) link.kill();
  }

  /** All connections break. */
  drop(reason: string): void {
    for (const link of this.#links) link.drop(reason);
  }

  fence(): void {
    for (const link of this.#links) link.fence();
  }
}
