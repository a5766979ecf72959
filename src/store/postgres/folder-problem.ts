import { SetupError } from '../../kernel/errors.ts';

const words: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  // Node's recursive mkdir says this when the disk is read-only.
  ENOENT: 'it is not there and can not be made',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'a file of that name is in the way',
};

/** The operating system's error word (`ENOENT`, …) of an error, if it has one. */
export function osCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** One clear line about a file or folder of the data that can't be used; other errors come back as they are. */
function folderProblem(path: string, error: unknown): unknown {
  const word = words[osCode(error) ?? ''];
  if (word === undefined) return error;
  return new SetupError(`DATA_FOLDER: ${path} can't be used: ${word}; mend that or name another folder`, {
    cause: error,
  });
}

/** Runs `work` on `path` and turns the operating system's refusals into one clear line. */
export async function onFolder<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw folderProblem(path, error);
  }
}

/**
 * Runs `work`; undefined when what it looks for isn't there.
 * @throws every other error, as a clear line where there is one.
 */
export async function ifThere<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (osCode(error) === 'ENOENT') return undefined;
    throw folderProblem(path, error);
  }
}
