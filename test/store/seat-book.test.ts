import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { randomIds } from '../../src/kernel/ids.ts';
import { SeatBook } from '../../src/services/acd/seat-book.ts';
import { openDatabase } from '../../src/store/database.ts';
import { seatStore } from '../../src/store/ports.ts';
import { testDatabase } from '../support/database.ts';
import { silentLog } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { addPerson } from './fixtures.ts';

/** Issue 3, section 3: PostgreSQL is gone for a while. What the seats' own book does about it, on the real store. */
describe('the seats while the database is gone', () => {
  const database = testDatabase();
  let proxy: TcpProxy;
  let book: SeatBook;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const url = new URL(database.url);
    proxy = new TcpProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(await proxy.listen());
    const db = openDatabase({ url: new Secret(url.href), applicationName: 'yihaotong-test', log: silentLog });
    const settings = { wrapUpMs: 0, phoneRestMs: 1000, leaseMs: 600_000, deskGraceMs: 1000 };
    book = new SeatBook({ store: seatStore(db), clock: systemClock, ids: randomIds, log: silentLog, settings });
    close = async () => {
      book.close();
      await db.destroy();
      await proxy.close();
    };
  });
  afterAll(() => close());

  /** Somebody whose seat would get a call now. */
  async function readySeat(extension: string): Promise<string> {
    const { id } = await addPerson(database.db, { extension });
    await book.load();
    book.phone(extension, true);
    book.desk(id, 1);
    await book.choose(id, 'ready', null);
    return id;
  }

  const reservations = () => database.db.selectFrom('seat_reservations').selectAll().execute();

  it('one that is given back meanwhile is given back in the database when that answers again', async () => {
    const personId = await readySeat('3001');
    const agent = await book.reserve(personId, randomIds.uuid());
    if (agent === undefined) throw new Error('the seat was not to be had');
    expect(await reservations()).toHaveLength(1);
    proxy.cut(true);
    book.release(agent, 'callerGone');
    // It is in the next one's hands, in memory, before the database has heard of it.
    const next = await book.reserve(personId, randomIds.uuid());
    expect(next?.fencingToken).toMatch(/^local-/);
    proxy.cut(false);
    await until('the release in the database', async () => (await reservations()).length === 0, 20_000);
    if (next !== undefined) book.release(next, 'callerGone');
  });

  it('the next offer after its return does not wait for the end of a lease', async () => {
    const personId = await readySeat('3002');
    const agent = await book.reserve(personId, randomIds.uuid());
    if (agent === undefined) throw new Error('the seat was not to be had');
    proxy.cut(true);
    book.release(agent, 'callerGone');
    const meanwhile = await book.reserve(personId, randomIds.uuid());
    if (meanwhile === undefined) throw new Error('the seat was not to be had without a database');
    book.release(meanwhile, 'callerGone');
    proxy.cut(false);
    const next = await book.reserve(personId, randomIds.uuid());
    expect(next?.fencingToken).toMatch(/^\d+$/);
    expect(await reservations()).toMatchObject([{ person_id: personId, fencing_token: next?.fencingToken }]);
  });
});
