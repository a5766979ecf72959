import { testDomain } from '../switch.ts';
import type { TestCall } from './call.ts';

/** A phone presses "transfer" on one of its two calls (REFER with Replaces, RFC 3891); the outcome that it is told. */
export async function putTogether(one: TestCall, other: TestCall): Promise<string> {
  const referTo = `<sip:12366@${testDomain}?Replaces=${other.replaces}>`;
  const { status } = await one.request('REFER', [['Refer-To', referTo]]);
  if (status !== 202) throw new Error(`the REFER was answered ${status}`);
  const notify = await one.parts.watch.until('the outcome of the REFER', 7000, () =>
    one.requests.find(({ method }) => method === 'NOTIFY'),
  );
  return notify.body.trim();
}
