import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { Secret } from '../../src/config/secret.ts';
import type { Logger } from '../../src/kernel/log.ts';
import { migrate } from '../../src/store/migrate.ts';
import { startEmbeddedPostgres } from '../../src/store/postgres/embedded.ts';
import { clusterOf } from '../../src/store/postgres/place.ts';
import { livingPostmaster } from '../../src/store/postgres/postmaster-file.ts';

/** A logger for tests that don't look at the log. */
export const silentLog: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

/** What a test file needs to make a database of its own. */
export interface TestServer {
  /** An account that may make databases. */
  readonly adminUrl: string;
  /** A migrated, empty database to clone. */
  readonly template: string;
}

export interface RunningTestServer extends TestServer {
  stop(): Promise<void>;
}

const folderPrefix = 'yihaotong-test-postgres-';

/** Nothing here must survive a power cut, so the disk is not waited for. */
const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

/** The PostgreSQL of a test run (TEST_DATABASE_URL, or an embedded one) with a migrated template database. */
export async function startTestServer(): Promise<RunningTestServer> {
  const given = process.env.TEST_DATABASE_URL;
  const server = given ? { url: given, stop: async () => {} } : await startOwnServer();
  const template = `yht_template_${randomBytes(6).toString('hex')}`;
  try {
    await administer(server.url, `create database ${template} template template0 encoding 'UTF8' locale 'C.UTF-8'`);
    await migrate({ url: new Secret(urlOf(server.url, template)), log: silentLog });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    adminUrl: server.url,
    template,
    async stop() {
      try {
        await administer(server.url, `drop database ${template}`);
      } finally {
        await server.stop();
      }
    },
  };
}

async function startOwnServer(): Promise<{ url: string; stop(): Promise<void> }> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  // The unprivileged user who runs PostgreSQL for root must be able to pass.
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    systemFolder: folder,
    settings,
    log: silentLog,
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** PostgreSQL outlives a test run that was killed; the next run clears up after it. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.startsWith(folderPrefix) ? name.slice(folderPrefix.length).split('-')[0] : Number.NaN);
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    const living = await livingPostmaster(clusterOf(join(folder, 'postgres')));
    if (living) process.kill(living.pid, 'SIGQUIT');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The same server, another database. */
export function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Runs one statement on a connection of its own. */
export async function administer(url: string, statement: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  await client.connect();
  try {
    return await client.query(statement, values);
  } finally {
    await client.end();
  }
}
