// `npm test` and `npm run test:freeswitch`: makes sure that the programs which the tests drive are there, runs the
// suites, says what was skipped and why, and ends with one line of totals. Plain JavaScript, because it must run
// before anything is built.
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const onFreeswitch = process.argv.includes('--freeswitch');
/** Further arguments go to vitest, for a run of a few files. */
const passedOn = process.argv.slice(2).filter((argument) => argument !== '--freeswitch');

/** Programs of Debian that the tests drive. A font has no command: it is found by its folder. */
const programs = [
  { package: 'sip-tester', there: () => inPath('sipp') !== undefined },
  { package: 'baresip-core', there: () => inPath('baresip') !== undefined },
  // Debian's own service is not wanted: the tests start Kamailio themselves, on free ports.
  { package: 'kamailio', there: () => inPath('kamailio') !== undefined },
  { package: 'chromium', there: () => inPath('chromium') !== undefined },
  { package: 'fonts-noto-cjk', there: () => existsSync('/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc') },
];

/** The only reasons for a skip, as they stand in the names of tests. */
const allowedSkip = /\(needs (FreeSWITCH|Docker)[^)]*\)/;

function inPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** How this user may run apt-get: as he is, through sudo without a password, or not at all. */
function aptPrefix() {
  if (inPath('apt-get') === undefined) return undefined;
  if (process.getuid?.() === 0) return [];
  if (inPath('sudo') === undefined) return undefined;
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore', timeout: 10_000 });
    return ['sudo', '-n'];
  } catch {
    // sudo asks for a password, which nobody is here to type.
    return undefined;
  }
}

function ensurePrograms() {
  const missing = programs.filter((program) => !program.there()).map((program) => program.package);
  if (missing.length === 0) return;
  const line = `sudo apt-get install -y ${missing.join(' ')}`;
  const prefix = aptPrefix();
  if (prefix === undefined) fail(`The tests need these programs:\n${line}`);
  console.log(`Installing for the tests: ${missing.join(' ')}`);
  const command = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const run = (...args) =>
    execFileSync(command[0], [...command.slice(1), ...args], { stdio: 'inherit', timeout: 600_000 });
  try {
    run('update');
    run('install', '-y', ...missing);
  } catch (error) {
    fail(`Installing failed (${error.message}). The tests need these programs:\n${line}`);
  }
  const still = programs.filter((program) => !program.there()).map((program) => program.package);
  if (still.length > 0) fail(`Still missing after the installation: ${still.join(' ')}\n${line}`);
}

/** Which FreeSWITCH the tests will find, or undefined. Kept in step with test/support/freeswitch.ts. */
function findFreeswitch() {
  if (process.env.FREESWITCH_ESL) return `the running one at ${process.env.FREESWITCH_ESL}`;
  const binary = process.env.FREESWITCH_BIN || inPath('freeswitch');
  if (binary) return `the binary ${binary}`;
  if (inPath('docker') === undefined) return undefined;
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 });
    return 'a container';
  } catch {
    // A client without an engine is as good as none.
    return undefined;
  }
}

function fail(message) {
  console.error(message);
  console.log('tests: 0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

function runVitest(report) {
  // The end-to-end tests lie beside the switch's.
  const projects = onFreeswitch ? ['--project', 'switch', '--project', 'survival'] : [];
  const args = [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...projects,
    ...passedOn,
  ];
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(onFreeswitch ? { SWITCH_UNDER_TEST: 'freeswitch' } : {}) },
  });
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}

/** Counts from vitest's JSON report; a file that could not even be loaded counts as one failed test. */
function totals(report) {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const tests = result.testResults.flatMap((file) =>
    file.assertionResults.map((test) => ({ status: test.status, name: test.fullName, file: file.name })),
  );
  const broken = result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failed: tests.filter((test) => test.status === 'failed').length + broken.length,
    skipped,
    forbidden: skipped.filter((test) => !allowedSkip.test(test.name)),
  };
}

function tellSkipped(skipped, forbidden) {
  const reasons = new Map();
  for (const test of skipped) {
    const reason = allowedSkip.exec(test.name)?.[0].slice(1, -1) ?? 'without an allowed reason';
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  for (const [reason, count] of reasons) console.log(`skipped: ${count} (${reason})`);
  for (const test of forbidden) console.log(`may not be skipped: ${test.file.replace(root, '')} ${test.name}`);
}

ensurePrograms();
if (onFreeswitch) {
  const found = findFreeswitch();
  if (found === undefined) {
    fail(
      'No FreeSWITCH 1.10 is at hand. Set FREESWITCH_ESL=host:port (with FREESWITCH_ESL_PASSWORD and FREESWITCH_CONF) to a ' +
        'running one, or FREESWITCH_BIN to a binary, or put `freeswitch` into the PATH, or start a Docker engine.',
    );
  }
  console.log(`The switch under test is FreeSWITCH: ${found}.`);
}

const folder = mkdtempSync(join(tmpdir(), 'yht-tests-'));
const report = join(folder, 'report.json');
const code = await runVitest(report);
if (!existsSync(report)) fail(`vitest ended with code ${code} before it could report`);
const { passed, failed, skipped, forbidden } = totals(report);
rmSync(folder, { recursive: true, force: true });
tellSkipped(skipped, forbidden);
// Errors outside of tests (a promise that nobody awaited) make vitest fail although every test passed.
const failedInAll = failed === 0 && code !== 0 ? 1 : failed;
console.log(`tests: ${passed} passed, ${failedInAll} failed, ${skipped.length} skipped`);
process.exitCode = failedInAll > 0 || forbidden.length > 0 || passed === 0 ? 1 : 0;
