import type { Flow } from '../ivr/flow.ts';
import type { Call, CallEvent, CallEventType, CallSettings, CallState, Effect, TimerName } from './call.ts';

/** What a row answers: the call as it is now, and what is to be done, in this order. */
export interface Decision {
  readonly call: Call;
  readonly effects: readonly Effect[];
}

/** What a decision may look at besides call and event. */
export interface Surroundings {
  readonly nowMs: number;
  readonly settings: CallSettings;
  readonly flow: Flow;
  /** Where the recording of this call belongs. */
  readonly recordingPath: string;
}

export type EventOf<T extends CallEventType> = Extract<CallEvent, { type: T }>;

/** One line of a state table. Rows are tried in order; the first that fits decides. */
export interface Row {
  readonly from: readonly CallState[];
  readonly on: CallEventType;
  /** Only for `timer` events. */
  readonly timer?: TimerName;
  readonly when?: (call: Call, event: CallEvent) => boolean;
  /** `ignore` marks an event that was thought of and needs nothing. */
  readonly act: ((call: Call, event: CallEvent, around: Surroundings) => Decision) | 'ignore';
  /** Why; kept beside the row because races can't be read off the code. */
  readonly why: string;
}

/** Makes a row whose action knows its event's type. */
export function row<T extends CallEventType>(
  from: readonly CallState[],
  on: T,
  why: string,
  act: ((call: Call, event: EventOf<T>, around: Surroundings) => Decision) | 'ignore',
  only: { readonly timer?: TimerName; readonly when?: (call: Call, event: EventOf<T>) => boolean } = {},
): Row {
  return {
    from,
    on,
    why,
    act: act as Row['act'],
    ...(only.timer === undefined ? {} : { timer: only.timer }),
    ...(only.when === undefined ? {} : { when: only.when as NonNullable<Row['when']> }),
  };
}

/** The transient states: each must have a row for the `step` timer, which `go` starts on entry. */
export const transientStates: readonly CallState[] = [
  'answering',
  'connecting',
  'holding',
  'consultConnecting',
  'joining',
  'transferConnecting',
  'rejoining',
  'separated',
  'closing',
  'ending',
];

/**
 * Moves the call to `to`. Entering a transient state starts its `step` timer, leaving one cancels it, so no row can
 * forget either.
 */
export function go(call: Call, to: CallState, around: Surroundings, effects: readonly Effect[] = []): Decision {
  const timers: Effect[] = [];
  if (transientStates.includes(to)) {
    timers.push({ do: 'startTimer', timer: 'step', delayMs: around.settings.stepTimeoutMs });
  } else if (transientStates.includes(call.state)) {
    timers.push({ do: 'cancelTimer', timer: 'step' });
  }
  const stateSinceMs = to === call.state ? call.stateSinceMs : around.nowMs;
  return { call: { ...call, state: to, stateSinceMs }, effects: [...timers, ...effects] };
}

/** Stays where it is. */
export function stay(call: Call, effects: readonly Effect[] = []): Decision {
  return { call, effects };
}

/** Starts prompts for the citizen; the new play id makes every earlier `playEnded` a late one. */
export function play(call: Call, prompts: readonly string[], forever = false): [Call, Effect] {
  const plays = call.plays + 1;
  const playId = `${call.id}-${plays}`;
  return [
    { ...call, plays, playId },
    { do: 'playCitizen', playId, prompts, forever },
  ];
}
