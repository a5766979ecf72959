import type { LegId } from '../switch/port.ts';

/** One connection to the switch; what belongs to an earlier one is thrown away. */
export interface Link {
  state: 'connecting' | 'up' | 'broken';
  /** Events wait for the snapshot. */
  holding: boolean;
  readonly held: (() => void)[];
  /** When the last event of a leg arrives: the next one of the same leg is never earlier. */
  readonly lastOf: Map<string, number>;
  readonly pending: Set<() => void>;
  lastCommandMs: number;
  /** Of a broken one: commands that would arrive later never do. */
  cutMs: number;
  /** Legs that the snapshot or an event has told of. */
  readonly known: Set<LegId>;
  differed: boolean;
}

export const newLink = (): Link => ({
  state: 'connecting',
  holding: true,
  held: [],
  lastOf: new Map(),
  known: new Set(),
  differed: false,
  pending: new Set(),
  lastCommandMs: 0,
  cutMs: Number.POSITIVE_INFINITY,
});
