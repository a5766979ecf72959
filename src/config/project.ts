import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this project (where package.json lies), both when run from `src` and when run from `dist/src`. */
export const projectFolder: string = findUpwards(dirname(fileURLToPath(import.meta.url)));

function findUpwards(start: string): string {
  let folder = start;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${start}`);
    folder = parent;
  }
  return folder;
}
