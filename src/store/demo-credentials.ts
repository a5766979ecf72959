import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Secret } from '../config/secret.ts';
import { SetupError } from '../kernel/errors.ts';
import { newPassword } from './passwords.ts';
import { ifThere, onFolder } from './postgres/folder-problem.ts';

const fileSchema = z.array(
  z.strictObject({ login: z.string(), webPassword: z.string().min(8), phonePassword: z.string().min(8) }),
);

/** The passwords of one demo person. */
export interface DemoPasswords {
  readonly web: Secret;
  readonly phone: Secret;
}

/**
 * The passwords of these logins: those in the file, so that a second start prints the same, and fresh ones for the rest.
 * @throws SetupError when the file can't be used.
 */
export async function demoPasswords(path: string, logins: readonly string[]): Promise<Map<string, DemoPasswords>> {
  const kept = await read(path);
  const passwords = new Map(
    logins.map((login) => [login, kept.get(login) ?? { web: newPassword(12), phone: newPassword(16) }]),
  );
  if (logins.some((login) => !kept.has(login))) await write(path, passwords);
  return passwords;
}

async function read(path: string): Promise<Map<string, DemoPasswords>> {
  const text = await ifThere(path, () => readFile(path, 'utf8'));
  if (text === undefined) return new Map();
  try {
    const entries = fileSchema.parse(JSON.parse(text));
    return new Map(
      entries.map((e) => [e.login, { web: new Secret(e.webPassword), phone: new Secret(e.phonePassword) }]),
    );
  } catch (cause) {
    throw new SetupError(`DATA_FOLDER: ${path} is damaged; delete it to get new demo passwords`, { cause });
  }
}

async function write(path: string, passwords: ReadonlyMap<string, DemoPasswords>): Promise<void> {
  const entries = [...passwords].map(([login, { web, phone }]) => ({
    login,
    webPassword: web.reveal(),
    phonePassword: phone.reveal(),
  }));
  const draft = `${path}.${randomUUID()}`;
  await onFolder(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    try {
      await writeFile(draft, `${JSON.stringify(entries, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
      await chmod(draft, 0o600);
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
  });
}
