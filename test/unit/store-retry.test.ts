import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { retryRuleOf, withRetry } from '../../src/store/retry.ts';

function failure(code: string): Error {
  const error = new pg.DatabaseError(code, 0, 'error');
  error.code = code;
  return error;
}

/** Work that fails with these errors, one after the other, and then succeeds. */
function failing(...errors: Error[]): { work: () => Promise<string>; runs: () => number } {
  let runs = 0;
  return {
    runs: () => runs,
    async work() {
      const error = errors[runs];
      runs += 1;
      if (error) throw error;
      return 'done';
    },
  };
}

describe('trying again', () => {
  it.each(['40001', '40P01', '55P03'])('helps after %s', async (code) => {
    const { work, runs } = failing(failure(code), failure(code));
    expect(await withRetry(work)).toBe('done');
    expect(runs()).toBe(3);
  });

  it('is given up after a bound', async () => {
    const { work, runs } = failing(...Array.from({ length: 9 }, () => failure('40001')));
    await expect(withRetry(work)).rejects.toThrow('40001');
    expect(runs()).toBe(5);
  });

  it('is no use after a mistake', async () => {
    const { work, runs } = failing(failure('23505'));
    await expect(withRetry(work)).rejects.toThrow('23505');
    expect(runs()).toBe(1);
  });

  it('is safe after a broken connection only for work that may run twice', () => {
    const broken = [failure('57P01'), new Error('Connection terminated unexpectedly')];
    for (const error of broken) {
      expect(retryRuleOf(error)).toBeUndefined();
      expect(retryRuleOf(error, { repeatable: true })).toBeDefined();
    }
    expect(retryRuleOf(failure('57P03'))).toBeDefined();
    expect(retryRuleOf('no error at all', { repeatable: true })).toBeUndefined();
  });
});
