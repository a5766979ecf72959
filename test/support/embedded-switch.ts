import type { RunningSwitch } from './freeswitch.ts';
import type { SwitchPlan } from './switch.ts';

/** Starts the embedded switch as a process of its own. */
export async function startEmbeddedSwitch(_plan: SwitchPlan): Promise<RunningSwitch> {
  throw new Error('the embedded switch is not there yet');
}
