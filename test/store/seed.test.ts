import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCity } from '../../src/config/city.ts';
import { projectFolder } from '../../src/config/project.ts';
import { randomIds } from '../../src/kernel/ids.ts';
import { findHotline, listHotlines, replaceHotlines } from '../../src/store/hotlines.ts';
import { sipHa1Md5, verifyPassword } from '../../src/store/passwords.ts';
import { findPersonByLogin, setPhone } from '../../src/store/people.ts';
import { type DemoAccess, ensureDemoPeople, seedCity } from '../../src/store/seed.ts';
import { testDatabase } from '../support/database.ts';
import { addPerson, t0 } from './fixtures.ts';

const database = testDatabase();
let dataFolder = '';
beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'yihaotong-demo-'));
});
afterAll(() => rm(dataFolder, { recursive: true }));

describe('the city', () => {
  it('is loaded into the table and replaced as a whole', async () => {
    const profile = await loadCity(join(projectFolder, 'cities'), 'kaifeng');
    await seedCity(database.db, profile);
    await seedCity(database.db, profile);
    expect(await listHotlines(database.db)).toHaveLength(16);
    expect(await findHotline(database.db, '12366')).toMatchObject({
      mode: 'subcenter',
      answeredHere: false,
      gateway: 'subcentre-12366',
    });
    await replaceHotlines(database.db, profile.hotlines.slice(0, 1));
    expect(await listHotlines(database.db)).toEqual([profile.hotlines[0]]);
    await replaceHotlines(database.db, []);
    expect(await listHotlines(database.db)).toEqual([]);
  });
});

describe('demo people', () => {
  const sipDomain = 'yihaotong.local';
  const ensure = () => ensureDemoPeople(database.db, { dataFolder, sipDomain, ids: randomIds, nowMs: t0 });
  const revealed = (people: readonly DemoAccess[]) =>
    people.map((person) => [person.login, person.webPassword.reveal(), person.phonePassword?.reveal()]);

  it('sign in with the passwords that are told, the same at the second start', async () => {
    const first = await ensure();
    expect(first.map((person) => person.name)).toEqual(['王敏', '李强', '张婷', '班长', '税务分中心']);
    const agent = first[0];
    const stored = await findPersonByLogin(database.db, '1001');
    if (!agent?.phonePassword || !stored) throw new Error('there is no agent 1001');
    expect(stored.passwordHash.reveal()).toMatch(/^\$argon2id\$/);
    expect(await verifyPassword(stored.passwordHash, agent.webPassword)).toBe(true);
    expect(stored.sipHa1Md5?.reveal()).toBe(sipHa1Md5('1001', sipDomain, agent.phonePassword).reveal());
    expect(revealed(await ensure())).toEqual(revealed(first));
    expect((await findPersonByLogin(database.db, '1001'))?.passwordHash.reveal()).toBe(stored.passwordHash.reveal());
  });

  it('have passwords of their own, in a file that only its owner reads', async () => {
    const all = revealed(await ensure()).flatMap(([, web, phone]) => [web, phone ?? web]);
    expect(new Set(all).size).toBe(10);
    const file = join(dataFolder, 'demo-credentials.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain(all[0]);
  });

  it('have their phones, also when an earlier version gave none, but nobody else’s', async () => {
    await ensure();
    const { db } = database;
    const supervisor = await findPersonByLogin(db, 'banzhang');
    if (!supervisor) throw new Error('there is no supervisor');
    await setPhone(db, supervisor.person.id, null);
    expect((await ensure())[3]).toMatchObject({ extension: '1009' });
    expect((await findPersonByLogin(db, 'banzhang'))?.person.extension).toBe('1009');

    await setPhone(db, supervisor.person.id, null);
    await addPerson(db, { extension: '1009' });
    expect((await ensure())[3]).toMatchObject({ extension: null, phonePassword: null });
  });

  it('get new passwords when the file is gone, and a clear error when it is damaged', async () => {
    const before = revealed(await ensure());
    const file = join(dataFolder, 'demo-credentials.json');
    await rm(file);
    const after = await ensure();
    expect(revealed(after)).not.toEqual(before);
    const stored = await findPersonByLogin(database.db, 'banzhang');
    if (!stored || !after[3]) throw new Error('there is no supervisor');
    expect(await verifyPassword(stored.passwordHash, after[3].webPassword)).toBe(true);
    await writeFile(file, '{');
    await expect(ensure()).rejects.toThrow(/^DATA_FOLDER: .*demo-credentials\.json is damaged; delete it/);
    await rm(file);
  });
});
