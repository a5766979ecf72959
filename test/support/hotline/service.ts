/** The question behind every bad input: is the service as it was before? */

import type { TestPhone } from '../phone/phone.ts';
import { nothingLeft } from './calls.ts';
import type { DeskClient } from './desk-client.ts';
import type { Hotline } from './hotline.ts';
import { finish, talk } from './talking.ts';

let calls = 0;

/** A citizen calls, the agent answers, both hear each other, and nothing is left behind. */
export async function stillServes(hotline: Hotline, agent: { desk: DeskClient; phone: TestPhone }): Promise<void> {
  calls += 1;
  const current = await talk(hotline, agent, `139${String(calls).padStart(8, '0')}`);
  await finish(current, agent.desk);
  await nothingLeft(hotline);
}
