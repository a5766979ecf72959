import { type Selectable, sql } from 'kysely';
import { Secret } from '../config/secret.ts';
import type { Db } from './database.ts';
import type { PeopleTable } from './schema.ts';
import { toDate, toDateOrNull, toMs, toMsOrNull } from './times.ts';

/** Somebody who signs in. */
export interface Person {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly role: 'agent' | 'supervisor' | 'subcentre';
  /** The user name of his SIP phone. */
  readonly extension: string | null;
  /** The hotline for which somebody of a sub-centre works. */
  readonly hotlineNumber: string | null;
  readonly disabledAtMs: number | null;
  readonly createdAtMs: number;
}

export interface NewPerson {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly role: Person['role'];
  readonly extension: string | null;
  readonly hotlineNumber: string | null;
  /** Argon2id. */
  readonly passwordHash: Secret;
  /** MD5 of `user:domain:password` (RFC 7616, A1) of his phone. */
  readonly sipHa1Md5: Secret | null;
  readonly createdAtMs: number;
}

/** A phone that may register, as the switch needs to know it. */
export interface SipUser {
  readonly extension: string;
  readonly name: string;
  readonly ha1Md5: Secret;
}

const columns = [
  'id',
  'login',
  'name',
  'role',
  'extension',
  'hotline_number',
  'disabled_at',
  'created_at',
] as const satisfies readonly (keyof PeopleTable)[];

export type PersonRow = Pick<Selectable<PeopleTable>, (typeof columns)[number]>;

/** The person in a row of `people`. */
export function personOf(row: PersonRow): Person {
  return {
    id: row.id,
    login: row.login,
    name: row.name,
    role: row.role,
    extension: row.extension,
    hotlineNumber: row.hotline_number,
    disabledAtMs: toMsOrNull(row.disabled_at),
    createdAtMs: toMs(row.created_at),
  };
}

/** Adds a person. @throws a unique violation when login or extension are taken. */
export async function createPerson(db: Db, person: NewPerson): Promise<Person> {
  const row = await db
    .insertInto('people')
    .values({
      id: person.id,
      login: person.login,
      name: person.name,
      role: person.role,
      extension: person.extension,
      hotline_number: person.hotlineNumber,
      password_hash: person.passwordHash.reveal(),
      sip_ha1_md5: person.sipHa1Md5?.reveal() ?? null,
      created_at: toDate(person.createdAtMs),
    })
    .returning(columns)
    .executeTakeFirstOrThrow();
  return personOf(row);
}

export interface PersonWithSecrets {
  readonly person: Person;
  readonly passwordHash: Secret;
  readonly sipHa1Md5: Secret | null;
}

/** For signing in: the person, disabled or not, with what his passwords are checked against. */
export async function findPersonByLogin(db: Db, login: string): Promise<PersonWithSecrets | undefined> {
  const row = await db
    .selectFrom('people')
    .select([...columns, 'password_hash', 'sip_ha1_md5'])
    .where('login', '=', login)
    .executeTakeFirst();
  return (
    row && {
      person: personOf(row),
      passwordHash: new Secret(row.password_hash),
      sipHa1Md5: row.sip_ha1_md5 === null ? null : new Secret(row.sip_ha1_md5),
    }
  );
}

export async function findPersonById(db: Db, id: string): Promise<Person | undefined> {
  const row = await db.selectFrom('people').select(columns).where('id', '=', id).executeTakeFirst();
  return row && personOf(row);
}

export async function findPersonByExtension(db: Db, extension: string): Promise<Person | undefined> {
  const row = await db.selectFrom('people').select(columns).where('extension', '=', extension).executeTakeFirst();
  return row && personOf(row);
}

/** The people of a role who may sign in, by login. */
export async function listPeople(db: Db, role?: Person['role']): Promise<Person[]> {
  const rows = await db
    .selectFrom('people')
    .select(columns)
    .where('disabled_at', 'is', null)
    .$if(role !== undefined, (query) => query.where('role', '=', role ?? 'agent'))
    .orderBy('login')
    .execute();
  return rows.map(personOf);
}

/** The ids of the people of the sub-centre behind a hotline number. */
export async function listSubcentrePeople(db: Db, hotlineNumber: string): Promise<string[]> {
  const rows = await db
    .selectFrom('people')
    .select('id')
    .where('role', '=', 'subcentre')
    .where('hotline_number', '=', hotlineNumber)
    .where('disabled_at', 'is', null)
    .orderBy('login')
    .execute();
  return rows.map((row) => row.id);
}

/** The phones of everybody who is not disabled. */
export async function listSipUsers(db: Db): Promise<SipUser[]> {
  const rows = await db
    .selectFrom('people')
    .select(['extension', 'name', 'sip_ha1_md5'])
    .where('disabled_at', 'is', null)
    .orderBy('extension')
    .execute();
  return rows.flatMap(({ extension, name, sip_ha1_md5: ha1 }) =>
    extension === null || ha1 === null ? [] : [{ extension, name, ha1Md5: new Secret(ha1) }],
  );
}

/** Gives a person another phone, or none. @throws a unique violation when somebody else has the extension. */
export async function setPhone(db: Db, id: string, extension: string | null): Promise<void> {
  await db.updateTable('people').set({ extension }).where('id', '=', id).execute();
}

/** Gives a person new passwords. His sessions end, because they were begun with the old one. */
export async function setPasswords(
  db: Db,
  id: string,
  passwords: { readonly passwordHash: Secret; readonly sipHa1Md5: Secret | null },
): Promise<void> {
  await sql`
    with ended as (delete from sessions where person_id = ${id})
    update people
       set password_hash = ${passwords.passwordHash.reveal()}, sip_ha1_md5 = ${passwords.sipHa1Md5?.reveal() ?? null}
     where id = ${id}`.execute(db);
}

/** Locks a person out (null lets him in again). His sessions end. False when there is no such person. */
export async function setDisabled(db: Db, id: string, disabledAtMs: number | null): Promise<boolean> {
  const { numAffectedRows } = await sql`
    with ended as (delete from sessions where person_id = ${id} and ${disabledAtMs !== null})
    update people set disabled_at = ${toDateOrNull(disabledAtMs)} where id = ${id}`.execute(db);
  return numAffectedRows === 1n;
}
