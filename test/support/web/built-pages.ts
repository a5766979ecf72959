/** Builds the pages when they are missing or older than what they are made of. */
import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectFolder } from '../../../src/config/project.ts';

const buildWithinMs = 100_000;
const sources = ['web/src', 'web/public', 'web/index.html', 'web/vite.config.ts', 'src/desk/protocol.ts'];

/** Leaves `web/dist` as today's sources make it. */
export async function buildPages(): Promise<void> {
  const times = await Promise.all(sources.map((path) => newestMs(join(projectFolder, path))));
  const built = await stat(join(projectFolder, 'web/dist/index.html')).catch(() => undefined);
  if (built !== undefined && built.mtimeMs >= Math.max(...times)) return;
  await promisify(execFile)('npm', ['run', '-s', 'build:web'], { cwd: projectFolder, timeout: buildWithinMs });
}

async function newestMs(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const inside = await readdir(path, { recursive: true });
  const times = await Promise.all(inside.map(async (name) => (await stat(join(path, name))).mtimeMs));
  // A file that was deleted shows in its folder's time.
  return Math.max(found.mtimeMs, ...times);
}
