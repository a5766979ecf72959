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
