import { describe, expect, it } from 'vitest';
import { addPersonCommand } from '../../src/cli/add-person.ts';
import { Secret } from '../../src/config/secret.ts';
import { sipHa1Md5, verifyPassword } from '../../src/store/passwords.ts';
import { findPersonByLogin } from '../../src/store/people.ts';
import { testDatabase } from '../support/database.ts';

describe('the command add-person', () => {
  const database = testDatabase();
  const run = async (...args: string[]): Promise<{ code: number; lines: string[] }> => {
    const lines: string[] = [];
    const code = await addPersonCommand({ DATABASE_URL: database.url }, args, (line) => lines.push(line));
    return { code, lines };
  };
  const passwordIn = (line: string | undefined): Secret => new Secret(/密码 (\S+)$/.exec(line ?? '')?.[1] ?? '');

  it('adds an agent whose printed passwords are the right ones', async () => {
    const { code, lines } = await run('3001', '赵一', 'agent', '--extension', '3001');
    expect(code).toBe(0);
    const found = await findPersonByLogin(database.db, '3001');
    expect(found?.person).toMatchObject({ name: '赵一', role: 'agent', extension: '3001', hotlineNumber: null });
    const [web, phone] = lines.map(passwordIn);
    expect(await verifyPassword(found?.passwordHash ?? new Secret(''), web ?? new Secret(''))).toBe(true);
    expect(found?.sipHa1Md5?.reveal()).toBe(sipHa1Md5('3001', 'yihaotong.local', phone ?? new Secret('')).reveal());
  });

  it('refuses a login that is taken, in one line', async () => {
    await run('3002', '钱二', 'supervisor');
    const again = await run('3002', '孙三', 'supervisor');
    expect(again).toEqual({ code: 1, lines: ['The login 3002 is taken'] });
  });

  it.each([
    [[]],
    [['3003', '李四', 'agent']],
    [['3003', '李四', 'boss']],
    [['3003', '李四', 'subcentre']],
    [['3003', '李四', 'supervisor', '--colour', 'red']],
    [['3003', '李四', 'supervisor', 'more']],
    [['30 03', '李四', 'supervisor']],
  ])('refuses wrong use: %j', async (args) => {
    const { code, lines } = await run(...args);
    expect(code).toBe(2);
    expect(lines.join()).toContain('Usage: add-person');
    expect(await findPersonByLogin(database.db, '3003')).toBeUndefined();
  });
});
