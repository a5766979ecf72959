import { afterAll, afterEach, beforeAll } from 'vitest';
import { Bench } from './bench.ts';
import type { SwitchUnderTestOptions } from './switch.ts';

/**
 * A bench for the tests around this call: started before the first, empty after each, stopped after the last.
 * @param options a function when they are only known once earlier `beforeAll`s have run
 */
export function startBench(options: SwitchUnderTestOptions | (() => SwitchUnderTestOptions) = {}): Bench {
  const bench = new Bench();
  beforeAll(() => bench.start(typeof options === 'function' ? options() : options));
  afterEach(() => bench.settle());
  afterAll(() => bench.close());
  return bench;
}
