import pg from 'pg';
import type { Secret } from '../../config/secret.ts';
import { SetupError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { databaseUser } from './cluster.ts';

/** A number of our own choice; it means "the service that uses this embedded PostgreSQL". */
const ownerLock = 812_345;
/** A service that was killed leaves its lock as soon as PostgreSQL sees its connection closed. */
const lockWaitMs = 2_000;
const connectDeadlineMs = 10_000;
const statementDeadlineMs = 15_000;

/** The database of the service within the embedded PostgreSQL. */
const databaseName = 'yihaotong';

/** Another running service has this database. */
export class DatabaseTakenError extends SetupError {}

export interface Ownership {
  /** The address of the service's database, password included. */
  readonly url: string;
  release(): Promise<void>;
}

/**
 * Makes this process the only service on an embedded PostgreSQL, by a lock that lives as long as its connection and
 * so can't be left behind, and makes the service's database. `onLost` is called once when that connection breaks.
 * @throws DatabaseTakenError when another service has it, SetupError when the surroundings forbid it.
 */
export async function own(
  port: number,
  password: Secret,
  folder: string,
  log: Logger,
  onLost: () => void,
): Promise<Ownership> {
  const client = new pg.Client({
    connectionString: address(port, password, 'postgres'),
    application_name: 'yihaotong-owner',
    connectionTimeoutMillis: connectDeadlineMs,
    query_timeout: statementDeadlineMs,
    keepAlive: true,
  });
  let releasing = false;
  let owned = false;
  client.on('error', (error) => {
    if (!releasing) log.error({ err: error }, 'the connection to the embedded PostgreSQL was lost');
  });
  client.on('end', () => {
    if (owned && !releasing) onLost();
  });
  try {
    await client.connect();
    await client.query(`set lock_timeout = ${lockWaitMs}`);
    await client.query('select pg_advisory_lock($1)', [ownerLock]);
    await ensureDatabase(client);
    owned = true;
  } catch (error) {
    releasing = true;
    await client.end();
    throw ownershipProblem(error, folder);
  }
  return {
    url: address(port, password, databaseName),
    async release() {
      releasing = true;
      await client.end();
    },
  };
}

function address(port: number, password: Secret, database: string): string {
  return `postgres://${databaseUser}:${encodeURIComponent(password.reveal())}@127.0.0.1:${port}/${database}`;
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const found = await client.query('select 1 from pg_database where datname = $1', [databaseName]);
  if (found.rowCount === 0) await client.query(`create database ${databaseName}`);
}

function ownershipProblem(error: unknown, folder: string): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  if (error.code === '55P03') {
    return new DatabaseTakenError(
      `DATA_FOLDER: another running service uses the database in ${folder}; stop it or name another folder`,
      { cause: error },
    );
  }
  if (error.code === '28P01') {
    return new SetupError(
      `DATA_FOLDER: the password kept beside ${folder} does not fit its database; put the right one back`,
      { cause: error },
    );
  }
  if (error.code === '53100') {
    return new SetupError(`DATA_FOLDER: the disk of ${folder} is full; make room or name another folder`, {
      cause: error,
    });
  }
  return error;
}
