import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/store/postgres/embedded.ts';
import { administer, silentLog } from '../support/postgres-server.ts';

const isRoot = process.getuid?.() === 0;

let base = '';
let running: EmbeddedPostgres[] = [];

/** Fresh surroundings for each test: a data folder that everybody may pass, and a place of root's. */
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'yihaotong-embedded-'));
  await chmod(base, 0o755);
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((postgres) => postgres.stop()));
  await rm(base, { recursive: true, force: true, maxRetries: 5 });
});

const options = (changes: Partial<EmbeddedPostgresOptions> = {}): EmbeddedPostgresOptions => ({
  folder: join(base, 'data', 'postgres'),
  systemFolder: base,
  log: silentLog,
  ...changes,
});

async function start(changes: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres(options(changes));
  running.push(postgres);
  return postgres;
}

async function complaint(changes: Partial<EmbeddedPostgresOptions> = {}): Promise<string> {
  const outcome = await start(changes).catch((error: unknown) => error);
  if (!(outcome instanceof Error)) return 'it started';
  expect(outcome.name).toBe('SetupError');
  expect(outcome.message).not.toContain('\n');
  return outcome.message.replaceAll(base, '');
}

const query = async (url: string, text: string) => (await administer(url, text)).rows;

/** Resolves when the process has gone. */
const gone = (pid: number) =>
  vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 10_000, interval: 20 });

const startedSchema = z.object({ url: z.string(), pid: z.number() });

