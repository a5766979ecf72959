/** Citizens who are not of the crowd: they call in the middle of a fault. */
import type { PlannedCall } from './plan.ts';

let strangers = 0;

/** A number that nobody has called from yet. */
export function newCaller(): PlannedCall {
  strangers += 1;
  return { number: `139${String(strangers).padStart(8, '0')}`, state: 'flow' };
}
