import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import {
  createPerson,
  findPersonByExtension,
  findPersonById,
  findPersonByLogin,
  listPeople,
  listSipUsers,
  listSubcentrePeople,
  setDisabled,
  setPasswords,
} from '../../src/store/people.ts';
import { createSession, deleteExpiredSessions, deleteSession, findSession } from '../../src/store/sessions.ts';
import { testDatabase } from '../support/database.ts';
import { addPerson, newPerson, t0 } from './fixtures.ts';

const database = testDatabase();

describe('people', () => {
  it('are found by id, login and extension', async () => {
    const wanted = newPerson({ name: '张婷 \'O"' });
    const person = await createPerson(database.db, wanted);
    expect(person).toEqual({
      id: wanted.id,
      login: wanted.login,
      name: wanted.name,
      role: 'agent',
      extension: wanted.extension,
      hotlineNumber: null,
      disabledAtMs: null,
      createdAtMs: t0,
    });
    expect(await findPersonById(database.db, wanted.id)).toEqual(person);
    expect(await findPersonByExtension(database.db, wanted.extension ?? '')).toEqual(person);
    const found = await findPersonByLogin(database.db, wanted.login);
    expect(found?.person).toEqual(person);
    expect(found?.passwordHash.reveal()).toBe(wanted.passwordHash.reveal());
    expect(await findPersonByLogin(database.db, 'nobody')).toBeUndefined();
    expect(await findPersonById(database.db, randomUUID())).toBeUndefined();
  });

  it('have logins and extensions of their own', async () => {
    const first = await addPerson(database.db);
    await expect(addPerson(database.db, { login: first.login })).rejects.toMatchObject({ code: '23505' });
    await expect(addPerson(database.db, { extension: first.extension })).rejects.toMatchObject({ code: '23505' });
  });

  it('are listed by role, and by the sub-centre they belong to', async () => {
    const clerk = await addPerson(database.db, { role: 'subcentre', hotlineNumber: '12366' });
    expect(await listPeople(database.db, 'subcentre')).toEqual([clerk]);
    expect((await listPeople(database.db)).map((person) => person.id)).toContain(clerk.id);
    expect(await listSubcentrePeople(database.db, '12366')).toEqual([clerk.id]);
    expect(await listSubcentrePeople(database.db, '12315')).toEqual([]);
  });

  it('register their phones with a hash that is not logged, unless they are disabled', async () => {
    const person = await addPerson(database.db);
    const phones = await listSipUsers(database.db);
    const phone = phones.find((user) => user.extension === person.extension);
    expect(phone?.ha1Md5.reveal()).toBe('0123456789abcdef0123456789abcdef');
    expect(JSON.stringify(phones)).not.toContain('0123456789abcdef');
    expect(await setDisabled(database.db, person.id, t0)).toBe(true);
    expect((await listSipUsers(database.db)).map((user) => user.extension)).not.toContain(person.extension);
    expect(await setDisabled(database.db, randomUUID(), t0)).toBe(false);
  });
});

describe('sessions', () => {
  const hour = 3_600_000;

  async function signedIn(personId: string): Promise<Secret> {
    const token = new Secret(randomUUID());
    await createSession(database.db, { token, personId, nowMs: t0, expiresAtMs: t0 + hour });
    return token;
  }

  it('lead to the person until they are over', async () => {
    const person = await addPerson(database.db);
    const token = await signedIn(person.id);
    expect(await findSession(database.db, token, t0)).toEqual({ person, expiresAtMs: t0 + hour });
    expect(await findSession(database.db, token, t0 + hour)).toBeUndefined();
    expect(await findSession(database.db, new Secret('guessed'), t0)).toBeUndefined();
  });

  it('are stored as hashes only', async () => {
    const token = await signedIn((await addPerson(database.db)).id);
    const rows = await database.db.selectFrom('sessions').select('token_sha256').execute();
    expect(rows.map((row) => row.token_sha256.toString('utf8'))).not.toContain(token.reveal());
    expect(rows.every((row) => row.token_sha256.length === 32)).toBe(true);
  });

  it('end at signing out, when the person is disabled and when he gets another password', async () => {
    const person = await addPerson(database.db);
    const first = await signedIn(person.id);
    await deleteSession(database.db, first);
    expect(await findSession(database.db, first, t0)).toBeUndefined();

    const second = await signedIn(person.id);
    await setDisabled(database.db, person.id, t0);
    await setDisabled(database.db, person.id, null);
    expect(await findSession(database.db, second, t0)).toBeUndefined();

    const third = await signedIn(person.id);
    await setPasswords(database.db, person.id, { passwordHash: new Secret('new'), sipHa1Md5: null });
    expect(await findSession(database.db, third, t0)).toBeUndefined();
    expect((await findPersonByLogin(database.db, person.login))?.passwordHash.reveal()).toBe('new');
  });

  it('are cleared away when they are over', async () => {
    const token = await signedIn((await addPerson(database.db)).id);
    await deleteExpiredSessions(database.db, t0);
    expect(await findSession(database.db, token, t0)).toBeDefined();
    expect(await deleteExpiredSessions(database.db, t0 + hour)).toBeGreaterThanOrEqual(1);
    expect(await deleteExpiredSessions(database.db, t0 + hour)).toBe(0);
  });
});
