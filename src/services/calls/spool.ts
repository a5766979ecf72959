import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Call } from '../../domain/call/call.ts';
import { errorChain, SetupError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { CallBatch, JournalEntry, LegRecord } from '../ports.ts';

/** Where records wait on disk while the database is gone, in case control goes as well. */
export interface Spool {
  /** Replaces what is kept by this backlog. */
  keep(backlog: CallBatch): Promise<void>;
  /** What an earlier process kept; undefined when there is nothing. */
  take(): Promise<CallBatch | undefined>;
  /** Keeps, beside the spool, what the database refuses for good. */
  setAside(batch: CallBatch): Promise<void>;
  /** Forgets everything: it has been stored. */
  clear(): Promise<void>;
}

/**
 * A spool in one file, replaced as a whole so that a crash in the middle leaves the older one. Its size is bounded by
 * the writer's backlog. Storing the same records twice changes nothing, so it may be taken again after a crash.
 */
export function fileSpool(path: string, log: Logger): Spool {
  return {
    async keep(backlog) {
      const draft = `${path}.new`;
      // With a database and a switch of its own, the service has had no use for the folder so far.
      await mkdir(dirname(path), { recursive: true });
      await writeFile(draft, JSON.stringify(backlog), { mode: 0o600 });
      await rename(draft, path);
    },
    async take() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw new SetupError(`DATA_FOLDER: ${path} can't be read (${error.message})`, { cause: error });
      });
      if (text === undefined) return undefined;
      try {
        // Our own file, written by the same types; the database checks what is stored.
        const kept = JSON.parse(text) as { calls: Call[]; journal: JournalEntry[]; legs: LegRecord[] };
        log.warn(
          { calls: kept.calls.length, journal: kept.journal.length },
          'call records that an earlier process could not store are stored now',
        );
        return kept;
      } catch (error) {
        const aside = `${path}.damaged`;
        await rename(path, aside);
        log.error(
          { aside, error: errorChain(error) },
          'spooled call records can’t be read; put aside for a person to look at',
        );
        return undefined;
      }
    },
    async setAside(batch) {
      await mkdir(dirname(path), { recursive: true });
      await appendFile(`${path}.refused`, `${JSON.stringify(batch)}\n`, { mode: 0o600 });
    },
    clear: () => rm(path, { force: true }),
  };
}
