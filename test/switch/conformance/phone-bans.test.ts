import { describe, expect, it } from 'vitest';
import type { OwnPhoneOptions } from '../../support/bench.ts';
import { startBench } from '../../support/start-bench.ts';

const guesser = '127.0.0.2';
const elsewhere = '127.0.0.3';

const bench = startBench();

/** The final answer to a REGISTER of this user from this address. */
async function registers(user: string, localAddress: string, options: OwnPhoneOptions = {}): Promise<number> {
  const password = bench.passwordOf(user);
  const phone = await bench.phone('agents', { user, password, domain: bench.sut.domain, localAddress, ...options });
  return (await phone.tryRegister()).status ?? 0;
}

async function bans(user: string, networks: string): Promise<void> {
  await bench.ok(`global_setvar yht_banned_${user}=${networks}`);
  await bench.ok('reloadacl');
}

/** FreeSWITCH tells a phone that comes again by another word. */
const proved = /^(SUCCESS|RENEWED)$/;

const attempts = (user: string, result: string | RegExp) => ({
  ...{ 'Event-Subclass': 'sofia::register_attempt', 'auth-result': result },
  ...{ username: user, 'network-ip': guesser },
});

/** Control is told of one more attempt while `does` goes on. */
async function tells(user: string, result: string | RegExp, does: () => Promise<void>): Promise<void> {
  const nth = bench.esl.eventsSoFar('CUSTOM', attempts(user, result)).length + 1;
  await does();
  const { headers } = await bench.esl.event('CUSTOM', attempts(user, result), { nth });
  expect(headers).toMatchObject({ 'profile-name': 'agents' });
}

/** Issue 3, section 1 (registration: wrong password, limited, then banned for a time). */
describe('control is told with its address of a phone', () => {
  it.each(['udp', 'tcp'] as const)('with a wrong password, over %s', async (transport) => {
    await tells('1001', 'FORBIDDEN', async () => {
      expect(await registers('1001', guesser, { password: 'not this', transport })).toBe(403);
    });
  });

  it('that names nobody', async () => {
    await tells('9999', 'FORBIDDEN', async () => {
      expect(await registers('9999', guesser, { password: 'anything' })).toBe(403);
    });
  });

  it('that calls with a wrong password', async () => {
    const options = { password: 'not this', domain: bench.sut.domain, localAddress: guesser };
    const phone = await bench.phone('agents', { user: '1001', ...options });
    await tells('1001', 'FORBIDDEN', async () => {
      expect(await (await phone.call('13900000000')).ended()).toMatchObject({ sipStatus: 403 });
    });
  });

  it('with the right one', async () => {
    await tells('1001', proved, async () => {
      expect(await registers('1001', guesser)).toBe(200);
    });
  });
});

describe('a phone that control has banned', () => {
  it('is refused at its address, also with the right password, until control lets it in again', async () => {
    expect(await registers('1001', guesser)).toBe(200);
    await bans('1001', `${guesser}/32,192.0.2.7/32`);
    expect(await bench.esl.api('global_getvar yht_banned_1001')).toBe(`${guesser}/32,192.0.2.7/32`);
    expect(await registers('1001', guesser)).toBe(403);
    expect(await registers('1001', guesser, { transport: 'tcp' })).toBe(403);
    await bans('1001', '');
    expect(await registers('1001', guesser)).toBe(200);
    expect(await bench.esl.api('global_getvar yht_banned_1001')).toBe('-ERR no reply');
  });

  it('is heard at another address, and so is everybody else at its own', async () => {
    await bans('1002', `${guesser}/32`);
    expect(await registers('1002', elsewhere)).toBe(200);
    expect(await registers('1003', guesser)).toBe(200);
    expect(await registers('1002', guesser)).toBe(403);
    await bans('1002', '');
  });

  it('also when it is one of the most that an entry takes', async () => {
    const others = Array.from({ length: 30 }, (_, at) => `192.0.2.${at}/32`);
    await bans('1003', [...others, `${guesser}/32`].join(','));
    expect(await registers('1003', guesser)).toBe(403);
    expect(await registers('1003', elsewhere)).toBe(200);
    await bans('1003', '');
  });
});
