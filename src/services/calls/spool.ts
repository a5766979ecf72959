import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Call } from '../../domain/call/call.ts';
import { errorChain, SetupError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { CallBatch, JournalEntry, LegRecord } from '../ports.ts';

/** What an earlier process kept. */
export interface Spooled {
  readonly backlog: CallBatch;
  /** Another control may have led between that process and this one. */
  readonly anotherLed: boolean;
}

/** Where records wait on disk while the database is gone, in case control goes as well. */
export interface Spool {
  /** Replaces what is kept by this backlog. */
  keep(backlog: CallBatch): Promise<void>;
  /** What an earlier process kept; undefined when there is nothing. */
  take(): Promise<Spooled | undefined>;
  /** Keeps, beside the spool, what the database refuses for good. */
  setAside(batch: CallBatch): Promise<void>;
  /** Forgets everything: it has been stored. */
  clear(): Promise<void>;
}

interface SpoolFile {
  /** Absent in the files of versions that knew no standby. */
  readonly epoch?: string;
  readonly calls: Call[];
  readonly journal: JournalEntry[];
  readonly legs: LegRecord[];
}

/**
 * A spool in one file, replaced as a whole so that a crash in the middle leaves the older one. Its size is bounded by
 * the writer's backlog. Storing the same records twice changes nothing, so it may be taken again after a crash.
 *
 * It is signed with the leader's epoch (docs/adr/0015): the records of the epoch just before this one are continued by
 * this process; with an epoch in between another machine may have led, and its records count.
 */
export function fileSpool(path: string, epoch: string, log: Logger): Spool {
  return {
    async keep(backlog) {
      const draft = `${path}.new`;
      // With a database and a switch of its own, the service has had no use for the folder so far.
      await mkdir(dirname(path), { recursive: true });
      await writeFile(draft, JSON.stringify({ epoch, ...backlog }), { mode: 0o600 });
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
        const { epoch: ofEpoch, calls, journal, legs } = JSON.parse(text) as SpoolFile;
        const anotherLed = ofEpoch !== undefined && BigInt(epoch) - BigInt(ofEpoch) > 1n;
        log.warn(
          { calls: calls.length, journal: journal.length, ofEpoch, anotherLed },
          'there are call records that an earlier process could not store',
        );
        return { backlog: { calls, journal, legs }, anotherLed };
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
