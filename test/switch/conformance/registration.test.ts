import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually, originateCommand } from '../../support/bench.ts';
import { header } from '../../support/phone/sip-message.ts';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

const custom = (subclass: string, user: string) => ({ 'Event-Subclass': subclass, 'from-user': user });

/** Rings the user; the answer of the originate alone. */
const ring = (user: string): Promise<string> =>
  bench.esl.bgapi(
    originateCommand(randomUUID(), `sofia/agents/${user}%${bench.sut.domain}`, { originate_timeout: '1' }),
  );

describe('a softphone registers', () => {
  it.each(['udp', 'tcp'] as const)('over %s, is told to control, and is listed', async (transport) => {
    const user = transport === 'udp' ? '1001' : '1002';
    const phone = await bench.agent(user, { transport });
    const event = await bench.esl.event('CUSTOM', custom('sofia::register', user));
    expect(event.headers).toMatchObject({ 'profile-name': 'agents', expires: '300', 'network-ip': '127.0.0.1' });
    expect(event.headers.contact).toContain(`sip:${user}@127.0.0.1:${phone.local.port}`);
    expect(event.headers['network-port']).toMatch(/^\d+$/);
    const row = await listed(user);
    expect(row).toMatchObject({ reg_user: user, realm: bench.sut.domain, network_ip: '127.0.0.1' });
    expect(row?.url).toContain(`sip:${user}@127.0.0.1:${phone.local.port}`);
  });

  it('and unregisters: control is told, and nobody can ring it', async () => {
    const phone = await bench.agent('1003');
    await phone.unregister();
    await bench.esl.event('CUSTOM', custom('sofia::unregister', '1003'));
    expect(await ring('1003')).toBe('-ERR USER_NOT_REGISTERED');
  });

  it('and does not come back in time: control is told that it ran out', async () => {
    await bench.agent('1004').then((phone) => phone.register({ expiresS: 1 }));
    const event = await bench.esl.event(
      'CUSTOM',
      { 'Event-Subclass': 'sofia::expire', user: '1004' },
      { withinMs: 20_000 },
    );
    expect(event.headers).toMatchObject({ 'profile-name': 'agents' });
    await eventually(async () => (await ring('1004')) === '-ERR USER_NOT_REGISTERED');
  });

  it('again from another place: the newer one is rung, alone', async () => {
    const old = await bench.agent('1001');
    const fresh = await bench.agent('1001');
    const callee = await bench.ringsAgent(fresh, '1001');
    callee.call.reject(486);
    expect(await callee.originated).toBe('-ERR USER_BUSY');
    await expect(old.nextInvite({ withinMs: 100 })).rejects.toThrow('in vain');
  });

  it('with the address of the switch instead of the domain', async () => {
    const { host, port } = bench.sut.agents;
    await bench.agent('1002', { domain: `${host}:${port}` });
    expect(await ring('1002')).toBe('-ERR NO_ANSWER');
  });
});

describe('a softphone is not let in', () => {
  it('without a digest: 401 with a challenge for the domain', async () => {
    const phone = await bench.phone('agents', { user: '1001', domain: bench.sut.domain });
    const answer = await phone.tryRegister();
    expect(answer.status).toBe(401);
    expect(header(answer, 'WWW-Authenticate')).toContain(`realm="${bench.sut.domain}"`);
  });

  it('with a wrong password: 403, and the right one is still taken', async () => {
    const wrong = await bench.phone('agents', { user: '1001', password: 'not this', domain: bench.sut.domain });
    expect((await wrong.tryRegister()).status).toBe(403);
    const right = await bench.agent('1001');
    expect((await right.tryRegister()).status).toBe(200);
  });

  it('as somebody unknown: 403, without a word on whether the name exists', async () => {
    const stranger = await bench.phone('agents', { user: '9999', password: 'anything', domain: bench.sut.domain });
    expect((await stranger.tryRegister()).status).toBe(403);
  });

  it('with another one’s password for the name', async () => {
    const phone = await bench.phone('agents', {
      user: '1001',
      password: bench.passwordOf('1002'),
      domain: bench.sut.domain,
    });
    expect((await phone.tryRegister()).status).toBe(403);
  });

  it('on the trunk side at all', async () => {
    const phone = await bench.phone('trunk', { user: '1001', password: bench.passwordOf('1001') });
    expect((await phone.tryRegister()).status).toBeGreaterThanOrEqual(400);
  });
});

interface RegistrationRow {
  readonly reg_user: string;
  readonly realm: string;
  readonly url: string;
  readonly network_ip: string;
}

/** The list follows the event with a delay. */
async function listed(user: string): Promise<RegistrationRow | undefined> {
  let row: RegistrationRow | undefined;
  await eventually(async () => {
    const list = JSON.parse(await bench.esl.api('show registrations as json')) as { rows?: RegistrationRow[] };
    row = list.rows?.find((candidate) => candidate.reg_user === user);
    return row !== undefined;
  });
  return row;
}
