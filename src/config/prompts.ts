import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorChain, SetupError } from '../kernel/errors.ts';
import { readTelephoneWav } from './wav-header.ts';

/** The prompts of one city, each from the folder that counts for it. */
export interface Prompts {
  /** The absolute path of the prompt's WAV file. @throws SetupError when there is no such prompt. */
  path(id: string): string;
  /** Every prompt with its length, as the linter wants them. */
  readonly known: ReadonlyMap<string, { readonly durationMs: number }>;
}

interface Entry {
  readonly path: string;
  readonly durationMs: number;
}

/**
 * Finds the prompts: `<id>.wav` in the folders, where a later folder (a city's recordings) replaces the files of an
 * earlier one. Run once at the start, so that a missing or unusable file is told then and not to a citizen.
 * @param optional folders that need not exist, e.g. of a city without recordings of its own; they count last.
 * @throws SetupError when a folder can't be read, a file is no 8 kHz mono 16-bit WAV, or one of `required` is missing.
 */
export function loadPrompts(
  folders: readonly string[],
  required: readonly string[] = [],
  optional: readonly string[] = [],
): Prompts {
  const entries = new Map<string, Entry>();
  for (const folder of folders) addFolder(entries, folder, false);
  for (const folder of optional) addFolder(entries, folder, true);

  const path = (id: string): string => {
    const entry = entries.get(id);
    if (entry !== undefined) return entry.path;
    const where = [...folders, ...optional].join(', ');
    throw new SetupError(`The prompt "${id}" is missing: put ${id}.wav into ${where} (PROMPTS_FOLDER)`);
  };
  for (const id of required) path(id);
  return { path, known: entries };
}

function addFolder(entries: Map<string, Entry>, folder: string, mayBeMissing: boolean): void {
  for (const file of listWavFiles(folder, mayBeMissing)) {
    const path = resolve(folder, file);
    entries.set(file.slice(0, -'.wav'.length), { path, durationMs: durationOf(path) });
  }
}

function listWavFiles(folder: string, mayBeMissing: boolean): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.wav'));
  } catch (error) {
    if (mayBeMissing && error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new SetupError(`Can't read the folder of prompts ${folder} (PROMPTS_FOLDER): ${errorChain(error)}`, {
      cause: error,
    });
  }
}

function durationOf(path: string): number {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new SetupError(`Can't read the prompt ${path} (PROMPTS_FOLDER): ${errorChain(error)}`, { cause: error });
  }
  const facts = readTelephoneWav(bytes);
  if (!facts.ok) throw new SetupError(`The prompt ${path} (PROMPTS_FOLDER) can't be played: ${facts.error}`);
  return facts.value.durationMs;
}
