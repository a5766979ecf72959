import { join } from 'node:path';
import type { CityProfile } from '../config/city.ts';
import type { Secret } from '../config/secret.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Db } from './database.ts';
import { type DemoPasswords, demoPasswords } from './demo-credentials.ts';
import { replaceHotlines } from './hotlines.ts';
import { hashPassword, sipHa1Md5, verifyPassword } from './passwords.ts';
import {
  createPerson,
  findPersonByExtension,
  findPersonByLogin,
  type NewPerson,
  setPasswords,
  setPhone,
} from './people.ts';

/** Makes the database say what the city's profile says. */
export async function seedCity(db: Db, profile: CityProfile): Promise<void> {
  await replaceHotlines(db, profile.hotlines);
}

type DemoPerson = Pick<NewPerson, 'login' | 'name' | 'role' | 'extension' | 'hotlineNumber'>;

/** The people with whom a newcomer tries the service out. */
const demoPeople: readonly DemoPerson[] = [
  { login: '1001', name: '王敏', role: 'agent', extension: '1001', hotlineNumber: null },
  { login: '1002', name: '李强', role: 'agent', extension: '1002', hotlineNumber: null },
  { login: '1003', name: '张婷', role: 'agent', extension: '1003', hotlineNumber: null },
  { login: 'banzhang', name: '班长', role: 'supervisor', extension: '1009', hotlineNumber: null },
  { login: '12366', name: '税务分中心', role: 'subcentre', extension: '12366', hotlineNumber: '12366' },
];

/** With what a demo person signs in and his phone registers. */
export interface DemoAccess extends DemoPerson {
  readonly webPassword: Secret;
  /** Null for people without a phone. */
  readonly phonePassword: Secret | null;
}

export interface DemoOptions {
  readonly dataFolder: string;
  readonly sipDomain: string;
  readonly ids: Ids;
  readonly nowMs: number;
}

/**
 * Sees to it that the demo people exist and that the passwords in `<dataFolder>/demo-credentials.json` are theirs.
 * @returns what to print for the newcomer.
 * @throws SetupError when the file can't be used.
 */
export async function ensureDemoPeople(db: Db, options: DemoOptions): Promise<DemoAccess[]> {
  const path = join(options.dataFolder, 'demo-credentials.json');
  const passwords = await demoPasswords(
    path,
    demoPeople.map((person) => person.login),
  );
  const accesses = demoPeople.map(async (person): Promise<DemoAccess> => {
    const own = passwords.get(person.login);
    if (!own) throw new Error(`no demo password for ${person.login}`);
    const extension = await ensurePerson(db, person, own, options);
    return { ...person, extension, webPassword: own.web, phonePassword: extension === null ? null : own.phone };
  });
  return Promise.all(accesses);
}

/** @returns the extension that he has. */
async function ensurePerson(
  db: Db,
  wanted: DemoPerson,
  own: DemoPasswords,
  options: DemoOptions,
): Promise<string | null> {
  const present = await findPersonByLogin(db, wanted.login);
  const holder = wanted.extension === null ? undefined : await findPersonByExtension(db, wanted.extension);
  // Somebody else may have been given it with add-person: it is his.
  const extension = holder === undefined || holder.login === wanted.login ? wanted.extension : null;
  const ha1 = extension === null ? null : sipHa1Md5(extension, options.sipDomain, own.phone);
  if (!present) {
    const passwordHash = await hashPassword(own.web);
    const createdAtMs = options.nowMs;
    await createPerson(db, { ...wanted, extension, id: options.ids.uuid(), passwordHash, sipHa1Md5: ha1, createdAtMs });
    return extension;
  }
  // Of an earlier version, whose supervisor had no phone.
  if (present.person.extension !== extension) await setPhone(db, present.person.id, extension);
  const fits = (await verifyPassword(present.passwordHash, own.web)) && present.sipHa1Md5?.reveal() === ha1?.reveal();
  if (!fits) await setPasswords(db, present.person.id, { passwordHash: await hashPassword(own.web), sipHa1Md5: ha1 });
  return extension;
}
