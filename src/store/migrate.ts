import { readdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Kysely, type Migration, type MigrationProvider, Migrator, PostgresDialect } from 'kysely';
import { z } from 'zod';
import type { Secret } from '../config/secret.ts';
import { errorChain, SetupError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { openPool } from './pool.ts';
import { checkServer, placeOf } from './server-check.ts';

/** A statement of a migration may rebuild a large table, or wait until another process has migrated. */
const statementTimeoutMs = 600_000;

const here = fileURLToPath(import.meta.url);
/** This file is TypeScript when it runs from the sources and JavaScript when it was built; so are the migrations. */
const extension = extname(here);
const migrationsFolder = join(dirname(here), '..', '..', 'migrations');

const moduleSchema = z.object({ up: z.custom<Migration['up']>((value) => typeof value === 'function') });

const provider: MigrationProvider = {
  async getMigrations() {
    const names = (await readdir(migrationsFolder)).filter(
      (name) => name.endsWith(extension) && !name.endsWith('.d.ts'),
    );
    const entries = names.map(async (name): Promise<[string, Migration]> => {
      const { up } = moduleSchema.parse(await import(pathToFileURL(join(migrationsFolder, name)).href));
      return [name.slice(0, -extension.length), { up }];
    });
    return Object.fromEntries(await Promise.all(entries));
  },
};

export interface MigrateOptions {
  readonly url: Secret;
  readonly log: Logger;
}

/**
 * Brings the database's tables to the newest version, once: processes that start together wait for each other. The
 * server is checked first.
 * @returns the names of the migrations that ran now.
 * @throws SetupError in one clear line.
 */
export async function migrate({ url, log }: MigrateOptions): Promise<string[]> {
  const pool = openPool({
    url: url.reveal(),
    applicationName: 'yihaotong-migrate',
    maxConnections: 2,
    statementTimeoutMs,
    connectTimeoutMs: 10_000,
    log,
  });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await checkServer(db, url);
    const { error, results = [] } = await new Migrator({ db, provider }).migrateToLatest();
    if (error !== undefined) {
      const failed = results.find((result) => result.status === 'Error')?.migrationName;
      const what = failed === undefined ? "can't be migrated" : `can't be migrated: ${failed} failed`;
      throw new SetupError(`DATABASE_URL: ${placeOf(url)} ${what} (${errorChain(error)})`, { cause: error });
    }
    const done = results.map((result) => result.migrationName);
    if (done.length > 0) log.info({ migrations: done }, 'migrated the database');
    return done;
  } finally {
    await db.destroy();
  }
}
