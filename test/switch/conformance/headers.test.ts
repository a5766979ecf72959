import { describe, expect, it } from 'vitest';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

/** RFC 7433: data in hexadecimal with its parameters, which belong to it. */
const userToUser = '00c0ffee12345;encoding=hex;purpose=isdn-uui';

describe('what the far side writes into the INVITE', () => {
  it('as User-to-User or X- header is told with every event of the leg', async () => {
    const citizen = await bench.rings({
      headers: [
        ['User-to-User', userToUser],
        ['X-Carrier-Ticket', 'a=1;b="two words"'],
      ],
    });
    const told = { 'variable_sip_h_User-to-User': userToUser, 'variable_sip_h_X-Carrier-Ticket': 'a=1;b="two words"' };
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    expect(parked.headers).toMatchObject(told);
    await citizen.call.cancel();
    expect(await bench.ended(citizen.leg)).toMatchObject(told);
  });

  it('as a header of no concern is not told', async () => {
    const citizen = await bench.rings({
      headers: [
        ['Subject', 'hello'],
        ['Organization', 'nobody'],
      ],
    });
    const parked = await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    const names = Object.keys(parked.headers).filter((name) => /^variable_sip_h_(Subject|Organization)$/i.test(name));
    expect(names).toEqual([]);
  });
});

describe('what control gives a leg that it rings', () => {
  it.each(['phone', 'gateway'] as const)('is in the INVITE to a %s', async (kind) => {
    const vars = { 'sip_h_User-to-User': userToUser, 'sip_h_X-Work-Order': '20260001' };
    const callee =
      kind === 'phone'
        ? await bench.ringsAgent(await bench.agent('1001'), '1001', vars)
        : await bench.originate(
            await bench.phone('trunk', { user: '8001', localPort: bench.gatewayPort }),
            'sofia/gateway/subcentre/8001',
            vars,
          );
    expect(callee.call.header('User-to-User')).toBe(userToUser);
    expect(callee.call.header('X-Work-Order')).toBe('20260001');
    callee.call.reject(486);
    await callee.originated;
  });

  it('comes from the caller only when control hands it on: nothing leaks by itself', async () => {
    await bench.rings({ headers: [['User-to-User', userToUser]] });
    const callee = await bench.ringsAgent(await bench.agent('1001'), '1001');
    expect(callee.call.header('User-to-User')).toBe('');
    callee.call.reject(486);
    await callee.originated;
  });
});
