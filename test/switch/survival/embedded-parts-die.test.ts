import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-ports.ts';
import { ServiceProcess } from '../../support/hotline/service-process.ts';
import { createPhone, type TestPhone } from '../../support/phone/phone.ts';
import { until } from '../../support/until.ts';

/** Issue 3, section 3: what the service itself has started, it starts again, also after it took it over from another. */
describe('the embedded switch and the embedded PostgreSQL die under a control that has', () => {
  let folder: string;
  let service: ServiceProcess;
  let trunkPort = 0;
  let caller: TestPhone | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yht-parts-'));
    // Root's PostgreSQL is run by an unprivileged user, who must be able to pass; else it would lie outside this folder.
    await chmod(folder, 0o755);
    trunkPort = await freePort('127.0.0.1');
    const ports = {
      SIP_TRUNK_PORT: String(trunkPort),
      SIP_AGENTS_PORT: String(await freePort('127.0.0.1')),
      ESL_PORT: String(await freePort('127.0.0.1')),
    };
    service = await ServiceProcess.start({ DATA_FOLDER: join(folder, 'data'), ...ports }, folder);
  });
  afterAll(async () => {
    await caller?.close();
    await service.stop();
    if (process.env.TEST_KEEP_FOLDERS === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const switchPid = async () =>
    (JSON.parse(await readFile(join(folder, 'data', 'switch-run.json'), 'utf8')) as { pid: number }).pid;

  /** The log's word that PostgreSQL was started, taken over, or started again, and its process. */
  const postgresPid = async (): Promise<number> => {
    const log = await readFile(join(folder, 'service.log'), 'utf8');
    const lines = log.split('\n').filter((line) => /embedded PostgreSQL"|embedded PostgreSQL runs again/.test(line));
    return (JSON.parse(lines.at(-1) ?? '{}') as { pid: number }).pid;
  };

  const health = async (): Promise<unknown> => (await fetch(`${service.webUrl}/healthz`)).json();
  const well = (): Promise<void> =>
    until(
      'everything up',
      async () => {
        const { switch: link, database } = (await health()) as { switch: string; database: string };
        return link === 'up' && database === 'up';
      },
      30_000,
    );

  it.each(['started them', 'taken them over'])(
    '%s',
    async (which) => {
      if (which === 'taken them over') {
        // Without a call the switch would not outlive its control.
        caller = await createPhone({ server: { host: '127.0.0.1', port: trunkPort }, user: '13800000001' });
        await (await caller.call('12345')).answered();
        const [postgres, telephone] = [await postgresPid(), await switchPid()];
        await service.kill();
        await service.start();
        expect([await postgresPid(), await switchPid()]).toEqual([postgres, telephone]);
      }
      await well();
      const telephone = await switchPid();
      process.kill(telephone, 'SIGKILL');
      await until('another switch', async () => (await switchPid()) !== telephone, 20_000);
      await well();
      const postgres = await postgresPid();
      process.kill(postgres, 'SIGKILL');
      await until('another PostgreSQL', async () => (await postgresPid()) !== postgres, 20_000);
      await well();
    },
    90_000,
  );

  it('and all is started again by the next one, although a power cut has left the note of the switch empty', async () => {
    await service.stop();
    await writeFile(join(folder, 'data', 'switch-run.json'), '');
    await service.start();
    await well();
  }, 60_000);
});
