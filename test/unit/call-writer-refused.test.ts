import { expect, it } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { CallWriter } from '../../src/services/calls/call-writer.ts';
import type { Spool } from '../../src/services/calls/spool.ts';
import type { CallBatch, CallStore } from '../../src/services/ports.ts';
import { newCall } from '../support/call-fixtures.ts';
import { RecordedLog } from '../support/recorded-log.ts';

const ids = (batches: readonly CallBatch[]) => batches.flatMap((batch) => batch.calls.map((call) => call.id));

it('a call that the database refuses for good is put aside, and no other waits behind it', async () => {
  const stored: CallBatch[] = [];
  const aside: CallBatch[] = [];
  const store: CallStore = {
    write(batch) {
      const poisoned = batch.calls.some((call) => call.id === 'refused');
      // SQLSTATE 22021: a character that is not in the database's repertoire.
      if (poisoned) return Promise.reject(Object.assign(new Error('invalid byte sequence'), { code: '22021' }));
      stored.push(batch);
      return Promise.resolve();
    },
    live: () => Promise.resolve([]),
    lastPositions: () => Promise.resolve(new Map()),
  };
  const spool: Spool = {
    keep: () => Promise.resolve(),
    take: () => Promise.resolve(undefined),
    clear: () => Promise.resolve(),
    setAside(batch) {
      aside.push(batch);
      return Promise.resolve();
    },
  };
  const log = new RecordedLog();
  const writer = new CallWriter({ store, clock: systemClock, log, spool });
  for (const id of ['first', 'refused', 'second', 'third']) writer.call({ ...newCall(), id });
  await writer.flush();
  expect(ids(stored)).toEqual(['first', 'second', 'third']);
  expect(ids(aside)).toEqual(['refused']);
  expect(log.lines.join('\n')).toContain('refuses these call records for good');
  expect(writer.healthy).toBe(true);
  expect(writer.backlog).toBe(0);
});
