/**
 * Checks call flows: `lint-flows [--flows <folder>]… [--prompts <folder>]… [--queue <id>]…`.
 * Without folders it checks the house's own. Exit code 0: sound; 1: faults, one line each; 2: wrong use or setup.
 */
import { parseArgs } from 'node:util';
import { listFlowFiles, readFlowFile } from '../config/flows.ts';
import { loadPrompts } from '../config/prompts.ts';
import { type FlowSurroundings, lintFlow } from '../domain/ivr/lint-flow.ts';
import { SetupError } from '../kernel/errors.ts';

interface Options {
  readonly flows: readonly string[];
  readonly prompts: readonly string[];
  readonly queues: readonly string[];
}

/** Checks the flows and writes one line for each fault. @returns the exit code. */
export function lintFlowsCommand(args: readonly string[], writeLine: (line: string) => void): number {
  try {
    return lintFolders(readOptions(args), writeLine);
  } catch (error) {
    if (error instanceof SetupError || isArgumentError(error)) {
      writeLine(error.message);
      return 2;
    }
    throw error;
  }
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      flows: { type: 'string', multiple: true, default: ['ivr-flows'] },
      prompts: { type: 'string', multiple: true, default: ['prompts'] },
      queue: { type: 'string', multiple: true, default: ['citizen'] },
    },
  });
  return { flows: values.flows, prompts: values.prompts, queues: values.queue };
}

function isArgumentError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

function lintFolders(options: Options, writeLine: (line: string) => void): number {
  const surroundings: FlowSurroundings = {
    knownPrompts: loadPrompts(options.prompts).known,
    knownQueues: new Set(options.queues),
  };
  const files = options.flows.flatMap(listFlowFiles);
  const lines = files.flatMap((file) => faultsOf(file, surroundings));
  for (const line of lines) writeLine(line);
  writeLine(`${files.length} flow(s) checked, ${lines.length} fault(s)`);
  return lines.length === 0 ? 0 : 1;
}

function faultsOf(file: string, surroundings: FlowSurroundings): string[] {
  const flow = readFlowFile(file);
  if (!flow.ok) return flow.error.map((fault) => `${file}: [not-a-flow] ${fault}`);
  return lintFlow(flow.value, surroundings).map((issue) => {
    const where = issue.step === undefined ? file : `${file}: step ${issue.step}`;
    return `${where}: [${issue.code}] ${issue.message}`;
  });
}
