import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type Kysely, sql } from 'kysely';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { inTransaction, openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import type { Database } from '../../src/store/schema.ts';
import { testDatabase } from '../support/database.ts';
import { administer, silentLog, urlOf } from '../support/postgres-server.ts';
import { addPerson } from './fixtures.ts';

const database = testDatabase();
const { adminUrl } = inject('testServer');

const opened: Kysely<Database>[] = [];
afterAll(() => Promise.all(opened.map((db) => db.destroy())));

function open(url: string, changes: { statementTimeoutMs?: number; maxConnections?: number } = {}): Kysely<Database> {
  const db = openDatabase({ url: new Secret(url), applicationName: 'test-of-deadlines', log: silentLog, ...changes });
  opened.push(db);
  return db;
}

/** A way to the database that can be blocked as a network can: nothing comes through and nobody is told. */
async function blockableWay(url: string) {
  const target = new URL(url);
  const way = new URL(url);
  const sockets = new Set<Socket>();
  let blocked = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => blocked || to.write(chunk));
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  way.hostname = '127.0.0.1';
  way.port = String(typeof address === 'object' ? address?.port : 0);
  return {
    url: way.href,
    block: (value: boolean) => {
      blocked = value;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const number = async (db: Kysely<Database>, value: number) =>
  (await sql<{ n: number }>`select ${value}::int as n`.execute(db)).rows[0]?.n;

describe('the database', () => {
  it('names the program to PostgreSQL', async () => {
    const { rows } = await sql<{ name: string }>`select current_setting('application_name') as name`.execute(
      open(database.url),
    );
    expect(rows).toEqual([{ name: 'test-of-deadlines' }]);
  });

  it('ends a statement that takes too long, and the connection goes on', async () => {
    const db = open(database.url, { statementTimeoutMs: 50, maxConnections: 1 });
    await expect(sql`select pg_sleep(30)`.execute(db)).rejects.toMatchObject({ code: '57014' });
    expect(await number(db, 7)).toBe(7);
  });

  it('throws a connection away whose answer did not come', async () => {
    const way = await blockableWay(database.url);
    const db = open(way.url, { statementTimeoutMs: 50, maxConnections: 1 });
    expect(await number(db, 1)).toBe(1);
    way.block(true);
    await expect(number(db, 2)).rejects.toThrow(/timeout/i);
    way.block(false);
    expect(await number(db, 3)).toBe(3);
    await db.destroy();
    await way.close();
  });

  it("joins the caller's transaction, so that it is undone with it", async () => {
    const outer = database.db.transaction().execute(async (transaction) => {
      await inTransaction(transaction, (inner) => addPerson(inner, { login: 'undone' }));
      throw new Error('undo');
    });
    await expect(outer).rejects.toThrow('undo');
    const rows = await database.db.selectFrom('people').select('id').where('login', '=', 'undone').execute();
    expect(rows).toEqual([]);
  });
});

describe('migrating', () => {
  async function withEmptyDatabase(options: string, work: (url: string) => Promise<void>): Promise<void> {
    const name = `yht_empty_${process.pid}`;
    await administer(adminUrl, `create database ${name} template template0 ${options}`);
    try {
      await work(urlOf(adminUrl, name));
    } finally {
      await administer(adminUrl, `drop database ${name}`);
    }
  }
  const run = (url: string) => migrate({ url: new Secret(url), log: silentLog });

  it('happens once, also when several processes begin together', async () => {
    await withEmptyDatabase("encoding 'UTF8' locale 'C.UTF-8'", async (url) => {
      const ran = await Promise.all([run(url), run(url), run(url)]);
      expect(ran.flat()[0]).toBe('0001_foundations');
      expect(new Set(ran.flat()).size).toBe(ran.flat().length);
      expect(await run(url)).toEqual([]);
    });
  });

  it('is refused where Chinese can not be kept or searched', async () => {
    await withEmptyDatabase("encoding 'SQL_ASCII' locale 'C'", async (url) => {
      await expect(run(url)).rejects.toThrow(/^DATABASE_URL: .* has the encoding SQL_ASCII; it must be UTF8$/);
    });
    await withEmptyDatabase("encoding 'UTF8' locale 'C'", async (url) => {
      await expect(run(url)).rejects.toThrow(/^DATABASE_URL: .* has the locale C, in which no Chinese can be searched/);
    });
  });

  it('says in one line why a database can not be used, without the password', async () => {
    const nowhere = new URL(adminUrl);
    nowhere.port = '1';
    await expect(run(nowhere.href)).rejects.toThrow(/^DATABASE_URL: 127.0.0.1:1\/\w+ does not answer/);
    await expect(run(urlOf(adminUrl, 'nothing'))).rejects.toThrow(/^DATABASE_URL: \S+\/nothing has no such database$/);
    const guess = new URL(adminUrl);
    guess.password = 'guess-word';
    await expect(run(guess.href)).rejects.toThrow(/^DATABASE_URL: \S+ refuses the user or the password$/);
    await expect(run(guess.href)).rejects.not.toThrow(/guess-word/);
  });

  it('is refused when the database is newer than the service', async () => {
    await withEmptyDatabase("encoding 'UTF8' locale 'C.UTF-8'", async (url) => {
      await run(url);
      await administer(url, "insert into kysely_migration values ('9999_future', now()::text)");
      await expect(run(url)).rejects.toThrow(/^DATABASE_URL: \S+ can't be migrated.*9999_future/);
    });
  });
});
