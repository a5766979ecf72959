import type { Call } from '../../domain/call/call.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { withinTime } from '../../kernel/deadline.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { CallBatch, CallStore, JournalEntry, LegRecord } from '../ports.ts';
import { beforeAnotherLed, nextBatch, onlyNews } from './call-batch.ts';
import type { Spool, Spooled } from './spool.ts';

const batchLimit = 500;
/** PostgreSQL's classes for data that it can't take (22) and that contradicts its rules (23): trying again is no use. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code);
/** Another control leads (migrations/0003): what this one still believes of the calls is not true any more. */
const isOver = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'YH001';
/** More than this many entries are never held: the oldest journal lines go, the calls themselves stay. */
const backlogLimit = 50_000;
const retryDelayMs = 500;

/**
 * Writes calls, journal lines and legs behind the calls' backs, in order, as fast as the database takes them.
 * While one batch is written the next one gathers, so that a busy second costs few transactions.
 *
 * When the database is gone, nothing is lost up to `backlogLimit`; calls go on meanwhile.
 */
export class CallWriter {
  readonly #store: CallStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #spool: Spool | undefined;
  #calls = new Map<string, Call>();
  #legs = new Map<string, LegRecord>();
  #journal: JournalEntry[] = [];
  #writing: Promise<void> | undefined;
  #retry: Timer | undefined;
  #wake: (() => void) | undefined;
  #closing = false;
  #dropped = 0;
  #failing = false;
  /** How many calls go into one batch; 1 while a refused one is looked for. */
  #limit = batchLimit;
  #spooled = false;
  /** Calls that have not ended in the store and of which it knows. */
  readonly #known = new Set<string>();
  /** Who waits until a call is known to the store. */
  readonly #unknown = new Map<string, { readonly known: Promise<void>; readonly tell: () => void }>();

  constructor(options: { store: CallStore; clock: Clock; log: Logger; spool?: Spool }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#spool = options.spool;
  }

  /** False while the last attempt to write failed. */
  get healthy(): boolean {
    return !this.#failing;
  }

  /** How many entries wait to be written. */
  get backlog(): number {
    return this.#calls.size + this.#legs.size + this.#journal.length;
  }

  call(call: Call, entry?: JournalEntry): void {
    this.#calls.set(call.id, call);
    if (entry !== undefined) this.#journal.push(entry);
    if (this.#journal.length > backlogLimit) {
      this.#journal.shift();
      this.#dropped += 1;
    }
    this.#start();
  }

  leg(leg: LegRecord): void {
    this.#legs.set(leg.leg, leg);
    this.#start();
  }

  /** Resolves when all that was handed in so far is stored. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /**
   * Resolves as soon as the store knows of this call, in whatever state; a call that has waited before is known already.
   * It waits no longer than `withinMs`, and not at all while the database is known to be in trouble.
   */
  async stored(callId: string, withinMs: number): Promise<void> {
    if (this.#failing || this.#known.has(callId)) return;
    const { known } = this.#awaited(callId);
    await withinTime(this.#clock, 'storing the call', withinMs, known).catch((error: unknown) => {
      this.#unknown.delete(callId);
      this.#log.warn({ callId, error: errorChain(error) }, 'the call’s record is late; its offer does not wait for it');
    });
  }

