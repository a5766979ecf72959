/** Which calls a crowd has, and who helps them. */

/** Issue 3, section 3: so many calls, spread over every state. */
export const hundred = 100;

/** The states over which the calls are spread, in the order in which they are brought about. */
export const crowdStates = [
  'talking',
  'held',
  'consulting',
  'threeWay',
  'supervised',
  'wrapUp',
  'offered',
  'waiting',
  'flow',
] as const;
export type CrowdState = (typeof crowdStates)[number];

/** Those in which an agent has the call. */
export const withAgent: readonly CrowdState[] = ['talking', 'held', 'consulting', 'threeWay', 'supervised'];

export interface PlannedCall {
  readonly number: string;
  readonly state: CrowdState;
}

export interface PlannedPerson {
  readonly login: string;
  readonly role: 'agent' | 'supervisor';
  readonly extension: string;
}

/** So many calls, each state as often as the others, one more of the first ones where it does not come out even. */
export function planCalls(calls: number): PlannedCall[] {
  const planned = Array.from({ length: calls }, (_, index) => ({
    number: `138${String(index + 1).padStart(8, '0')}`,
    state: crowdStates[index % crowdStates.length] ?? 'flow',
  }));
  return planned.toSorted((one, other) => crowdStates.indexOf(one.state) - crowdStates.indexOf(other.state));
}

const oneOf = (role: PlannedPerson['role'], first: number, count: number): PlannedPerson[] =>
  Array.from({ length: count }, (_, index) => ({
    login: String(first + index),
    role,
    extension: String(first + index),
  }));

/** As many agents as calls that need one, and a supervisor for each call that is listened to. */
export function planPeople(calls: readonly PlannedCall[]): PlannedPerson[] {
  const agents = calls.filter(({ state }) => state !== 'waiting' && state !== 'flow').length;
  const supervisors = calls.filter(({ state }) => state === 'supervised').length;
  return [...oneOf('agent', 2001, agents), ...oneOf('supervisor', 7001, Math.max(1, supervisors))];
}
