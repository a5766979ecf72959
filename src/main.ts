import { addPersonCommand } from './cli/add-person.ts';
import { lintFlowsCommand } from './cli/lint-flows.ts';
import { newPasswordsCommand } from './cli/new-passwords.ts';
import { serveCommand } from './cli/serve.ts';
import { simulateCommand } from './cli/simulate.ts';
import { switchConfigCommand } from './cli/switch-config.ts';

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const commands: Readonly<Record<string, (args: string[]) => number | Promise<number>>> = {
  serve: () => serveCommand(process.env, print),
  'add-person': (args) => addPersonCommand(process.env, args, print),
  'new-passwords': (args) => newPasswordsCommand(process.env, args, print),
  'lint-flows': (args) => lintFlowsCommand(args, print),
  simulate: (args) => simulateCommand(args, print),
  'switch-config': (args) => switchConfigCommand(process.env, args, print),
};

const [name = 'serve', ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  print(`Unknown command "${name}"; known are ${Object.keys(commands).join(', ')}`);
  process.exitCode = 2;
} else {
  process.exitCode = await command(args);
}
