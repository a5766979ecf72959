import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Baresip, startBaresip } from '../../support/baresip.ts';
import { Bench, eventually } from '../../support/bench.ts';
import { sippRegisters } from '../../support/sipp/sipp.ts';

let bench: Bench;
let softphone: Baresip | undefined;
beforeAll(async () => {
  bench = await Bench.open();
});
afterEach(async () => {
  await softphone?.vanish();
  softphone = undefined;
});
afterAll(async () => {
  await bench.close();
});

const told = (what: 'register' | 'unregister', user: string, nth = 1) =>
  bench.esl.event('CUSTOM', { 'Event-Subclass': `sofia::${what}`, 'from-user': user }, { nth, withinMs: 10_000 });

/** The list follows the events with a delay. */
const isListed = async (user: string): Promise<boolean> => {
  const list = JSON.parse(await bench.esl.api('show registrations as json')) as { rows?: { reg_user: string }[] };
  return (list.rows ?? []).some((row) => row.reg_user === user);
};

const account = (user: string) => ({
  ...{ server: bench.sut.agents, domain: bench.sut.domain },
  ...{ user, password: bench.passwordOf(user) },
});

/** Issue 3, section 1 (registration), with phones that are not ours. */
describe('baresip', () => {
  it.each(['udp', 'tcp'] as const)('registers over %s, comes again, and withdraws', async (transport) => {
    const user = transport === 'udp' ? '1001' : '1002';
    softphone = await startBaresip({ ...account(user), transport, toneHz: 650, registerForS: 3 });
    const first = await told('register', user);
    expect(first.headers).toMatchObject({ 'profile-name': 'agents', expires: '3', 'network-ip': '127.0.0.1' });
    const again = await told('register', user, 2);
    expect(again.headers['call-id']).toBe(first.headers['call-id']);
    await eventually(() => isListed(user));
    await softphone.stop();
    await told('unregister', user);
    await eventually(async () => !(await isListed(user)));
  });

  it('that vanished runs out', async () => {
    softphone = await startBaresip({ ...account('1003'), transport: 'udp', toneHz: 650, registerForS: 2 });
    await told('register', '1003');
    await softphone.vanish();
    await bench.esl.event('CUSTOM', { 'Event-Subclass': 'sofia::expire', user: '1003' }, { withinMs: 15_000 });
    await eventually(async () => !(await isListed('1003')));
  });

  it('with a wrong password is not let in', async () => {
    softphone = await startBaresip({ ...account('1004'), password: 'not this', transport: 'udp', toneHz: 650 });
    await softphone.says('403 Forbidden');
    expect(await isListed('1004')).toBe(false);
  });
});

describe('SIPp', () => {
  it.each(['udp', 'tcp'] as const)('registers over %s, comes again, and withdraws', async (transport) => {
    const user = transport === 'udp' ? '1001' : '1002';
    const registered = bench.esl.eventsSoFar('CUSTOM', { 'Event-Subclass': 'sofia::register', 'from-user': user });
    const withdrawn = bench.esl.eventsSoFar('CUSTOM', { 'Event-Subclass': 'sofia::unregister', 'from-user': user });
    await sippRegisters({ ...account(user), transport, lastExpiresS: 120 });
    expect((await told('register', user, registered.length + 2)).headers.expires).toBe('120');
    await eventually(() => isListed(user));
    await sippRegisters({ ...account(user), transport, lastExpiresS: 0 });
    await told('unregister', user, withdrawn.length + 1);
    await eventually(async () => !(await isListed(user)));
  });

  it('with a wrong password is refused', async () => {
    const guess = { ...account('1003'), password: 'not this', transport: 'udp', lastExpiresS: 60 } as const;
    await expect(sippRegisters(guess)).rejects.toThrow('403');
    expect(await isListed('1003')).toBe(false);
  });
});
