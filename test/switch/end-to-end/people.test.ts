import { describe, expect, it } from 'vitest';
import { addPersonCommand } from '../../../src/cli/add-person.ts';
import { newPasswordsCommand } from '../../../src/cli/new-passwords.ts';
import { DeskClient } from '../../support/hotline/desk-client.ts';
import { demoPassword, startHotline } from '../../support/hotline/hotline.ts';
import { createPhone } from '../../support/phone/phone.ts';
import { switchKind, testDomain } from '../../support/switch.ts';
import { until } from '../../support/until.ts';

const password = (lines: readonly string[], of: '登录' | '话机'): string =>
  new RegExp(`^${of} \\S+ {2}密码 (\\S+)$`, 'm').exec(lines.join('\n'))?.[1] ?? '';

/** The embedded switch with its own service is in embedded-people.test.ts. */
describe.runIf(switchKind === 'freeswitch')('people who change while the service runs (needs FreeSWITCH)', () => {
  const hotline = startHotline({ keepsPhones: true });

  async function command(run: typeof addPersonCommand, ...args: string[]): Promise<string[]> {
    const lines: string[] = [];
    const code = await run({ DATABASE_URL: hotline.database.url }, args, (line) => lines.push(line));
    expect(code, lines.join()).toBe(0);
    return lines;
  }

  async function registers(user: string, phonePassword: string): Promise<number> {
    const phone = await createPhone({
      server: hotline.switch.agents,
      ...{ user, password: phonePassword, domain: testDomain, localAddress: '127.0.0.2' },
    });
    const { status } = await phone.tryRegister();
    await phone.vanish();
    return status ?? 0;
  }

  it('gives somebody new a phone and calls', async () => {
    const lines = await command(addPersonCommand, '3001', '赵一', 'agent', '--extension', '3001');
    await until('the switch to know 3001', () => hotline.app.control.directory.has('3001'));
    await until('3001 to be let in', async () => (await registers('3001', password(lines, '话机'))) === 200, 3000);
    const phone = await hotline.agentPhone('3001', { password: password(lines, '话机') });
    const desk = await DeskClient.signIn(hotline.webUrl, '3001', password(lines, '登录'));
    await desk.open();
    await desk.do({ do: 'ready' });
    const citizen = await hotline.citizen('13800001234');
    const call = await citizen.call('12345');
    const ringing = await phone.nextInvite();
    ringing.answer();
    await desk.callState('talking');
    await call.hangup();
    await ringing.ended();
    desk.close();
  });

  it('takes a new password at once, and lifts the ban of the phone that showed the old one', async () => {
    expect(await registers('1001', demoPassword)).toBe(200);
    for (let tries = 0; tries < 5; tries += 1) expect(await registers('1001', 'a guess')).toBe(403);
    await until('the ban', async () => (await registers('1001', demoPassword)) === 403);
    const lines = await command(newPasswordsCommand, '1001');
    await until('the new password', async () => (await registers('1001', password(lines, '话机'))) === 200, 5000);
    expect(await registers('1001', demoPassword)).toBe(403);
  });
});
