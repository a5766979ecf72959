import type { Random } from './random.ts';

/** How often what goes wrong. Infinity: never. Times are means between two such faults. */
export interface Weather {
  readonly linkDropEveryMs: number;
  readonly linkStallEveryMs: number;
  readonly switchCrashEveryMs: number;
  readonly controlCrashEveryMs: number;
  readonly controlRestartEveryMs: number;
  /** All of its process stands still for a while. */
  readonly controlFreezeEveryMs: number;
  /** The store is there, but not for the control that leads. */
  readonly partitionEveryMs: number;
  readonly storeOutageEveryMs: number;
  /** Of all commands: how many are lost, lose their reply, or are carried out after their deadline. */
  readonly commandFaultChance: number;
  readonly lateEventChance: number;
  readonly doubledEventChance: number;
  /** Thrown away by the switch although the link holds. */
  readonly lostEventChance: number;
  readonly storeFailureChance: number;
  readonly slowStoreChance: number;
  /** The switch takes a new connection only after seconds. */
  readonly heldConnectionChance: number;
  /** A list of legs that lags behind lacks the newest ones. */
  readonly laggingSnapshotChance: number;
}

const minute = 60_000;

export const fairWeather: Weather = {
  linkDropEveryMs: Number.POSITIVE_INFINITY,
  linkStallEveryMs: Number.POSITIVE_INFINITY,
  switchCrashEveryMs: Number.POSITIVE_INFINITY,
  controlCrashEveryMs: Number.POSITIVE_INFINITY,
  controlRestartEveryMs: Number.POSITIVE_INFINITY,
  controlFreezeEveryMs: Number.POSITIVE_INFINITY,
  partitionEveryMs: Number.POSITIVE_INFINITY,
  storeOutageEveryMs: Number.POSITIVE_INFINITY,
  commandFaultChance: 0,
  lateEventChance: 0,
  doubledEventChance: 0,
  lostEventChance: 0,
  storeFailureChance: 0,
  slowStoreChance: 0,
  heldConnectionChance: 0,
  laggingSnapshotChance: 0,
};

/**
 * Each seed gets its own mix: some faults not at all, some often. Runs in which everything goes wrong a little find
 * less, because one fault hides another.
 */
export function drawWeather(random: Random): Weather {
  const sometimes = <T>(value: T, otherwise: T): T => (random.chance(0.5) ? value : otherwise);
  const every = (meanMs: number): number => sometimes(random.between(0.3, 2) * meanMs, Number.POSITIVE_INFINITY);
  return {
    linkDropEveryMs: every(5 * minute),
    linkStallEveryMs: every(6 * minute),
    switchCrashEveryMs: every(15 * minute),
    controlCrashEveryMs: every(4 * minute),
    controlRestartEveryMs: every(10 * minute),
    controlFreezeEveryMs: every(6 * minute),
    partitionEveryMs: every(12 * minute),
    storeOutageEveryMs: every(8 * minute),
    commandFaultChance: sometimes(random.pick([0.0005, 0.002, 0.01]), 0),
    lateEventChance: sometimes(random.pick([0.01, 0.05]), 0),
    doubledEventChance: sometimes(0.01, 0),
    lostEventChance: random.chance(0.3) ? random.pick([0.002, 0.01]) : 0,
    storeFailureChance: sometimes(random.pick([0.001, 0.01]), 0),
    slowStoreChance: sometimes(0.02, 0),
    heldConnectionChance: sometimes(0.1, 0),
    laggingSnapshotChance: sometimes(0.3, 0),
  };
}
