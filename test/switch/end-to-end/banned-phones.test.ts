import { describe, expect, it } from 'vitest';
import { demoPassword, startHotline } from '../../support/hotline/hotline.ts';
import { createPhone } from '../../support/phone/phone.ts';
import { testDomain } from '../../support/switch.ts';
import { until } from '../../support/until.ts';

const banMs = 3000;

/** Issue 3, section 1 (registration: wrong password, limited, then banned for a time). */
describe('a phone that guesses', () => {
  const hotline = startHotline({ environment: { PHONE_BAN_MS: String(banMs) } });

  async function registers(password: string, localAddress: string, user = '1001'): Promise<number> {
    const server = hotline.switch.agents;
    const phone = await createPhone({ server, user, password, domain: testDomain, localAddress });
    const { status } = await phone.tryRegister();
    await phone.vanish();
    return status ?? 0;
  }

  const metric = async (): Promise<string> => {
    const text = await (await fetch(`${hotline.webUrl}/metrics`)).text();
    return /^yht_phone_bans_total (\d+)$/m.exec(text)?.[1] ?? 'none';
  };

  it('is banned at its address for a time, and nobody else is', async () => {
    const supervisor = await hotline.desk('banzhang');
    for (let tries = 0; tries < 5; tries += 1) expect(await registers('a guess', '127.0.0.2')).toBe(403);
    const notice = await supervisor.push('notice', ({ text }) => text.includes('127.0.0.2'));
    expect(notice.text).toContain('话机 1001');
    // The supervisor is told when the switch is: it takes the ban a moment later.
    await until('the ban', async () => (await registers(demoPassword, '127.0.0.2')) === 403);
    expect(await registers(demoPassword, '127.0.0.3')).toBe(200);
    expect(await registers(demoPassword, '127.0.0.2', '1002')).toBe(200);
    expect(await metric()).toBe('1');
    // Its tries meanwhile don't make it longer.
    await until('the end of the ban', async () => (await registers(demoPassword, '127.0.0.2')) === 200);
    expect(await metric()).toBe('1');
    expect(supervisor.pushes.filter((push) => push.type === 'notice')).toHaveLength(1);
  });
});
