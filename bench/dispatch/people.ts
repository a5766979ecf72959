/** The agents of the benchmark: in the database, with phones and open sessions. */
import { randomBytes } from 'node:crypto';
import { Secret } from '../../src/config/secret.ts';
import { randomIds } from '../../src/kernel/ids.ts';
import { openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { hashPassword, sipHa1Md5 } from '../../src/store/passwords.ts';
import { createPerson } from '../../src/store/people.ts';
import { createSession } from '../../src/store/sessions.ts';
import { silentLog } from '../../test/support/postgres-server.ts';
import type { LoadAgent } from './order.ts';

const firstExtension = 2001;
const sessionMs = 3_600_000;

/** Names and phone passwords for so many agents. */
export function newAgents(count: number): LoadAgent[] {
  return Array.from({ length: count }, (_, index) => ({
    user: String(firstExtension + index),
    password: randomBytes(12).toString('base64url'),
    session: randomBytes(32).toString('base64url'),
  }));
}

/** Makes the tables and puts the agents into them. */
export async function storeAgents(databaseUrl: string, agents: readonly LoadAgent[], domain: string): Promise<void> {
  const url = new Secret(databaseUrl);
  await migrate({ url, log: silentLog });
  const db = openDatabase({ url, applicationName: 'yihaotong-bench', log: silentLog });
  try {
    // Nobody signs in with a password here, so one unknown one will do.
    const passwordHash = await hashPassword(new Secret(randomBytes(18).toString('base64url')));
    const nowMs = Date.now();
    for (const { user, password, session } of agents) {
      const id = randomIds.uuid();
      await createPerson(db, {
        id,
        login: user,
        name: `话务员${user}`,
        role: 'agent',
        extension: user,
        hotlineNumber: null,
        passwordHash,
        sipHa1Md5: sipHa1Md5(user, domain, new Secret(password)),
        createdAtMs: nowMs,
      });
      if (session === undefined) continue;
      await createSession(db, {
        token: new Secret(session),
        personId: id,
        nowMs,
        expiresAtMs: nowMs + sessionMs,
      });
    }
  } finally {
    await db.destroy();
  }
}
