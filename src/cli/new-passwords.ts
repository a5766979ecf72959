import { loadConfig } from '../config/config.ts';
import { SetupError } from '../kernel/errors.ts';
import { hashPassword, newPassword, sipHa1Md5 } from '../store/passwords.ts';
import { findPersonByLogin, setPasswords } from '../store/people.ts';
import { openPeople, passwordLines } from './people.ts';

/**
 * Gives somebody fresh passwords, which are printed once. He is signed out, his phone must show the new one when it
 * registers next, and a ban of his phone is lifted: PostgreSQL tells the running service.
 * @returns the exit code: 0 done, 1 not possible, 2 wrong use.
 */
export async function newPasswordsCommand(
  environment: NodeJS.ProcessEnv,
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const [login, ...more] = args;
  if (login === undefined || more.length > 0) {
    print('Usage: new-passwords <login>; needs DATABASE_URL');
    return 2;
  }
  try {
    for (const line of await renew(environment, login)) print(line);
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    print(error.message);
    return 1;
  }
}

async function renew(environment: NodeJS.ProcessEnv, login: string): Promise<string[]> {
  const config = loadConfig(environment);
  const { domain } = config.sip;
  const db = await openPeople(config, 'new-passwords');
  try {
    const found = await findPersonByLogin(db, login);
    if (found === undefined) throw new SetupError(`There is no login ${login}`);
    const { id, extension } = found.person;
    const web = newPassword(12);
    const phone = newPassword(16);
    await setPasswords(db, id, {
      passwordHash: await hashPassword(web),
      sipHa1Md5: extension === null ? null : sipHa1Md5(extension, domain, phone),
    });
    return passwordLines({ login, web, extension, phone, domain });
  } finally {
    await db.destroy();
  }
}
