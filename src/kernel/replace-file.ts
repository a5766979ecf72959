import { chmod, chown, rename, rm, stat, writeFile } from 'node:fs/promises';

/**
 * Writes a file so that whoever reads it finds the old content or the new one, whole. The file keeps its owner: a
 * reader of another name would be shut out otherwise.
 * @throws when the folder can't be written, or when the present file belongs to somebody else and can't be given back.
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  const present = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  const draft = `${path}.${process.pid}.new`;
  try {
    await writeFile(draft, content, { mode: 0o600 });
    if (present !== undefined) {
      await chown(draft, present.uid, present.gid);
      await chmod(draft, present.mode & 0o777);
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
