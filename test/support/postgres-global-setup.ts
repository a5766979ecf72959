/** Vitest's global set-up: one PostgreSQL for all projects of a run. */
import type { TestProject } from 'vitest/node';
import { type RunningTestServer, startTestServer, type TestServer } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    testServer: TestServer;
  }
}

interface Shared {
  users: number;
  server: Promise<RunningTestServer>;
}

/** Each project loads this module anew, but in one process: what they share hangs there. */
const key = Symbol.for('yihaotong.test-postgres');
const place = globalThis as { [key]?: Shared | undefined };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = place[key] ?? { users: 0, server: startTestServer() };
  place[key] = shared;
  shared.users += 1;
  const { adminUrl, template } = await shared.server;
  project.provide('testServer', { adminUrl, template });
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    place[key] = undefined;
    await (await shared.server).stop();
  };
}
