/** The import law of docs/ARCHITECTURE.md: kernel <- domain <- (switch, store, desk) <- services <- http, cli, main. */
const adapters = '^src/(switch|store|desk|config)/';
const upper = '^src/(services|http|cli)/|^src/(app|main)\\.ts$';
const forbid = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });
module.exports = {
  forbidden: [
    forbid('no-circular', {}, { circular: true }, 'A cycle hides who owns what.'),
    forbid('kernel-imports-nothing-of-ours', { path: '^src/kernel/' }, { path: '^src/', pathNot: '^src/kernel/' }, ''),
    forbid(
      'domain-is-pure',
      { path: '^src/domain/' },
      { path: `${adapters}|${upper}` },
      'domain decides, adapters act',
    ),
    forbid(
      'domain-no-io-packages',
      { path: '^src/domain/' },
      { dependencyTypes: ['npm', 'core'], pathNot: 'node_modules/zod' },
      'no packages but zod, no Node modules',
    ),
    forbid('adapters-not-upwards', { path: adapters }, { path: upper }, ''),
    forbid(
      'embedded-switch-alone',
      { path: '^src/switch/embedded/' },
      { path: '^src/', pathNot: '^src/(switch/(embedded/|esl/(framing|wire))|kernel/)' },
      'the embedded switch shares only the ESL framing and the kernel',
    ),
    forbid(
      'nobody-reaches-into-embedded',
      { path: '^src/', pathNot: '^src/switch/embedded/' },
      { path: '^src/switch/embedded/', pathNot: '^src/switch/embedded/(launch|config)\\.ts$' },
      'the embedded switch is a process: only its launcher is known outside',
    ),
    forbid('services-not-http', { path: '^src/services/' }, { path: '^src/(http|cli)/|^src/(app|main)\\.ts$' }, ''),
    forbid(
      'simulation-imports-control-alone',
      { path: '^src/simulation/' },
      {
        path: '^src/',
        pathNot:
          '^src/(simulation|kernel|domain|services)/|^src/switch/(port|ways-out|cluster/cluster)\\.ts$|^src/desk/protocol\\.ts$',
      },
      'the simulation runs the control code, and the cluster that it sees, on a switch, store and clock of its own',
    ),
    forbid(
      'nobody-needs-the-simulation',
      { path: '^src/', pathNot: '^src/(simulation|cli)/' },
      { path: '^src/simulation/' },
      'only the command and the tests run it',
    ),
    forbid('src-not-tests', { path: '^src/' }, { path: '^(test|bench|scripts)/' }, ''),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
