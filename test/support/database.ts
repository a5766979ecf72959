import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, inject } from 'vitest';
import { z } from 'zod';
import { Secret } from '../../src/config/secret.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/schema.ts';
import { administer, silentLog, type TestServer, urlOf } from './postgres-server.ts';

/** A database of a test file's own, with all tables and nothing in them. It is there from `beforeAll` on. */
export interface TestDatabase {
  readonly db: Kysely<Database>;
  /** For programs that connect by themselves; they must have disconnected when the file's tests have ended. */
  readonly url: string;
}

const serverSchema = z.object({ adminUrl: z.string(), template: z.string() });

/**
 * Gives the calling test file (or `describe`) a database, and drops it at the end. Call it before the set-up that uses
 * it, so that it is cleared away after that. The file fails when a connection to the database was left open.
 */
export function testDatabase(): TestDatabase {
  const server = serverSchema.parse(inject('testServer'));
  const name = `yht_test_${randomBytes(6).toString('hex')}`;
  const url = urlOf(server.adminUrl, name);
  let opened: Kysely<Database> | undefined;
  beforeAll(async () => {
    await administer(server.adminUrl, `create database ${name} template ${server.template}`);
    opened = openDatabase({ url: new Secret(url), applicationName: 'yihaotong-test', log: silentLog });
  });
  afterAll(async () => {
    await opened?.destroy();
    await dropUnused(server, name);
  });
  return {
    url,
    get db() {
      if (!opened) throw new Error('The test database is there only while tests run.');
      return opened;
    },
  };
}

/** PostgreSQL itself waits 5 s for sessions that are about to end, and refuses if there are any left. */
async function dropUnused({ adminUrl }: TestServer, name: string): Promise<void> {
  try {
    await administer(adminUrl, `drop database if exists ${name}`);
  } catch (cause) {
    const left = await administer(
      adminUrl,
      'select application_name, state, query from pg_stat_activity where datname = $1',
      [name],
    );
    await administer(adminUrl, `drop database if exists ${name} with (force)`);
    throw new Error(`Database connections were left open: ${JSON.stringify(left.rows)}`, { cause });
  }
}
