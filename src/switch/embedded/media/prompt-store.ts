import { type FileHandle, open, stat } from 'node:fs/promises';
import { withDeadline } from '../../../kernel/deadline.ts';
import { errorChain } from '../../../kernel/errors.ts';
import { err, ok, type Result } from '../../../kernel/result.ts';
import { decodeWav, parseWav } from './wav-reader.ts';

/** A quarter of an hour at 8 kHz: prompts are shorter, and what is longer would crowd out all others. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** Decoded samples kept for the next caller. */
const MAX_CACHE_BYTES = 48 * 1024 * 1024;
const LOAD_DEADLINE_MS = 5000;

interface CachedPrompt {
  readonly version: string;
  readonly samples: Int16Array;
}

/** Decoded prompts, the least recently used forgotten first. A file that has changed is read again. */
export class PromptStore {
  readonly #cache = new Map<string, CachedPrompt>();
  readonly #loading = new Map<string, Promise<Result<Int16Array, string>>>();
  #cachedBytes = 0;

  /** The samples of a WAV file at 8 kHz, or one line saying why there are none. Never rejects. */
  load(path: string): Promise<Result<Int16Array, string>> {
    const underway = this.#loading.get(path);
    if (underway !== undefined) return underway;
    const loading = withDeadline(`Reading ${path}`, LOAD_DEADLINE_MS, this.#read(path))
      .catch((error: unknown) => err(errorChain(error)))
      .finally(() => this.#loading.delete(path));
    this.#loading.set(path, loading);
    return loading;
  }

  async #read(path: string): Promise<Result<Int16Array, string>> {
    const info = await stat(path);
    // A pipe or a device would never end.
    if (!info.isFile()) return err('not a plain file');
    if (info.size > MAX_FILE_BYTES) return err(`${info.size} bytes, at most ${MAX_FILE_BYTES} are played`);
    const version = `${info.mtimeMs}/${info.size}/${info.ino}`;
    const cached = this.#cache.get(path);
    if (cached?.version === version) {
      this.#cache.delete(path);
      this.#cache.set(path, cached);
      return ok(cached.samples);
    }
    const file = await readBounded(path, info.size);
    const format = parseWav(file);
    if (!format.ok) return format;
    const samples = await decodeWav(file, format.value);
    this.#keep(path, { version, samples });
    return ok(samples);
  }

  #keep(path: string, prompt: CachedPrompt): void {
    this.#forget(path);
    this.#cache.set(path, prompt);
    this.#cachedBytes += prompt.samples.byteLength;
    for (const oldest of this.#cache.keys()) {
      if (this.#cachedBytes <= MAX_CACHE_BYTES) break;
      this.#forget(oldest);
    }
  }

  #forget(path: string): void {
    const old = this.#cache.get(path);
    if (old === undefined) return;
    this.#cachedBytes -= old.samples.byteLength;
    this.#cache.delete(path);
  }
}

/** Reads at most `size` bytes: a file that grows meanwhile doesn't run away with the memory. */
async function readBounded(path: string, size: number): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const bytes = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await file?.close();
  }
}
