/** The copies of unsaved forms on this machine, in the browser's localStorage. */
import { orderBodySchema } from '@desk/protocol';
import { z } from 'zod';
import type { LocalCopy } from './draft.ts';

/** The part of `Storage` that is used. */
export interface StorageLike {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface LocalCopies {
  /** All copies of this person, oldest first. */
  all(): LocalCopy[];
  get(callId: string): LocalCopy | null;
  /** False when the browser had no room or doesn't allow it. */
  put(copy: LocalCopy): boolean;
  remove(callId: string): void;
}

const copySchema = z.object({
  callId: z.string(),
  baseVersion: z.number().int().min(0),
  body: orderBodySchema.nullable(),
  unsure: z.array(orderBodySchema),
  kept: orderBodySchema.nullable(),
  changedAtMs: z.number(),
});

/** One person's copies; people who share a machine don't see each other's. */
export function localCopies(storage: StorageLike, personId: string): LocalCopies {
  const prefix = `yht.draft.${personId}.`;
  const read = (key: string): LocalCopy | null => {
    const text = storage.getItem(key);
    if (text === null) return null;
    const parsed = copySchema.safeParse(parseJson(text));
    return parsed.success ? parsed.data : null;
  };
  return {
    all: () =>
      keys(storage)
        .filter((key) => key.startsWith(prefix))
        .map(read)
        .filter((copy) => copy !== null)
        .sort((a, b) => a.changedAtMs - b.changedAtMs),
    get: (callId) => read(prefix + callId),
    put(copy) {
      try {
        storage.setItem(prefix + copy.callId, JSON.stringify(copy));
        return true;
      } catch {
        // The only ways to fail are "no room" and "not allowed"; the caller tells the person.
        return false;
      }
    },
    remove: (callId) => storage.removeItem(prefix + callId),
  };
}

function keys(storage: StorageLike): string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index)).filter((key) => key !== null);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not ours, or cut short by a crash: the same as no copy.
    return undefined;
  }
}
