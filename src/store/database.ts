import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import type { Secret } from '../config/secret.ts';
import type { Logger } from '../kernel/log.ts';
import { openPool } from './pool.ts';
import type { Database } from './schema.ts';

/** How the connections of a control are named; a control that takes over ends those of the one before. */
export const controlApplication = 'yihaotong';

/** What the functions of the store work on: the database, or a transaction that its caller has begun. */
export type Db = Kysely<Database> | Transaction<Database>;

export interface DatabaseOptions {
  readonly url: Secret;
  /** How PostgreSQL's list of sessions names this program. */
  readonly applicationName: string;
  readonly log: Logger;
  /** The epoch of the control whose connections these are: PostgreSQL refuses their writes when it is over. */
  readonly controlEpoch?: string;
  readonly maxConnections?: number;
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

/** Opens the database; connections are made when they are needed. `destroy()` closes it. */
export function openDatabase(options: DatabaseOptions): Kysely<Database> {
  const { url, applicationName, log } = options;
  const pool = openPool({
    url: options.controlEpoch === undefined ? url.reveal() : withEpoch(url.reveal(), options.controlEpoch),
    applicationName,
    log,
    maxConnections: options.maxConnections ?? 10,
    statementTimeoutMs: options.statementTimeoutMs ?? 5_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
  });
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

/** A setting that PostgreSQL gives a connection when it begins, beside those that the address itself names. */
function withEpoch(address: string, epoch: string): string {
  const url = new URL(address);
  const named = url.searchParams.get('options');
  url.searchParams.set('options', `${named === null ? '' : `${named} `}-c yht.control_epoch=${epoch}`);
  return url.toString();
}

/** Runs `work` in a transaction: in the caller's, if `db` is one already. */
export function inTransaction<T>(db: Db, work: (transaction: Transaction<Database>) => Promise<T>): Promise<T> {
  if (db.isTransaction) return work(db as Transaction<Database>);
  return db.transaction().execute(work);
}