/** A service in a process of its own. */
async function startService() {
  const script = fileURLToPath(new URL('../support/embedded-postgres-process.ts', import.meta.url));
  const { folder, systemFolder } = options();
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify({ folder, systemFolder })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    ...startedSchema.parse(JSON.parse(String(line))),
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

describe('the embedded PostgreSQL', () => {
  it('starts empty, in UTF-8, can search Chinese, and finds its data at the second start', async () => {
    const first = await start();
    expect(first.adopted).toBe(false);
    await administer(first.url, 'create extension pg_trgm');
    const [row] = await query(
      first.url,
      "select show_trgm('噪音扰民') as trigrams, current_setting('server_encoding') as e",
    );
    expect(row.trigrams.length).toBeGreaterThan(2);
    expect(row.e).toBe('UTF8');
    await administer(first.url, "create table notes as select '开封' as note");
    await first.stop();
    await gone(first.pid);
    const second = await start();
    expect(await query(second.url, 'select note from notes')).toEqual([{ note: '开封' }]);
  });

  it('keeps its password to its owner, and asks for it', async () => {
    const { url } = await start();
    const file = join(base, 'data', 'postgres-password');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const wrong = new URL(url);
    expect(wrong.password).toBe((await readFile(file, 'utf8')).trim());
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('keeps fsync on', async () => {
    const { url } = await start();
    expect(await query(url, 'show fsync')).toEqual([{ fsync: 'on' }]);
  });

  it('may be stopped twice, and by two at once', async () => {
    const postgres = await start();
    await Promise.all([postgres.stop(), postgres.stop()]);
    await postgres.stop();
    await gone(postgres.pid);
  });

  it('takes a fixed port, and says so when it is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    expect(await complaint({ port })).toBe(
      `DATABASE_URL: the embedded PostgreSQL can't have port ${port} on 127.0.0.1; free it, or name another PostgreSQL`,
    );
    server.close();
    await once(server, 'close');
    expect(new URL((await start({ port })).url).port).toBe(String(port));
  });
});

describe('when something was killed', () => {
  it('outlives its service and is taken over by the next one', async () => {
    const service = await startService();
    await administer(service.url, 'create table notes as select 1 as one');
    await service.kill();
    const next = await start();
    expect(next).toMatchObject({ adopted: true, pid: service.pid });
    expect(await query(next.url, 'select one from notes')).toEqual([{ one: 1 }]);
    await next.stop();
    await gone(service.pid);
  });

  it('is started again on the same port when PostgreSQL itself was killed', async () => {
    const first = await start();
    await administer(first.url, 'create table notes as select 1 as one');
    const killed = first.pid;
    process.kill(killed, 'SIGKILL');
    await vi.waitFor(() => expect(first.pid).not.toBe(killed), { timeout: 30_000, interval: 50 });
    await vi.waitFor(async () => expect(await query(first.url, 'select one from notes')).toEqual([{ one: 1 }]), {
      timeout: 10_000,
      interval: 50,
    });
  }, 60_000);

  it('is not fooled by a postmaster.pid whose number another program has now', async () => {
    const first = await start();
    await first.stop();
    const cluster = join(base, 'data', 'postgres', 'data');
    const file = join(cluster, 'postmaster.pid');
    await writeFile(file, `${process.pid}\n${cluster}\n1\n5432\n\n\n\nready\n`, { mode: 0o600 });
    const owner = await stat(cluster);
    await chown(file, owner.uid, owner.gid);
    expect((await start()).adopted).toBe(false);
  });

  it('does not mistake an initialisation that was cut short for a database', async () => {
    await mkdir(join(base, 'data', 'postgres', 'new-half', 'base'), { recursive: true });
    await chmod(join(base, 'data', 'postgres'), 0o755);
    const { url } = await start();
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('one clear line', () => {
  it('for a second service on the same data, which leaves the first alone', async () => {
    const first = await start();
    expect(await complaint()).toBe(
      'DATA_FOLDER: another running service uses the database in /data/postgres; stop it or name another folder',
    );
    expect(await query(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('for a lost password', async () => {
    await (await start()).stop();
    await rm(join(base, 'data', 'postgres-password'));
    expect(await complaint()).toMatch(/^DATA_FOLDER: \/data\/postgres-password with the password .* is missing/);
    await writeFile(join(base, 'data', 'postgres-password'), 'another-one\n');
    expect(await complaint()).toMatch(/^DATA_FOLDER: the password kept beside \/data\/postgres does not fit/);
  });

  it('for a folder that is a file', async () => {
    await writeFile(join(base, 'data'), '');
    expect(await complaint()).toMatch(
      /^DATA_FOLDER: \/data.* can't be used: a (part of the path is a file|file of that name is in the way)/,
    );
  });

  it('for the data of another version', async () => {
    await (await start()).stop();
    await writeFile(join(base, 'data', 'postgres', 'data', 'PG_VERSION'), '14\n');
    expect(await complaint()).toMatch(
      /^DATA_FOLDER: the database in \/data\/postgres was made by another PostgreSQL version/,
    );
  });

  it('for damaged data', async () => {
    await (await start()).stop();
    await rm(join(base, 'data', 'postgres', 'data', 'global', 'pg_control'));
    expect(await complaint()).toMatch(
      /^DATA_FOLDER: the embedded PostgreSQL in \/data\/postgres does not start \(postgres: .+\)$/,
    );
  });

  it('for programs that can not be run', async () => {
    expect(await complaint({ settings: { shared_buffers: 'plenty' } })).toMatch(
      /^DATA_FOLDER: the embedded PostgreSQL .* does not start \(postgres: .*invalid value.*shared_buffers.*\)$/,
    );
  });
});

if (isRoot) {
  describe('as root', () => {
    const closed = () => join(base, 'closed');
    const folder = () => join(closed(), 'data', 'postgres');

    beforeEach(() => mkdir(closed(), { mode: 0o700 }));

    it('is run by an unprivileged user', async () => {
      const { pid } = await start();
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      expect(status).not.toMatch(/^Uid:\s+0\b/m);
      expect(status).toMatch(/^Groups:\s*$/m);
    });

    it('keeps its data elsewhere when this user can not enter the folder, and finds it again', async () => {
      const notes: object[] = [];
      const log = { ...silentLog, info: (fields: object) => void notes.push(fields) };
      const first = await start({ folder: folder(), log });
      const place = (await readFile(`${folder()}.location`, 'utf8')).trim();
      expect(place).toMatch(new RegExp(`^${base}/yihaotong-postgres-[0-9a-f]{16}$`));
      expect(notes[0]).toMatchObject({ folder: folder(), place });
      expect(existsSync(folder())).toBe(false);
      await administer(first.url, 'create table notes as select 1 as one');
      await first.stop();
      const second = await start({ folder: folder() });
      expect(await query(second.url, 'select one from notes')).toEqual([{ one: 1 }]);
      expect(await complaint({ folder: folder() })).toMatch(/^DATA_FOLDER: another running service/);
    });

    it('begins anew when the data folder was deleted, and keeps the old database aside', async () => {
      await (await start({ folder: folder() })).stop();
      const place = (await readFile(`${folder()}.location`, 'utf8')).trim();
      await rm(join(closed(), 'data'), { recursive: true });
      await start({ folder: folder() });
      const left = (await readdir(base)).filter((name) => name.includes('.left-'));
      expect(left).toHaveLength(1);
      expect(existsSync(join(base, left[0] ?? '', 'data', 'PG_VERSION'))).toBe(true);
      expect(existsSync(place)).toBe(true);
    });

    it('says so when the database that the note names is gone', async () => {
      await (await start({ folder: folder() })).stop();
      await rm((await readFile(`${folder()}.location`, 'utf8')).trim(), { recursive: true });
      expect(await complaint({ folder: folder() })).toMatch(
        /^DATA_FOLDER: the database should be in \/yihaotong-postgres-\S+, as \/closed\/data\/postgres.location says, but isn't/,
      );
    });

    it('says what to open when the folder was closed later', async () => {
      await chmod(closed(), 0o755);
      await (await start({ folder: folder() })).stop();
      await chmod(closed(), 0o700);
      expect(await complaint({ folder: folder() })).toMatch(
        /^DATA_FOLDER: the OS user "postgres", who runs PostgreSQL, can't enter \/closed\/data\/postgres; let him pass/,
      );
    });

    it('refuses to be run as root by name', async () => {
      expect(await complaint({ osUserName: 'root' })).toBe(
        'POSTGRES_OS_USER: "root" is root, as which PostgreSQL refuses to run; name another user',
      );
    });
  });
} else {
  describe('as an ordinary user', () => {
    it('has one clear line for a folder that is closed to him', async () => {
      await mkdir(join(base, 'data'), { mode: 0o500 });
      expect(await complaint()).toMatch(/^DATA_FOLDER: \/data\/postgres can't be used: no permission/);
    });
  });
}
