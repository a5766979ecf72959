import { parseArgs } from 'node:util';
import pg from 'pg';
import { z } from 'zod';
import { type Config, loadConfig } from '../config/config.ts';
import { SetupError } from '../kernel/errors.ts';
import { randomIds } from '../kernel/ids.ts';
import { hashPassword, newPassword, sipHa1Md5 } from '../store/passwords.ts';
import { createPerson } from '../store/people.ts';
import { openPeople, passwordLines } from './people.ts';

const usage =
  'Usage: add-person <login> <name> <agent|supervisor|subcentre> [--extension <phone>] [--hotline <number>]; needs DATABASE_URL';
const uniqueViolation = '23505';

const wishSchema = z
  .object({
    login: z.string().regex(/^[\w.-]{1,64}$/, 'login: 1 to 64 letters, digits or _ . -'),
    name: z.string().min(1).max(100),
    role: z.enum(['agent', 'supervisor', 'subcentre'], 'role: agent, supervisor or subcentre'),
    extension: z
      .string()
      .regex(/^[0-9]{3,8}$/, '--extension: 3 to 8 digits')
      .optional(),
    hotline: z
      .string()
      .regex(/^[0-9]{3,15}$/, '--hotline: a number of the directory')
      .optional(),
  })
  .refine((wish) => wish.role !== 'agent' || wish.extension !== undefined, 'an agent needs a phone: --extension')
  .refine((wish) => wish.role !== 'subcentre' || wish.hotline !== undefined, 'a sub-centre has a number: --hotline');
type Wish = z.infer<typeof wishSchema>;

/**
 * Adds somebody who signs in, with fresh passwords, which are printed once and stored as hashes.
 * PostgreSQL tells the running service, which tells the switch.
 * @returns the exit code: 0 added, 1 not possible, 2 wrong use.
 */
export async function addPersonCommand(
  environment: NodeJS.ProcessEnv,
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const wish = readWish(args);
  if (typeof wish === 'string') {
    print(`${wish}\n${usage}`);
    return 2;
  }
  try {
    for (const line of await addPerson(loadConfig(environment), wish)) print(line);
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    print(error.message);
    return 1;
  }
}

/** The wish, or what is wrong with it. */
function readWish(args: readonly string[]): Wish | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { extension: { type: 'string' }, hotline: { type: 'string' } },
    });
    const [login, name, role, ...more] = positionals;
    if (more.length > 0) return `What is "${more.join(' ')}"?`;
    const parsed = wishSchema.safeParse({ login, name, role, ...values });
    return parsed.success ? parsed.data : (parsed.error.issues[0]?.message ?? 'wrong use');
  } catch (error) {
    // An option that isn't known.
    return error instanceof Error ? error.message : String(error);
  }
}

async function addPerson(config: Config, wish: Wish): Promise<string[]> {
  const db = await openPeople(config, 'add-person');
  const web = newPassword(12);
  const phone = newPassword(16);
  const extension = wish.extension ?? null;
  try {
    await createPerson(db, {
      id: randomIds.uuid(),
      login: wish.login,
      name: wish.name,
      role: wish.role,
      extension,
      hotlineNumber: wish.hotline ?? null,
      passwordHash: await hashPassword(web),
      sipHa1Md5: extension === null ? null : sipHa1Md5(extension, config.sip.domain, phone),
      createdAtMs: Date.now(),
    });
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError) || cause.code !== uniqueViolation) throw cause;
    const which = extension === null ? '' : ` or the extension ${extension}`;
    throw new SetupError(`The login ${wish.login}${which} is taken`, { cause });
  } finally {
    await db.destroy();
  }
  return passwordLines({ login: wish.login, web, extension, phone, domain: config.sip.domain });
}
