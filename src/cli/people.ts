import type { Kysely } from 'kysely';
import { createLog } from '../app.ts';
import type { Config } from '../config/config.ts';
import type { Secret } from '../config/secret.ts';
import { SetupError } from '../kernel/errors.ts';
import { openDatabase } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import type { Database } from '../store/schema.ts';

/** The database for a command about people. @throws SetupError without an address. */
export async function openPeople(config: Config, command: string): Promise<Kysely<Database>> {
  if (config.database.kind !== 'external') throw new SetupError('DATABASE_URL: must be set');
  const { url } = config.database;
  const log = createLog('warn');
  await migrate({ url, log });
  return openDatabase({ url, applicationName: `yihaotong-${command}`, log });
}

/** What somebody is told once: his passwords are stored as hashes. */
export function passwordLines(of: {
  readonly login: string;
  readonly web: Secret;
  readonly extension: string | null;
  readonly phone: Secret;
  readonly domain: string;
}): string[] {
  return [
    `登录 ${of.login}  密码 ${of.web.reveal()}`,
    ...(of.extension === null ? [] : [`话机 ${of.extension}@${of.domain}  密码 ${of.phone.reveal()}`]),
  ];
}
