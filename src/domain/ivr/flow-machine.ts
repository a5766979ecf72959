import type { Flow, FlowStep, MenuStep } from './flow.ts';
import { findStep } from './flow-graph.ts';

/** What the flow asks the call to do. Timer and play names are unique within one run of a flow. */
export type FlowEffect =
  | {
      readonly type: 'play';
      readonly playId: string;
      readonly prompts: readonly string[];
      readonly interruptible: boolean;
    }
  | { readonly type: 'stopPlaying' }
  | { readonly type: 'startTimer'; readonly timer: string; readonly delayMs: number }
  | { readonly type: 'cancelTimer'; readonly timer: string }
  | { readonly type: 'enterQueue'; readonly queue: string }
  | { readonly type: 'hangup' };

/**
 * What the call tells the flow. Without a name, `playEnded` and `timeout` are taken for the play and the timer that
 * run now: only for a caller who filters the late ones himself.
 */
export type FlowEvent =
  | { readonly type: 'playEnded'; readonly playId?: string }
  | { readonly type: 'digit'; readonly digit: string }
  | { readonly type: 'timeout'; readonly timer?: string };

/** One thing that happened on the caller's way; the caller of this module adds the time. */
export interface FlowPathEntry {
  readonly step: string;
  readonly what: 'entered' | 'digit' | 'noInput' | 'wrongInput' | 'giveUp' | 'operator' | 'missingStep' | 'tooLong';
  readonly digit?: string;
}

export type FlowOutcome = { readonly type: 'queue'; readonly queue: string } | { readonly type: 'hangup' };

type Waiting =
  | { readonly for: 'playEnd'; readonly playId: string; readonly timer: string }
  | { readonly for: 'digit'; readonly timer: string };

/** Where a caller is in a flow. Plain JSON, so that it can be kept in the call's record and taken up again. */
export interface FlowState {
  readonly flowId: string;
  readonly step: string;
  /** Failed tries at the menu of this step. */
  readonly tries: number;
  /** Keys pressed before the question they answer. */
  readonly typedAhead: string;
  /** Numbers the plays and timers. */
  readonly counter: number;
  /** Null once there is an outcome. */
  readonly waiting: Waiting | null;
  readonly outcome: FlowOutcome | null;
  readonly path: readonly FlowPathEntry[];
}

export interface FlowMove {
  readonly state: FlowState;
  readonly effects: readonly FlowEffect[];
}

/** More keys than this are not remembered. */
export const maxTypedAhead = 8;
/** After so many entries on the path the caller goes to a person instead of round and round. */
export const maxPathEntries = 200;
/** A play whose end is never told counts as ended after this time; the linter keeps plays well below. */
export const playWatchdogMs = 60_000;

/** A move under way: the state as it changes, and the effects so far. */
interface Draft {
  readonly flow: Flow;
  state: FlowState;
  readonly effects: FlowEffect[];
}

/** Begins a flow for a caller who has just been answered. */
export function startFlow(flow: Flow): FlowMove {
  const state: FlowState = {
    flowId: flow.id,
    step: flow.start,
    tries: 0,
    typedAhead: '',
    counter: 0,
    waiting: null,
    outcome: null,
    path: [],
  };
  const draft: Draft = { flow, state, effects: [] };
  enter(draft, flow.start);
  return finish(draft);
}

/**
 * Takes one event. Never throws; an event that comes too late (the play or timer it tells of is not the one that
 * is waited for, or the flow has its outcome) changes nothing.
 */
export function stepFlow(flow: Flow, state: FlowState, event: FlowEvent): FlowMove {
  const { waiting } = state;
  if (waiting === null) return { state, effects: [] };
  const draft: Draft = { flow, state, effects: [] };
  switch (event.type) {
    case 'playEnded':
      // Late: a key has decided already, or this is the end of an earlier play that was stopped.
      if (waiting.for !== 'playEnd') break;
      if (event.playId !== undefined && event.playId !== waiting.playId) break;
      draft.effects.push({ type: 'cancelTimer', timer: waiting.timer });
      playIsOver(draft);
      break;
    case 'timeout':
      // Late: the timer had fired already when it was cancelled.
      if (event.timer !== undefined && event.timer !== waiting.timer) break;
      if (waiting.for === 'playEnd') {
        draft.effects.push({ type: 'stopPlaying' });
        playIsOver(draft);
      } else {
        noKeyCame(draft);
      }
      break;
    case 'digit':
      keyPressed(draft, waiting, event.digit);
      break;
  }
  return finish(draft);
}

function finish(draft: Draft): FlowMove {
  return { state: draft.state, effects: draft.effects };
}

function currentStep(draft: Draft): FlowStep | undefined {
  return findStep(draft.flow, draft.state.step);
}

function change(draft: Draft, changes: Partial<FlowState>): void {
  draft.state = { ...draft.state, ...changes };
}

function log(draft: Draft, what: FlowPathEntry['what'], digit?: string): void {
  const { path, step } = draft.state;
  change(draft, { path: [...path, digit === undefined ? { step, what } : { step, what, digit }] });
}

/** Goes to a step, and on through steps that need no waiting. The path's limit ends every chain. */
function enter(draft: Draft, name: string): void {
  for (let target: string | null = name; target !== null; ) target = arrive(draft, target);
}