  /** Writes what is left, waiting at most for the attempt under way plus one more. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#retry?.cancel();
    this.#wake?.();
    await this.flush();
  }

  #start(): void {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  async #drain(): Promise<void> {
    while (this.backlog > 0) {
      const waiting = { calls: this.#calls, legs: this.#legs, journal: this.#journal };
      const { calls, journal, legs } = nextBatch(waiting, this.#limit);
      try {
        await this.#store.write({ calls, journal, legs });
      } catch (error) {
        if (isOver(error)) {
          this.#log.error({ dropped: this.backlog }, 'another control leads: its call records count, not these');
          this.#forgetAll();
          return;
        }
        if (isRefusal(error)) {
          await this.#refused({ calls, journal, legs }, error);
          continue;
        }
        if (!this.#failing)
          this.#log.error(
            { backlog: this.backlog, error: errorChain(error) },
            'call records can’t be stored; kept in memory and tried again',
          );
        this.#failing = true;
        for (const callId of [...this.#unknown.keys()]) this.#tell(callId);
        if (this.#closing) {
          await this.#keepOnDisk();
          this.#log.error({ lost: this.backlog }, 'stopping with call records that were not stored');
          return;
        }
        await this.#keepOnDisk();
        await this.#pause();
        continue;
      }
      if (this.#failing) this.#log.info({ dropped: this.#dropped }, 'call records are stored again');
      this.#failing = false;
      for (const call of calls) this.#isStored(call);
      this.#forget({ calls, journal, legs });
    }
    this.#limit = batchLimit;
    if (!this.#spooled) return;
    this.#spooled = false;
    await this.#spool?.clear();
  }

  /**
   * The database will never take this batch. The rest must not wait behind it for ever: first the calls are tried one
   * by one, then the one that is refused alone is put aside for a person to look at.
   */
  async #refused(batch: CallBatch, error: unknown): Promise<void> {
    if (this.#limit > 1) {
      this.#limit = 1;
      return;
    }
    await this.#setAside(batch, `the database refuses these call records for good (${errorChain(error)})`);
    this.#forget(batch);
  }

  /** Keeps for a person to look at what can't be stored. */
  async #setAside(batch: CallBatch, why: string): Promise<void> {
    const calls = batch.calls.map((call) => call.id);
    this.#log.error({ calls }, `${why}; put aside`);
    await this.#spool?.setAside(batch).catch((cause: unknown) => {
      this.#log.error({ calls, error: errorChain(cause) }, 'call records could not be put aside; they are lost');
    });
  }

  /** What changed while it was written stays for the next round. */
  #forget({ calls, legs, journal }: CallBatch): void {
    for (const call of calls) if (this.#calls.get(call.id) === call) this.#calls.delete(call.id);
    for (const leg of legs) if (this.#legs.get(leg.leg) === leg) this.#legs.delete(leg.leg);
    const done = new Set(journal);
    this.#journal = this.#journal.filter((entry) => !done.has(entry));
  }

  #forgetAll(): void {
    this.#calls.clear();
    this.#legs.clear();
    this.#journal = [];
  }

  #isStored(call: Call): void {
    if (call.state === 'ended') this.#known.delete(call.id);
    else this.#known.add(call.id);
    this.#tell(call.id);
  }

  #tell(callId: string): void {
    this.#unknown.get(callId)?.tell();
    this.#unknown.delete(callId);
  }

  #awaited(callId: string): { readonly known: Promise<void> } {
    const waiting = this.#unknown.get(callId);
    if (waiting !== undefined) return waiting;
    let tell = (): void => undefined;
    const known = new Promise<void>((resolve) => {
      tell = resolve;
    });
    this.#unknown.set(callId, { known, tell });
    return { known };
  }

  /** Stores what an earlier process left on disk; call it before the first call of this one. */
  async takeSpool(): Promise<void> {
    const spooled = await this.#spool?.take();
    if (spooled === undefined) return;
    const kept = await this.#stillTrue(spooled);
    for (const call of kept.calls) this.#calls.set(call.id, call);
    for (const leg of kept.legs) this.#legs.set(leg.leg, leg);
    this.#journal.push(...kept.journal);
    // From here on it is this process's own.
    await this.#keepOnDisk();
    this.#start();
    await this.flush();
  }

  async #stillTrue({ backlog, anotherLed }: Spooled): Promise<CallBatch> {
    const stored = await this.#store.lastPositions(backlog.calls.map((call) => call.id));
    if (!anotherLed) return onlyNews(backlog, stored);
    const { missing, contradicting } = beforeAnotherLed(backlog, stored);
    const calls = contradicting.calls.map((call) => call.id);
    if (calls.length + contradicting.journal.length + contradicting.legs.length === 0) return missing;
    await this.#setAside(contradicting, 'these call records are from before another control led, whose records count');
    return missing;
  }

  /** A disk that fails as well is told once by the log; the records are still in memory. */
  async #keepOnDisk(): Promise<void> {
    const backlog = { calls: [...this.#calls.values()], journal: this.#journal, legs: [...this.#legs.values()] };
    try {
      await this.#spool?.keep(backlog);
      this.#spooled = true;
    } catch (error) {
      this.#log.error(
        { error: errorChain(error) },
        'call records can’t be kept on disk either; they are in memory alone',
      );
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#retry = this.#clock.setTimer(retryDelayMs, resolve);
    });
  }
}
