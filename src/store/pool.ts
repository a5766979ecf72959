import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import type { Logger } from '../kernel/log.ts';

export interface PoolOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly maxConnections: number;
  /** After this PostgreSQL itself ends a statement. */
  readonly statementTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly log: Logger;
}

/** Connections that are opened at once and kept, so that no call waits for one. */
const warmConnections = 4;
/**
 * A statement that begins with this comment is planned once per connection and kept under the name. Only for texts that
 * never change: a name stands for one text.
 */
const preparedName = /^\s*\/\* prepared: ([a-z-]{1,40}) \*\//;
/** How much longer than PostgreSQL's own limit the driver waits: then the network is at fault. */
const answerGraceMs = 2_000;
/** A transaction that its code has forgotten doesn't hold its locks for longer. */
const idleInTransactionMs = 30_000;

/**
 * A pool in which every wait has a deadline: for a free connection, for a statement, for the network's answer.
 * A connection whose answer didn't come is thrown away, because a late answer would be taken for that of the next
 * statement.
 */
export function openPool(options: PoolOptions): PostgresPool {
  const { statementTimeoutMs, log } = options;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + answerGraceMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    // After a quiet hour the first call must not wait for a connection either.
    min: Math.min(warmConnections, options.maxConnections),
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced at the next statement; nobody else listens for its error.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
  // One that breaks while it is lent, between two statements of a transaction: the next statement fails, not the process.
  pool.on('connect', (client) => {
    client.on('error', (error) => log.debug({ err: error }, 'a database connection broke'));
  });
  warm(pool, Math.min(warmConnections, options.maxConnections), log);
  return {
    connect: async () => new LentClient(await pool.connect()),
    end: () => pool.end(),
  };
}

/** Opens connections and gives them back. A failure is no news yet: whoever needs a connection is told. */
function warm(pool: pg.Pool, count: number, log: Logger): void {
  const opened = Array.from({ length: count }, () => pool.connect());
  for (const connection of opened) {
    connection.then(
      (client) => client.release(),
      (error: unknown) => log.debug({ err: error }, 'a database connection could not be opened beforehand'),
    );
  }
}

/** A connection lent by the pool, which remembers whether it can be lent again. */
class LentClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  #doubt: Error | undefined;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    sql: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof sql !== 'string') throw new Error('Cursors are not used here.');
    return this.#run<R>(sql, parameters);
  }

  async #run<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    try {
      const name = preparedName.exec(sql)?.[1];
      const query = { text: sql, values: [...parameters], ...(name === undefined ? {} : { name }) };
      const { command, rowCount, rows } = await this.#client.query(query);
      return { command: command as PostgresQueryResult<R>['command'], rowCount: rowCount ?? 0, rows };
    } catch (error) {
      // An error that PostgreSQL itself has sent leaves the connection in order; any other does not.
      if (!(error instanceof pg.DatabaseError)) this.#doubt = new Error('no answer came', { cause: error });
      throw error;
    }
  }

  release(): void {
    this.#client.release(this.#doubt);
  }
}
