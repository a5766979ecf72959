import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually, originateCommand } from '../../support/bench.ts';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

const contactsOf = async (user: string): Promise<readonly string[]> => {
  const list = JSON.parse(await bench.esl.api('show registrations as json')) as {
    rows?: { readonly reg_user: string; readonly url: string }[];
  };
  return (list.rows ?? []).filter((row) => row.reg_user === user).map((row) => row.url);
};

describe('a user has one contact', () => {
  it('also after the phone has registered again: it is told each time, and listed once', async () => {
    const phone = await bench.agent('1001');
    await phone.register();
    await bench.esl.event('CUSTOM', { 'Event-Subclass': 'sofia::register', 'from-user': '1001' }, { nth: 2 });
    await eventually(async () => (await contactsOf('1001')).length === 1);
    const callee = await bench.ringsAgent(phone, '1001');
    callee.call.reject(486);
    expect(await callee.originated).toBe('-ERR USER_BUSY');
  });

  it('that of the phone that came last, over whichever transport', async () => {
    await bench.agent('1002', { transport: 'udp' });
    const fresh = await bench.agent('1002', { transport: 'tcp' });
    await eventually(async () => {
      const contacts = await contactsOf('1002');
      return contacts.length === 1 && contacts[0]?.includes(`:${fresh.local.port}`) === true;
    });
  });

  it('and none after the last phone has unregistered: the first one does not come back', async () => {
    await bench.agent('1003');
    const fresh = await bench.agent('1003');
    await fresh.unregister();
    const rung = originateCommand(randomUUID(), `sofia/agents/1003%${bench.sut.domain}`, { originate_timeout: '1' });
    expect(await bench.esl.bgapi(rung)).toBe('-ERR USER_NOT_REGISTERED');
    await eventually(async () => (await contactsOf('1003')).length === 0);
  });
});
