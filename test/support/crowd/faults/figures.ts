import type { Gaps } from '../../phone/gaps.ts';
import { longestGapMs, noticed } from '../talks.ts';

/** How long the parts of one fault took, in milliseconds. */
export interface Figures {
  readonly [name: string]: number;
}

/**
 * Those who talk must have heard each other all the time.
 * @returns the longest gap that anybody heard.
 */
export function heardThroughout(gaps: Gaps): number {
  const faults = noticed(gaps);
  if (faults.length > 0) {
    throw new Error(`the sound broke off (this process stood still for ${gaps.stallMs} ms):\n${faults.join('\n')}`);
  }
  return longestGapMs(gaps);
}
