import type { Flow, FlowStep } from './flow.ts';

/** A way from one step to another, with the place in the file that names it. */
export interface FlowEdge {
  readonly from: string;
  readonly to: string;
  /** e.g. `next`, `choices.1`, `giveUp`. */
  readonly by: string;
}

/** The ways out of a step, in the order of the file; none from a queue or a hang-up. */
export function edgesFrom(name: string, step: FlowStep): FlowEdge[] {
  switch (step.kind) {
    case 'say':
      return [{ from: name, to: step.next, by: 'next' }];
    case 'menu': {
      const choices = Object.entries(step.choices).map(([key, to]) => ({ from: name, to, by: `choices.${key}` }));
      return [...choices, { from: name, to: step.giveUp, by: 'giveUp' }];
    }
    case 'queue':
    case 'hangup':
      return [];
  }
}

/** The step of this name, or undefined; never something that every object inherits. */
export function findStep(flow: Flow, name: string): FlowStep | undefined {
  return Object.hasOwn(flow.steps, name) ? flow.steps[name] : undefined;
}

/** The names of all steps that can be reached from one, itself included; missing ones are left out. */
export function reachableFrom(flow: Flow, start: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const step = findStep(flow, name);
    if (step === undefined || seen.has(name)) continue;
    seen.add(name);
    open.push(...edgesFrom(name, step).map((edge) => edge.to));
  }
  return seen;
}

/** Where a caller who presses nothing ends. */
export type SilentEnd = 'queue' | 'hangup' | 'loop' | 'missing';

/** Follows the way of a caller who presses nothing from a step on: announcements, and menus given up. */
export function silentEnd(flow: Flow, start: string): SilentEnd {
  const seen = new Set<string>();
  for (let name = start; ; ) {
    if (seen.has(name)) return 'loop';
    seen.add(name);
    const step = findStep(flow, name);
    if (step === undefined) return 'missing';
    if (step.kind === 'queue' || step.kind === 'hangup') return step.kind;
    name = step.kind === 'say' ? step.next : step.giveUp;
  }
}

/** True when the announcements from this one on lead back to it without ever asking or ending. */
export function isAnnouncementLoop(flow: Flow, start: string): boolean {
  const seen = new Set<string>();
  for (let name = start; ; ) {
    const step = findStep(flow, name);
    if (step?.kind !== 'say' || seen.has(name)) return false;
    seen.add(name);
    name = step.next;
    if (name === start) return true;
  }
}