/** @returns the step to go on to at once, or null when the flow waits or has ended. */
function arrive(draft: Draft, name: string): string | null {
  const { flow, state } = draft;
  if (state.path.length >= maxPathEntries) return toPerson(draft, 'tooLong');
  if (state.typedAhead.startsWith(flow.operatorDigit)) return toPerson(draft, 'operator', flow.operatorDigit);
  change(draft, { step: name, tries: 0 });
  const step = findStep(flow, name);
  if (step === undefined) return toPerson(draft, 'missingStep');
  log(draft, 'entered');
  switch (step.kind) {
    case 'say':
      // A remembered key interrupts this announcement as a key pressed during it would.
      if (step.interruptible && state.typedAhead !== '') return step.next;
      return play(draft, step.prompts, step.interruptible);
    case 'menu':
      return ask(draft, step);
    case 'queue':
      return end(draft, { type: 'queue', queue: step.queue });
    case 'hangup':
      // Whoever has asked for a person meanwhile is not hung up on.
      if (state.typedAhead.includes(flow.operatorDigit)) return toPerson(draft, 'operator', flow.operatorDigit);
      return step.prompts.length === 0 ? end(draft, { type: 'hangup' }) : play(draft, step.prompts, false);
  }
}

function play(draft: Draft, prompts: readonly string[], interruptible: boolean): null {
  const counter = draft.state.counter + 1;
  const waiting: Waiting = { for: 'playEnd', playId: `play-${counter}`, timer: `play-end-${counter}` };
  change(draft, { counter, waiting });
  draft.effects.push({ type: 'play', playId: waiting.playId, prompts, interruptible });
  draft.effects.push({ type: 'startTimer', timer: waiting.timer, delayMs: playWatchdogMs });
  return null;
}

/** The end of the flow: a queue or the end of the call. */
function end(draft: Draft, outcome: FlowOutcome): null {
  change(draft, { waiting: null, outcome, typedAhead: '' });
  draft.effects.push(outcome.type === 'queue' ? { type: 'enterQueue', queue: outcome.queue } : { type: 'hangup' });
  return null;
}

/** The way out that is always open. */
function toPerson(draft: Draft, why: 'operator' | 'missingStep' | 'tooLong', digit?: string): null {
  log(draft, why, digit);
  return end(draft, { type: 'queue', queue: draft.flow.operatorQueue });
}

/** Asks the menu's question, or answers it with a key that was pressed before. */
function ask(draft: Draft, menu: MenuStep): string | null {
  const key = draft.state.typedAhead.at(0);
  if (key === undefined) return play(draft, menu.prompts, true);
  change(draft, { typedAhead: draft.state.typedAhead.slice(1) });
  return decide(draft, menu, key);
}

/** The key that answers a menu. The operator's digit wins over a choice of the same key. */
function decide(draft: Draft, menu: MenuStep, key: string): string | null {
  if (key === draft.flow.operatorDigit) return toPerson(draft, 'operator', key);
  const target = menu.choices[key];
  if (target !== undefined) {
    log(draft, 'digit', key);
    return target;
  }
  log(draft, 'wrongInput', key);
  // What was typed behind a wrong key was meant for another menu.
  change(draft, { typedAhead: '' });
  return askAgain(draft, menu, menu.wrongInput);
}

function askAgain(draft: Draft, menu: MenuStep, introduction: readonly string[]): string | null {
  const tries = draft.state.tries + 1;
  change(draft, { tries });
  if (tries >= menu.maxTries) {
    log(draft, 'giveUp');
    return menu.giveUp;
  }
  return play(draft, [...introduction, ...menu.prompts], true);
}

/** What was playing has ended by itself, or the watchdog says so. */
function playIsOver(draft: Draft): void {
  const step = currentStep(draft);
  switch (step?.kind) {
    case 'say':
      enter(draft, step.next);
      return;
    case 'menu': {
      const counter = draft.state.counter + 1;
      const timer = `input-${counter}`;
      change(draft, { counter, waiting: { for: 'digit', timer } });
      draft.effects.push({ type: 'startTimer', timer, delayMs: step.timeoutMs });
      return;
    }
    case 'hangup':
      end(draft, { type: 'hangup' });
      return;
    default:
      // The flow's file was changed while the caller was in this step.
      toPerson(draft, 'missingStep');
  }
}

function noKeyCame(draft: Draft): void {
  const step = currentStep(draft);
  if (step?.kind !== 'menu') {
    toPerson(draft, 'missingStep');
    return;
  }
  log(draft, 'noInput');
  goOn(draft, askAgain(draft, step, step.noInput));
}

function goOn(draft: Draft, target: string | null): void {
  if (target !== null) enter(draft, target);
}

function keyPressed(draft: Draft, waiting: Waiting, key: string): void {
  if (!isUsefulKey(draft.flow, key)) return;
  const step = currentStep(draft);
  switch (step?.kind) {
    case 'say':
      if (!step.interruptible) {
        change(draft, { typedAhead: `${draft.state.typedAhead}${key}`.slice(0, maxTypedAhead) });
        return;
      }
      interrupt(draft, waiting);
      change(draft, { typedAhead: key });
      enter(draft, step.next);
      return;
    case 'menu':
      interrupt(draft, waiting);
      goOn(draft, decide(draft, step, key));
      return;
    case 'hangup':
      // Only the wish for a person stops a goodbye.
      if (key !== draft.flow.operatorDigit) return;
      interrupt(draft, waiting);
      toPerson(draft, 'operator', key);
      return;
    default:
      interrupt(draft, waiting);
      toPerson(draft, 'missingStep');
  }
}

function interrupt(draft: Draft, waiting: Waiting): void {
  draft.effects.push({ type: 'cancelTimer', timer: waiting.timer });
  if (waiting.for === 'playEnd') draft.effects.push({ type: 'stopPlaying' });
}

/** Many callers end every entry with #: where no menu offers that key, it is no answer and no mistake. */
function isUsefulKey(flow: Flow, key: string): boolean {
  if (!/^[0-9*#]$/.test(key)) return false;
  if (key !== '#' || flow.operatorDigit === '#') return true;
  return Object.values(flow.steps).some((step) => step.kind === 'menu' && '#' in step.choices);
}
