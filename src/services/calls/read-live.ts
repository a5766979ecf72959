import { errorChain } from '../../kernel/errors.ts';
import type { CallStore } from '../ports.ts';
import type { CallRuntimeOptions } from './runtime-options.ts';

const readAgainMs = 500;

/**
 * The calls that an earlier process left. Without them control would take their legs for strangers, so it asks until the
 * store answers.
 * @throws what the store threw, when the process is closing.
 */
export async function readLive(
  { store, clock, log }: Pick<CallRuntimeOptions, 'store' | 'clock' | 'log'>,
  isClosing: () => boolean,
): ReturnType<CallStore['live']> {
  for (;;) {
    try {
      return await store.live();
    } catch (error) {
      if (isClosing()) throw error;
      const words = 'live calls can’t be read; new callers are left to the dialplan meanwhile';
      log.error({ error: errorChain(error) }, words);
      await new Promise<void>((resolve) => {
        clock.setTimer(readAgainMs, resolve);
      });
    }
  }
}
