import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config/project.ts';
import { freePort } from '../support/free-ports.ts';
import { Watch } from '../support/watch.ts';

const main = join(projectFolder, 'src', 'main.ts');

/** `npm start` with settings of a test's own, and what it printed. */
async function run(settings: Record<string, string>, until?: RegExp) {
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    cwd: projectFolder,
    env: { PATH: process.env.PATH ?? '', LOG_LEVEL: 'silent', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watch = new Watch('the service');
  let printed = '';
  let code: number | null | undefined;
  const hear = (chunk: Buffer) => {
    printed += chunk.toString();
    watch.note(chunk.toString().trim());
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.once('exit', (exitCode) => {
    code = exitCode;
    watch.note(`ended with ${exitCode}`);
  });
  await watch.until('the end, or its word', 40_000, () =>
    code !== undefined || until?.test(printed) === true ? true : undefined,
  );
  return {
    printed: () => printed,
    code: () => code,
    async interrupt() {
      const gone = once(child, 'exit');
      child.kill('SIGINT');
      await gone;
    },
  };
}

/** Issue 2, «what a newcomer does», 1. */
describe('npm start', () => {
  let folder: string;
  let settings: Record<string, string>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yht-start-'));
    const names = ['HTTP_PORT', 'SIP_TRUNK_PORT', 'SIP_AGENTS_PORT', 'ESL_PORT'];
    const ports = await Promise.all(names.map(async (name) => [name, String(await freePort('127.0.0.1'))]));
    settings = { DATA_FOLDER: join(folder, 'data'), ...Object.fromEntries(ports) };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('prints addresses, people with fresh passwords and how to call; Ctrl-C ends it; a second start finds its data', async () => {
    const first = await run(settings, /按 Ctrl-C 停止/);
    expect(first.printed()).toContain('15 条热线');
    expect(first.printed()).toContain(`http://127.0.0.1:${settings.HTTP_PORT}`);
    const password = /登录 1001 {2}密码 (\S+)/.exec(first.printed())?.[1] ?? '';
    expect(password.length).toBeGreaterThanOrEqual(8);
    const signIn = await fetch(`http://127.0.0.1:${settings.HTTP_PORT}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login: '1001', password }),
    });
    expect(signIn.status).toBe(200);
    const health = await fetch(`http://127.0.0.1:${settings.HTTP_PORT}/healthz`);
    expect(await health.json()).toMatchObject({ control: 'up', switch: 'up', database: 'up' });
    await first.interrupt();
    expect(first.code()).toBe(0);

    const second = await run(settings, /按 Ctrl-C 停止/);
    expect(second.printed()).toContain(password);
    await second.interrupt();
    expect(second.code()).toBe(0);
  });

  it.each(['HTTP_PORT', 'SIP_TRUNK_PORT', 'SIP_AGENTS_PORT', 'ESL_PORT'])(
    'names %s when its port is taken',
    async (name) => {
      const taken = createServer().listen(Number(settings[name]), '127.0.0.1');
      await once(taken, 'listening');
      try {
        const started = await run(settings);
        expect(started.code()).toBe(1);
        expect(lines(started.printed())).toHaveLength(1);
        expect(started.printed()).toMatch(new RegExp(`^${name}: .*taken`));
      } finally {
        taken.close();
      }
    },
  );

  it('names PROMPTS_FOLDER when a prompt is missing', async () => {
    const empty = join(folder, 'no-prompts');
    await mkdir(empty);
    const started = await run({ ...settings, PROMPTS_FOLDER: empty });
    expect(started.code()).toBe(1);
    expect(lines(started.printed())).toHaveLength(1);
    expect(started.printed()).toMatch(/PROMPTS_FOLDER/);
  });

  it('names DATA_FOLDER when it is none', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const started = await run({ ...settings, DATA_FOLDER: join(file, 'data') });
    expect(started.code()).toBe(1);
    expect(lines(started.printed())).toHaveLength(1);
    expect(started.printed()).toMatch(/DATA_FOLDER/);
  });

  it.each([
    [{ CITY: 'atlantis' }, /^CITY: /],
    [{ FLOW: 'none' }, /^FLOW: /],
    [{ HTTP_PORT: 'many' }, /^HTTP_PORT: /],
    [{ DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:9/none' }, /^DATABASE_URL: (?!.*secret)/],
    [
      { FREESWITCH_ESL: '127.0.0.1:9', FREESWITCH_ESL_PASSWORD: 'not-the-password' },
      /^FREESWITCH_ESL: (?!.*not-the-password)/,
    ],
  ])('says in one line what is wrong with %o', async (wrong, line) => {
    const started = await run({ ...settings, ...wrong });
    expect(started.code()).toBe(1);
    expect(started.printed()).toMatch(line);
    expect(lines(started.printed())).toHaveLength(1);
  });
});

const lines = (text: string): string[] => text.trim().split('\n');
