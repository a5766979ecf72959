/** A disk that is full for real: a tiny tmpfs where this user may mount one, else files that lead to /dev/full. */
import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const commandMs = 10_000;

export interface FullDisk {
  /** True when the folder itself is a disk that is full, which a look at its free space tells. */
  readonly mounted: boolean;
  /** A file on it, which can be opened; nothing much can be written into it. */
  file(name: string): Promise<string>;
  /** Gives the disk back. Nothing may be open on it any more. */
  release(): Promise<void>;
}

/** @param folder is hidden by the disk if it is there already, and gone afterwards. */
export async function fullDisk(folder: string): Promise<FullDisk> {
  await mkdir(folder, { recursive: true });
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0777', 'tmpfs', folder], {
    timeout: commandMs,
  }).then(
    () => true,
    // Not root, or no rights to mount: the other way needs neither.
    () => false,
  );
  if (mounted) await writeFile(join(folder, 'ballast'), Buffer.alloc(32 * 1024));
  return {
    mounted,
    file: async (name) => {
      const path = join(folder, name);
      if (!mounted) await symlink('/dev/full', path);
      return path;
    },
    release: async () => {
      if (mounted) await run('umount', ['-l', folder], { timeout: commandMs });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
