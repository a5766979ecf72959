import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPersonCommand } from '../../src/cli/add-person.ts';
import { newPasswordsCommand } from '../../src/cli/new-passwords.ts';
import { findPersonByLogin } from '../../src/store/people.ts';
import { testDatabase } from '../support/database.ts';
import { freePort } from '../support/free-ports.ts';
import { ServiceProcess } from '../support/hotline/service-process.ts';
import { createPhone } from '../support/phone/phone.ts';
import { testDomain } from '../support/switch.ts';
import { until } from '../support/until.ts';

/** The service with its own switch, and a database that other programs reach. */
describe('people who change while the service runs with the embedded switch', () => {
  const database = testDatabase();
  let folder: string;
  let agentsPort: number;
  let trunkPort: number;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yht-people-'));
    agentsPort = await freePort('127.0.0.1');
    trunkPort = await freePort('127.0.0.1');
    const environment = {
      DATABASE_URL: database.url,
      DATA_FOLDER: join(folder, 'data'),
      SIP_AGENTS_PORT: String(agentsPort),
      SIP_TRUNK_PORT: String(trunkPort),
      ESL_PORT: String(await freePort('127.0.0.1')),
    };
    service = await ServiceProcess.start(environment, folder);
  });
  afterAll(async () => {
    await service?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function command(run: typeof addPersonCommand, ...args: string[]): Promise<string> {
    const lines: string[] = [];
    const code = await run({ DATABASE_URL: database.url }, args, (line) => lines.push(line));
    expect(code, lines.join()).toBe(0);
    return /^话机 \S+ {2}密码 (\S+)$/m.exec(lines.join('\n'))?.[1] ?? '';
  }

  async function registers(user: string, password: string): Promise<number> {
    const server = { host: '127.0.0.1', port: agentsPort };
    const phone = await createPhone({ server, user, password, domain: testDomain });
    const { status } = await phone.tryRegister();
    await phone.vanish();
    return status ?? 0;
  }

  const letIn = (user: string, password: string): Promise<void> =>
    until(`${user} to be let in`, async () => (await registers(user, password)) === 200, 3000);

  it('are known at once, also to a switch that an earlier control has left', async () => {
    const first = await command(addPersonCommand, '3001', '赵一', 'agent', '--extension', '3001');
    await letIn('3001', first);
    expect((await findPersonByLogin(database.db, '3001'))?.person.name).toBe('赵一');
    const second = await command(newPasswordsCommand, '3001');
    await letIn('3001', second);
    expect(await registers('3001', first)).toBe(403);

    // A call keeps the switch alive without control.
    const citizen = await createPhone({ server: { host: '127.0.0.1', port: trunkPort }, user: '13800001234' });
    const call = await citizen.call('12345');
    await call.answered();
    await service.kill();
    const while3002 = await command(addPersonCommand, '3002', '钱二', 'agent', '--extension', '3002');
    expect(await registers('3002', while3002)).toBe(403);
    await service.start();
    await letIn('3002', while3002);
    const last = await command(newPasswordsCommand, '3002');
    await letIn('3002', last);
    await call.hangup();
    await citizen.close();
  });
});
