import { testDomain } from '../switch.ts';
import type { TestCall } from './call.ts';

/** A phone sends whom it talks to on this call to a number (REFER, RFC 3515); the outcome that it is told. */
export async function transferTo(call: TestCall, number: string): Promise<string> {
  return refer(call, `<sip:${number}@${testDomain}>`);
}

/** A phone presses "transfer" on one of its two calls (REFER with Replaces, RFC 3891); the outcome that it is told. */
export async function putTogether(one: TestCall, other: TestCall): Promise<string> {
  return refer(one, `<sip:12366@${testDomain}?Replaces=${other.replaces}>`);
}

async function refer(call: TestCall, referTo: string): Promise<string> {
  const before = call.requests.length;
  const { status } = await call.request('REFER', [['Refer-To', referTo]]);
  if (status !== 202) throw new Error(`the REFER was answered ${status}`);
  const notify = await call.parts.watch.until('the outcome of the REFER', 7000, () =>
    call.requests.slice(before).find(({ method }) => method === 'NOTIFY'),
  );
  return notify.body.trim();
}
