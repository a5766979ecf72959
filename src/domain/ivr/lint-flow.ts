import type { Flow, FlowStep } from './flow.ts';
import { edgesFrom, findStep, isAnnouncementLoop, reachableFrom, silentEnd } from './flow-graph.ts';

/** What the linter compares a flow with. */
export interface FlowSurroundings {
  /** The prompts that there are, with their lengths. */
  readonly knownPrompts: ReadonlyMap<string, { readonly durationMs: number }>;
  readonly knownQueues: ReadonlySet<string>;
  /** The longest time that one announcement may take; `defaultMaxPlayMs` when left out. */
  readonly maxPlayMs?: number;
}

/** Half a minute is more than anybody listens to; it is also well below the machine's play watchdog. */
export const defaultMaxPlayMs = 30_000;

export type FlowIssueCode =
  | 'missing-step'
  | 'unreachable-step'
  | 'missing-prompt'
  | 'unknown-queue'
  | 'no-way-to-person'
  | 'silent-caller-dropped'
  | 'endless-announcement'
  | 'play-too-long'
  | 'operator-digit-taken';

/** One fault of a flow. Every one of them keeps the flow from being used. */
export interface FlowIssue {
  readonly flow: string;
  /** The step that has the fault; undefined when it is the flow's head. */
  readonly step: string | undefined;
  readonly code: FlowIssueCode;
  readonly message: string;
}

type Report = (code: FlowIssueCode, message: string) => void;

/** Checks what the schema can't: targets, ways, prompts, queues. An empty list means that the flow may be used. */
export function lintFlow(flow: Flow, surroundings: FlowSurroundings): FlowIssue[] {
  const issues: FlowIssue[] = [];
  const reporter =
    (step: string | undefined): Report =>
    (code, message) =>
      issues.push({ flow: flow.id, step, code, message });

  lintHead(flow, surroundings, reporter(undefined));
  const reachable = reachableFrom(flow, flow.start);
  for (const [name, step] of Object.entries(flow.steps)) {
    const report = reporter(name);
    if (!reachable.has(name)) report('unreachable-step', 'no way leads from the start to this step');
    lintTargets(flow, name, step, report);
    lintWays(flow, name, step, report);
    lintPlays(step, surroundings, report);
    if (step.kind === 'queue') lintQueue(step.queue, surroundings, report);
  }
  return issues;
}

function lintHead(flow: Flow, surroundings: FlowSurroundings, report: Report): void {
  if (findStep(flow, flow.start) === undefined) report('missing-step', `start: there is no step "${flow.start}"`);
  lintQueue(flow.operatorQueue, surroundings, report);
}

function lintQueue(queue: string, surroundings: FlowSurroundings, report: Report): void {
  if (surroundings.knownQueues.has(queue)) return;
  report('unknown-queue', `there is no queue "${queue}" (known: ${[...surroundings.knownQueues].join(', ')})`);
}

function lintTargets(flow: Flow, name: string, step: FlowStep, report: Report): void {
  for (const edge of edgesFrom(name, step)) {
    if (findStep(flow, edge.to) === undefined) report('missing-step', `${edge.by}: there is no step "${edge.to}"`);
  }
}

function lintWays(flow: Flow, name: string, step: FlowStep, report: Report): void {
  if (step.kind === 'say' && isAnnouncementLoop(flow, name)) {
    report('endless-announcement', 'these announcements follow each other for ever without asking anything');
  }
  if (step.kind !== 'menu') return;
  if (flow.operatorDigit in step.choices) {
    report('operator-digit-taken', `choices.${flow.operatorDigit}: this key leads to a person everywhere`);
  }
  if (![...reachableFrom(flow, name)].some((to) => findStep(flow, to)?.kind === 'queue')) {
    report('no-way-to-person', 'no choice of this menu ever leads to a queue');
  }
  const silent = silentEnd(flow, name);
  if (silent === 'hangup') report('silent-caller-dropped', 'a caller who presses nothing here is hung up on');
  if (silent === 'loop') report('silent-caller-dropped', 'a caller who presses nothing here goes round for ever');
}

function lintPlays(step: FlowStep, surroundings: FlowSurroundings, report: Report): void {
  const maxPlayMs = surroundings.maxPlayMs ?? defaultMaxPlayMs;
  const named = new Set(playsOf(step).flat());
  for (const id of named) {
    if (!surroundings.knownPrompts.has(id)) report('missing-prompt', `there is no prompt "${id}"`);
  }
  for (const prompts of playsOf(step)) {
    const durationMs = prompts.reduce((sum, id) => sum + (surroundings.knownPrompts.get(id)?.durationMs ?? 0), 0);
    if (durationMs > maxPlayMs) {
      report('play-too-long', `${prompts.join(' + ')} takes ${durationMs} ms, more than ${maxPlayMs} ms`);
    }
  }
}

/** Everything that this step may play in one go. */
function playsOf(step: FlowStep): (readonly string[])[] {
  switch (step.kind) {
    case 'say':
    case 'hangup':
      return [step.prompts];
    case 'menu':
      return [step.prompts, [...step.noInput, ...step.prompts], [...step.wrongInput, ...step.prompts]];
    case 'queue':
      return [];
  }
}
