import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import type { Secret } from '../config/secret.ts';
import { errorChain, SetupError } from '../kernel/errors.ts';

const oldestVersion = 150_000;

interface ServerFacts {
  readonly version: number;
  readonly encoding: string;
  readonly ctype: string;
}

/**
 * Makes sure that the database answers and can hold and search Chinese text.
 * @throws SetupError in one clear line that names DATABASE_URL and never the password.
 */
export async function checkServer(db: Kysely<unknown>, url: Secret): Promise<void> {
  const facts = await askFacts(db, url);
  if (facts.version < oldestVersion) {
    throw new SetupError(
      `DATABASE_URL: ${placeOf(url)} is PostgreSQL ${Math.floor(facts.version / 10_000)}; version 15 or later is needed`,
    );
  }
  if (facts.encoding !== 'UTF8') {
    throw new SetupError(`DATABASE_URL: ${placeOf(url)} has the encoding ${facts.encoding}; it must be UTF8`);
  }
  if (facts.ctype === 'C' || facts.ctype === 'POSIX') {
    throw new SetupError(
      `DATABASE_URL: ${placeOf(url)} has the locale ${facts.ctype}, in which no Chinese can be searched; make it with C.UTF-8`,
    );
  }
}

async function askFacts(db: Kysely<unknown>, url: Secret): Promise<ServerFacts> {
  try {
    const { rows } = await sql<ServerFacts>`
      select current_setting('server_version_num')::int as version,
             pg_encoding_to_char(encoding) as encoding,
             datctype as ctype
      from pg_database where datname = current_database()`.execute(db);
    const facts = rows[0];
    if (!facts) throw new Error('PostgreSQL does not know its own database');
    return facts;
  } catch (error) {
    throw connectionProblem(error, url);
  }
}

const reasons: Readonly<Record<string, string>> = {
  '28P01': 'refuses the user or the password',
  '28000': 'refuses the user',
  '3D000': 'has no such database',
  '53300': 'has no connection left',
  '57P03': 'is starting up or shutting down',
  ECONNREFUSED: 'does not answer (is PostgreSQL running there?)',
  ENOTFOUND: 'has a host name that nobody knows',
  ETIMEDOUT: 'does not answer',
};

/** One clear line about a database that can't be reached. */
function connectionProblem(error: unknown, url: Secret): SetupError {
  const code =
    error instanceof pg.DatabaseError || (error instanceof Error && 'code' in error) ? error.code : undefined;
  const reason = reasons[String(code)] ?? `can't be used (${errorChain(error)})`;
  return new SetupError(`DATABASE_URL: ${placeOf(url)} ${reason}`, { cause: error });
}

/** Host, port and database of an address, without user and password. */
export function placeOf(url: Secret): string {
  const { host, pathname } = new URL(url.reveal());
  return `${host}${pathname}`;
}
