import { isAbsolute, join } from 'node:path';
import { err, ok, type Result } from '../../kernel/result.ts';
import type { Sound, SwitchFailure } from '../port.ts';

/** The Chinese ringback tone (GB/T 3380): 450 Hz, one second on, four seconds off. */
const RINGBACK = 'tone_stream://%(1000,4000,450);loops=-1';
const MAX_SOUNDS = 64;
const MAX_SILENCE_MS = 3_600_000;

/**
 * Characters that mean something to FreeSWITCH inside a file name: `!` joins files, `${` is expanded, quotes and
 * backslashes are cut, `@@` seeks, and control characters break the command.
 */
const BAD_IN_PATH = /[!$'"\\{}[\]|]|@@|\p{Cc}/u;

function bad(message: string): Result<never, SwitchFailure> {
  return err({ kind: 'bad-argument', message });
}

/**
 * A file path as the switch may be told it.
 * @param folder where a relative path begins
 */
export function switchPath(path: string, folder: string | undefined): Result<string, SwitchFailure> {
  if (path === '' || BAD_IN_PATH.test(path) || path.split('/').includes('..')) {
    return bad(`the switch can't be given this path: ${JSON.stringify(path.slice(0, 120))}`);
  }
  if (isAbsolute(path)) return ok(path);
  return folder === undefined ? bad(`not an absolute path: ${path.slice(0, 120)}`) : ok(join(folder, path));
}

function one(sound: Sound, folder: string | undefined): Result<string, SwitchFailure> {
  switch (sound.kind) {
    case 'file':
      return switchPath(sound.path, folder);
    case 'silence': {
      const durationMs = Math.round(sound.durationMs);
      return durationMs >= 1 && durationMs <= MAX_SILENCE_MS
        ? ok(`silence_stream://${durationMs}`)
        : bad(`silence of ${sound.durationMs} ms`);
    }
    case 'ringback':
      return ok(RINGBACK);
  }
}

/** What `playback` is told to play these sounds one after the other. */
export function playbackArgument(
  sounds: readonly Sound[],
  promptsFolder: string | undefined,
): Result<string, SwitchFailure> {
  if (sounds.length === 0 || sounds.length > MAX_SOUNDS) return bad(`${sounds.length} sounds`);
  const parts: string[] = [];
  for (const sound of sounds) {
    const part = one(sound, promptsFolder);
    if (!part.ok) return part;
    parts.push(part.value);
  }
  return ok(parts.length === 1 ? (parts[0] ?? '') : `file_string://${parts.join('!')}`);
}
