import { describe, expect, it } from 'vitest';
import { CallWriter } from '../../src/services/calls/call-writer.ts';
import type { CallBatch, CallStore } from '../../src/services/ports.ts';
import { newCall } from '../support/call-fixtures.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { RecordedLog } from '../support/recorded-log.ts';

const withinMs = 1000;
const call = newCall();

/** A store whose writes end when the test says so, as a slow disk's do. */
class SlowStore implements CallStore {
  readonly batches: CallBatch[] = [];
  readonly #endings: ((error?: Error) => void)[] = [];

  write(batch: CallBatch): Promise<void> {
    this.batches.push(batch);
    return new Promise((resolve, reject) => {
      this.#endings.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  live(): Promise<[]> {
    return Promise.resolve([]);
  }

  lastPositions(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map());
  }

  /** Ends the oldest write. */
  async end(error?: Error): Promise<void> {
    this.#endings.shift()?.(error);
    await settle();
  }
}

function newWriter() {
  const store = new SlowStore();
  const clock = new ManualClock();
  const log = new RecordedLog();
  const writer = new CallWriter({ store, clock, log });
  return { store, clock, log, writer };
}

/** Whether the writer says that the call is stored, seen by the test. */
function watchStored(writer: CallWriter, callId: string): { readonly told: boolean } {
  const watched = { told: false };
  void writer.stored(callId, withinMs).then(() => {
    watched.told = true;
  });
  return watched;
}

describe('whether the store knows a call', () => {
  it('is told as soon as its first record is written, whatever else waits', async () => {
    const { store, writer } = newWriter();
    writer.call(call);
    const watched = watchStored(writer, call.id);
    writer.call({ ...newCall(), id: 'another' });
    await settle();
    expect(watched.told).toBe(false);
    await store.end();
    expect(watched.told).toBe(true);
    expect(writer.backlog).toBeGreaterThan(0);
  });

  it('is told at once for a call that waited before, although its newest state is not written yet', async () => {
    const { store, writer } = newWriter();
    writer.call(call);
    await store.end();
    writer.call({ ...call, state: 'waiting' });
    const watched = watchStored(writer, call.id);
    await settle();
    expect(watched.told).toBe(true);
    expect(store.batches).toHaveLength(2);
  });

  it('is not waited for while the database is in trouble', async () => {
    const { store, writer } = newWriter();
    writer.call(call);
    const first = watchStored(writer, call.id);
    await store.end(new Error('no such database'));
    expect(first.told).toBe(true);
    const second = watchStored(writer, call.id);
    await settle();
    expect(second.told).toBe(true);
  });

  it('is waited for no longer than asked, and the log says so', async () => {
    const { clock, log, writer } = newWriter();
    writer.call(call);
    const watched = watchStored(writer, call.id);
    await clock.advance(withinMs);
    expect(watched.told).toBe(true);
    expect(log.lines.join('\n')).toContain('is late');
  });

  it('is forgotten when the call has ended', async () => {
    const { store, writer } = newWriter();
    writer.call(call);
    await store.end();
    writer.call({ ...call, state: 'ended' });
    await store.end();
    const watched = watchStored(writer, call.id);
    await settle();
    expect(watched.told).toBe(false);
  });
});
