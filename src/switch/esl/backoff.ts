/** How long to wait before the next attempt to connect, milliseconds. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Exponential back-off with jitter: attempt 0 waits about `firstMs`, each further one twice as long, up to `maxMs`.
 * `random` in [0, 1) spreads the wait over the upper half, so that many clients don't return at the same moment.
 */
export function backoffMs(limits: BackoffLimits, attempt: number, random: number): number {
  const full = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(full / 2 + (full / 2) * random);
}
