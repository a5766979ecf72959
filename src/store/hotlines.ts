import { type Db, inTransaction } from './database.ts';
import type { HotlinesTable } from './schema.ts';

/** A number at which citizens call, or to which they are put through. */
export interface Hotline {
  readonly number: string;
  readonly name: string;
  readonly owner: string;
  readonly mode: HotlinesTable['mode'];
  readonly answeredHere: boolean;
  /** Where calls to it are put through. */
  readonly gateway: string | null;
  readonly note: string;
}

/** Makes the table say exactly this; readers see the old list or the new one, never a part. */
export async function replaceHotlines(db: Db, hotlines: readonly Hotline[]): Promise<void> {
  await inTransaction(db, async (transaction) => {
    await transaction.deleteFrom('hotlines').execute();
    if (hotlines.length === 0) return;
    await transaction
      .insertInto('hotlines')
      .values(hotlines.map(({ answeredHere, ...hotline }) => ({ ...columnsOf(hotline), answered_here: answeredHere })))
      .execute();
  });
}

/** Named one by one: a richer object than a hotline must not write columns that aren't there. */
function columnsOf({ number, name, owner, mode, gateway, note }: Omit<Hotline, 'answeredHere'>) {
  return { number, name, owner, mode, gateway, note };
}

/** All hotlines, by number. */
export async function listHotlines(db: Db): Promise<Hotline[]> {
  const rows = await db.selectFrom('hotlines').selectAll().orderBy('number').execute();
  return rows.map(({ answered_here: answeredHere, ...row }) => ({ ...row, answeredHere }));
}

export async function findHotline(db: Db, number: string): Promise<Hotline | undefined> {
  const row = await db.selectFrom('hotlines').selectAll().where('number', '=', number).executeTakeFirst();
  if (!row) return undefined;
  const { answered_here: answeredHere, ...rest } = row;
  return { ...rest, answeredHere };
}
