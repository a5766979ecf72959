/**
 * Which of several controls leads (docs/adr/0015). The leader holds a lease in PostgreSQL and counts it by its own
 * monotonic clock from before it asked for it; standbys wait for its end.
 */
import { DeadlineError, withDeadline } from '../kernel/deadline.ts';
import { errorChain, SetupError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { type Holder, type LeaderRow, type LeaderStore, leaderDeadlineMs } from '../store/leadership.ts';
import { hasDied } from './holder.ts';

const leaseMs = 2_500;
const renewEveryMs = 700;
/** The leader stops to count on its lease so much earlier than the database does. */
const marginMs = 250;
/** While the database does not answer a standby asks it again after this. */
const lookAgainMs = 500;
/** Connecting and asking. */
const attemptMs = 2 * leaderDeadlineMs + 200;

const monotonicMs = (): number => performance.now();

export interface LeadershipOptions {
  readonly store: LeaderStore;
  readonly holder: Holder;
  readonly webUrl: string;
  /** No other control can ever reach this database: a link may be made anew also while it does not answer. */
  readonly sole: boolean;
  readonly log: Logger;
  /** Called once, when another one leads and this one begins to wait. */
  readonly onStandby: (leader: LeaderRow) => Promise<void>;
  /** Another one leads: nothing may be done any more. */
  readonly onLost: () => void;
  /** Ends the waiting. */
  readonly stop: AbortSignal | undefined;
}

/** Told to stop while it waited; nothing was begun. */
export class StoppedWhileWaiting extends Error {}

/** Waits until this control leads. */
export async function becomeLeader(options: LeadershipOptions): Promise<Leadership> {
  const { store, holder, webUrl, log, stop } = options;
  let waiting = false;
  let failing = false;
  for (;;) {
    if (stop?.aborted === true) throw new StoppedWhileWaiting();
    const sentAtMs = monotonicMs();
    const row = await store.look().catch((error: unknown) => {
      if (!waiting) throw new SetupError(`DATABASE_URL: who leads can't be asked (${errorChain(error)})`);
      if (!failing) log.warn({ error: errorChain(error) }, 'the standby does not reach the database; it asks again');
      return undefined;
    });
    if (row === undefined) {
      failing = true;
      await nap(store, lookAgainMs, stop);
      continue;
    }
    if (failing) {
      // The leader was cut off as well, perhaps, and goes on: it is given the time to renew first.
      failing = false;
      await nap(store, leaseMs, stop);
      continue;
    }
    const holderDied = !row.released && row.holder !== undefined && (await hasDied(row.holder));
    if (holderDied || row.leaseLeftMs <= 0) {
      const epoch = await store
        .take({ after: row.epoch, holderDied, holder, webUrl, leaseMs })
        .catch(async (error: unknown) => {
          log.warn({ error: errorChain(error) }, 'leadership could not be taken; tried again');
          await nap(store, lookAgainMs, stop);
          return undefined;
        });
      if (epoch !== undefined) return new Leadership(options, epoch, sentAtMs, row.released);
      continue;
    }
    if (!waiting) await options.onStandby(row);
    waiting = true;
    await nap(store, row.leaseLeftMs + 1, stop);
  }
}

/** Waits so long, or until a leader leaves in order, or until told to stop. */
function nap(store: LeaderStore, ms: number, stop: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      store.onReleased = undefined;
      stop?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    store.onReleased = wake;
    stop?.addEventListener('abort', wake);
  });
}

export class Leadership {
  readonly epoch: string;
  /** The leader before left in order, so it commands nothing any more. */
  readonly orderly: boolean;
  readonly #options: LeadershipOptions;
  #validUntilMs: number;
  /** The last attempt got no answer: the database does not answer this control. */
  #unreachable = false;
  #lost = false;
  #closed = false;
  #attempt: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeadershipOptions, epoch: string, sentAtMs: number, orderly: boolean) {
    this.#options = options;
    this.epoch = epoch;
    this.orderly = orderly;
    this.#validUntilMs = sentAtMs + leaseMs - marginMs;
    this.#renewLater();
  }

  /** Whether it leads as far as it knows; false from the moment on in which another one is seen to lead. */
  get leads(): boolean {
    return !this.#lost;
  }

  /**
   * Whether a command may be sent now. With a lease that is over (this process was frozen, or slow) the database is asked
   * first. Does the database not answer at all, then yes: no other one can have taken over without it, and if one has,
   * the switch has ended our connection.
   */
  mayAct(): boolean | Promise<boolean> {
    if (this.#lost) return false;
    return this.#valid() || this.#unreachable || this.#confirm();
  }

  /** Whether a connection to the switch may be made now: only with a lease, because a new one is not fenced off. */
  mayConnect(): boolean {
    return !this.#lost && (this.#valid() || this.#options.sole);
  }

  /** Makes sure that no earlier control writes any more. */
  async endOthers(): Promise<void> {
    if (await this.#options.store.endOthers()) return;
    throw new SetupError('DATABASE_URL: connections of an earlier control could not be ended');
  }

  /** Leaves in order, so that a standby takes over at once. */
  async release(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const { store, log } = this.#options;
    await this.#attempt;
    if (!this.#lost) {
      await store.release(this.epoch).catch((error: unknown) => {
        log.warn({ error: errorChain(error) }, 'leadership was not released; it ends with its lease');
      });
    }
    await store.close();
  }

  #valid(): boolean {
    return monotonicMs() < this.#validUntilMs;
  }

  async #confirm(): Promise<boolean> {
    await this.#renew();
    // An attempt that was on its way while this process was frozen proves nothing: once more.
    if (!this.#lost && !this.#valid() && !this.#unreachable) await this.#renew();
    return !this.#lost && (this.#valid() || this.#unreachable);
  }

  #renew(): Promise<void> {
    this.#attempt ??= this.#tryOnce().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  async #tryOnce(): Promise<void> {
    const { store, log } = this.#options;
    const sentAtMs = monotonicMs();
    const held = await withDeadline('renewing the lease', attemptMs, store.renew(this.epoch, leaseMs)).catch(
      (error: unknown) => {
        // Frozen meanwhile: that nothing was heard says nothing about the database.
        if (error instanceof DeadlineError && monotonicMs() - sentAtMs > 2 * attemptMs) return undefined;
        if (!this.#unreachable)
          log.warn({ error: errorChain(error) }, 'the lease can’t be renewed: the database does not answer');
        this.#unreachable = true;
        return undefined;
      },
    );
    if (held === undefined) return;
    if (!held) {
      this.#lose();
      return;
    }
    if (this.#unreachable) log.info({ epoch: this.epoch }, 'the lease is renewed again');
    this.#unreachable = false;
    this.#validUntilMs = sentAtMs + leaseMs - marginMs;
  }

  #lose(): void {
    if (this.#lost || this.#closed) return;
    this.#lost = true;
    clearTimeout(this.#timer);
    this.#options.log.error({ epoch: this.epoch }, 'another control leads: this one does nothing any more');
    this.#options.onLost();
  }

  #renewLater(): void {
    this.#timer = setTimeout(() => {
      void this.#renew().then(() => {
        if (!this.#lost && !this.#closed) this.#renewLater();
      });
    }, renewEveryMs);
    this.#timer.unref();
  }
}
