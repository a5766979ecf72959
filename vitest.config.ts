import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The alias of web/vite.config.ts, for tests that import a page's module. */
const alias = { '@desk/protocol': file('./src/desk/protocol.ts') };
/**
 * On a machine of CI a test of the two projects that follow real sound and real browsers gets a second try; the report
 * names it (`retry x1`), and it is a bug to be found all the same. At a desk there is no second try.
 */
const retry = process.env.CI === undefined ? 0 : 1;
const globalSetup = ['./test/support/postgres-global-setup.ts'];
const ofSwitches = { globalSetup, testTimeout: 30_000, hookTimeout: 60_000, retry };
// What tests the embedded switch's own parts stays away from a run on FreeSWITCH.
const notHere = process.env.SWITCH_UNDER_TEST === 'freeswitch' ? ['test/switch/embedded-*.test.ts'] : [];
const alone = ['test/switch/{survival,nodes}/**/*.test.ts', 'test/switch/end-to-end/overload.test.ts'];

/**
 * One project per kind of test. Switch and web tests start processes of their own and follow real sound. Most switch tests
 * wait more than they work, so two of their files run side by side. Where whole processes die, or a hundred calls are on,
 * one file has the machine to itself, and so have the browsers: two cores can't hear a tone in time while they start.
 */
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], sequence: { groupOrder: 0 } },
      },
      {
        resolve: { alias },
        test: {
          name: 'store',
          include: ['test/store/**/*.test.ts'],
          globalSetup,
          testTimeout: 20_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'switch',
          include: ['test/switch/**/*.test.ts'],
          exclude: [...alone, ...notHere],
          ...ofSwitches,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'survival',
          include: alone,
          ...ofSwitches,
          // What could not be done at once is tried again after half a minute.
          testTimeout: 90_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'web',
          include: ['test/web/**/*.test.ts'],
          globalSetup,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
