import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { controlApplication, openDatabase } from '../../src/store/database.ts';
import { type Holder, LeaderStore } from '../../src/store/leadership.ts';
import { testDatabase } from '../support/database.ts';
import { silentLog } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';

const database = testDatabase();
const leaseMs = 60_000;
const holder: Holder = { host: 'a', boot: 'b', pidSpace: 'c', pid: 1, startedAt: '2' };
const wish = { holder, holderDied: false, webUrl: 'http://a', leaseMs };

const stores: LeaderStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

function store(): LeaderStore {
  const made = new LeaderStore(new Secret(database.url), silentLog);
  stores.push(made);
  return made;
}

/** Takes leadership whatever the row says. */
async function lead(leader: LeaderStore): Promise<string> {
  const { epoch: after } = await leader.look();
  const epoch = await leader.take({ ...wish, after, holderDied: true });
  if (epoch === undefined) throw new Error('another one was quicker');
  return epoch;
}

describe('who leads', () => {
  it('is exactly one of 20 rivals', async () => {
    const rivals = Array.from({ length: 20 }, store);
    const rows = await Promise.all(rivals.map((rival) => rival.look()));
    const taken = await Promise.all(
      rivals.map((rival, index) => rival.take({ ...wish, after: rows[index]?.epoch ?? '' })),
    );
    expect(taken.filter((epoch) => epoch !== undefined)).toHaveLength(1);
  });

  it('keeps it while its lease lasts, and cannot renew it when another one has it', async () => {
    const [first, second] = [store(), store()];
    const epoch = await lead(first);
    expect(await second.look()).toMatchObject({ epoch, holder, webUrl: 'http://a', released: false });
    expect(await second.take({ ...wish, after: epoch })).toBeUndefined();
    expect(await first.renew(epoch, leaseMs)).toBe(true);
    const next = await lead(second);
    expect(Number(next)).toBe(Number(epoch) + 1);
    expect(await first.renew(epoch, leaseMs)).toBe(false);
    expect((await second.look()).leaseLeftMs).toBeGreaterThan(leaseMs / 2);
  });

  it('can be taken when the lease has run out by the database’s clock', async () => {
    const [first, second] = [store(), store()];
    const epoch = await lead(first);
    await first.renew(epoch, 100);
    await until('the end of the lease', async () => (await second.look()).leaseLeftMs <= 0);
    expect(await second.take({ ...wish, after: epoch })).toBe(String(Number(epoch) + 1));
  });

  it('tells who waits when it leaves in order; a stale one releases nothing', async () => {
    const [first, second] = [store(), store()];
    const epoch = await lead(first);
    await second.look();
    let told = false;
    second.onReleased = () => {
      told = true;
    };
    await first.release(String(Number(epoch) - 1));
    expect(await second.look()).toMatchObject({ epoch, released: false });
    await first.release(epoch);
    await until('the word', () => told);
    expect(await second.look()).toMatchObject({ epoch, released: true });
  });
});

describe('a control whose epoch is over', () => {
  const pool = (controlEpoch: string, applicationName = 'yihaotong') =>
    openDatabase({ url: new Secret(database.url), applicationName, log: silentLog, controlEpoch });

  it('writes nothing, into no table, and may still read', async () => {
    const leader = store();
    const old = pool(await lead(leader), 'test-of-old-epoch');
    const message = { caller_number: '1', dialled_number: '2', reason: 'test', since: new Date() };
    await old
      .insertInto('callbacks')
      .values({ ...message, recording_path: randomUUID() })
      .execute();
    await lead(leader);
    await expect(
      old
        .insertInto('callbacks')
        .values({ ...message, recording_path: randomUUID() })
        .execute(),
    ).rejects.toMatchObject({ code: 'YH001' });
    const { rows: tables } = await sql<{ name: string }>`
      select tablename as name from pg_tables
       where schemaname = 'public' and tablename not like 'kysely%' and tablename <> 'control_leader'`.execute(old);
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables)
      await expect(sql`delete from ${sql.table(name)}`.execute(old), name).rejects.toMatchObject({ code: 'YH001' });
    expect(await old.selectFrom('callbacks').select('reason').execute()).toHaveLength(1);
    await old.destroy();
  });

  it('loses a transaction that it had begun before', async () => {
    const leader = store();
    const old = pool(await lead(leader));
    const path = randomUUID();
    let begun = (): void => undefined;
    const inside = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let goOn = (): void => undefined;
    const frozen = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const work = old.transaction().execute(async (transaction) => {
      await sql`insert into callbacks (caller_number, dialled_number, reason, since, recording_path)
                values ('1', '2', 'test', now(), ${path})`.execute(transaction);
      begun();
      await frozen;
    });
    await inside;
    await lead(leader);
    expect(await leader.endOthers()).toBe(true);
    goOn();
    await expect(work).rejects.toThrow();
    expect(await database.db.selectFrom('callbacks').where('recording_path', '=', path).selectAll().execute()).toEqual(
      [],
    );
    await old.destroy();
  });

  it('all connections of the old leader end, however many they are', async () => {
    const { url } = database;
    const open = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const client = new pg.Client({ connectionString: url, application_name: controlApplication });
        const ended = new Promise<void>((resolve) => {
          client.on('error', () => resolve());
        });
        await client.connect();
        return { client, ended };
      }),
    );
    expect(await store().endOthers()).toBe(true);
    await Promise.all(open.map(({ ended }) => ended));
  });
});
