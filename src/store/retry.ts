import pg from 'pg';

/** How often and how patiently a statement that failed for this reason is tried again. */
export interface RetryRule {
  readonly attempts: number;
  /** The wait before the second attempt; it doubles with each further one. */
  readonly firstDelayMs: number;
}

const contention: RetryRule = { attempts: 5, firstDelayMs: 10 };
const restart: RetryRule = { attempts: 6, firstDelayMs: 100 };

/**
 * The errors after which the same work may succeed, by SQLSTATE (PostgreSQL's manual, appendix A). All of them say for
 * certain that nothing was committed, so trying again can't do a thing twice. A connection that broke in the middle
 * says nothing of the kind and is not here: work that may be repeated asks for that with `repeatable`.
 */
const retryRules: Readonly<Record<string, RetryRule>> = {
  '40001': contention, // serialization_failure
  '40P01': contention, // deadlock_detected
  '55P03': contention, // lock_not_available
  '53300': restart, // too_many_connections
  '57P03': restart, // cannot_connect_now: starting up or shutting down
  ECONNREFUSED: restart, // nobody listens: PostgreSQL is being restarted
};

/** Errors of a connection that broke; whether the work was done is not known. */
const brokenRules: Readonly<Record<string, RetryRule>> = {
  '57P01': restart, // admin_shutdown
  '57P02': restart, // crash_shutdown
  '08006': restart, // connection_failure
  ECONNRESET: restart,
  EPIPE: restart,
};

export interface RetryOptions {
  /** The work may run twice without harm, so it is also repeated when it isn't known whether it was done. */
  readonly repeatable?: boolean;
}

/** The rule for an error; undefined when trying again is no use or not safe. */
export function retryRuleOf(error: unknown, { repeatable = false }: RetryOptions = {}): RetryRule | undefined {
  const code = codeOf(error);
  const broken = code === undefined && /^Connection terminated/.test(messageOf(error)) ? restart : undefined;
  const certain = code === undefined ? undefined : retryRules[code];
  if (certain || !repeatable) return certain;
  return code === undefined ? broken : brokenRules[code];
}

/**
 * Runs `work` and tries it again by the table. It must be a whole: one statement or one transaction.
 * @throws the last error.
 */
export async function withRetry<T>(work: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const rule = retryRuleOf(error, options);
      if (rule === undefined || attempt >= rule.attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, delayMs(rule, attempt)));
    }
  }
}

/** Up to half as much again at random, so that rivals don't meet a second time. */
function delayMs(rule: RetryRule, attempt: number): number {
  return rule.firstDelayMs * 2 ** (attempt - 1) * (1 + Math.random() / 2);
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
