import type { Clock } from './clock.ts';

/** The operation did not end in time. What it was doing may still happen. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  readonly afterMs: number;

  constructor(what: string, afterMs: number) {
    super(`${what} did not end within ${afterMs} ms`);
    this.afterMs = afterMs;
  }
}

/**
 * Like `withDeadline`, by a clock that is handed in: for control code, which the simulation runs in virtual time.
 * @throws DeadlineError when time is up; the work itself is not stopped.
 */
export function withinTime<T>(clock: Clock, what: string, afterMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(afterMs, () => reject(new DeadlineError(what, afterMs)));
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}

/**
 * Waits for `work`, but no longer than `afterMs`.
 * @throws DeadlineError when time is up; the work itself is not stopped.
 */
export async function withDeadline<T>(what: string, afterMs: number, work: Promise<T>): Promise<T> {
  let handle: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    handle = setTimeout(() => reject(new DeadlineError(what, afterMs)), afterMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(handle);
  }
}
