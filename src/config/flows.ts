import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { type Flow, flowSchema } from '../domain/ivr/flow.ts';
import { type FlowSurroundings, lintFlow } from '../domain/ivr/lint-flow.ts';
import { errorChain, SetupError } from '../kernel/errors.ts';
import { err, ok, type Result } from '../kernel/result.ts';

/** A flow is a page of text; a larger file is a mistake. */
const maxFileBytes = 256 * 1024;
const extension = '.yaml';

/**
 * The flow files of a folder, sorted by name.
 * @throws SetupError when the folder can't be read.
 */
export function listFlowFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(extension))
      .sort()
      .map((file) => join(folder, file));
  } catch (error) {
    throw new SetupError(`Can't read the folder of call flows ${folder}: ${errorChain(error)}`, {
      cause: error,
    });
  }
}

/** Reads one flow file. The failure is a list of faults, each one line that says where it is. */
export function readFlowFile(file: string): Result<Flow, readonly string[]> {
  let text: string;
  try {
    if (statSync(file).size > maxFileBytes) return err([`larger than ${maxFileBytes} bytes`]);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return err([errorChain(error)]);
  }
  return parseFlow(text, basename(file, extension));
}

/** Reads the text of a flow whose id must be `id`. */
export function parseFlow(text: string, id: string): Result<Flow, readonly string[]> {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) return err(document.errors.map((error) => error.message.split('\n')[0] ?? ''));
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    return err([errorChain(error)]);
  }
  const parsed = flowSchema.safeParse(content);
  if (!parsed.success) return err(parsed.error.issues.map(issueLine));
  if (parsed.data.id !== id) return err([`id: "${parsed.data.id}" must be the file's name, "${id}"`]);
  return ok(parsed.data);
}

function issueLine(issue: z.core.$ZodIssue): string {
  return `${issue.path.length === 0 ? 'flow' : z.core.toDotPath(issue.path)}: ${issue.message}`;
}

/**
 * All flows of the folders by their ids; a flow of a later folder (a city's) replaces one of an earlier folder.
 * @throws SetupError when a folder can't be read or a file isn't a flow.
 */
export function loadFlows(folders: readonly string[]): ReadonlyMap<string, Flow> {
  const flows = new Map<string, Flow>();
  for (const file of folders.flatMap(listFlowFiles)) {
    const flow = readFlowFile(file);
    if (!flow.ok) throw new SetupError(`The call flow ${file} can't be used: ${flow.error.join('; ')}`);
    flows.set(flow.value.id, flow.value);
  }
  return flows;
}

/**
 * Refuses a start with a flow that could lose a caller.
 * @throws SetupError with the first fault of all flows.
 */
export function requireSoundFlows(flows: ReadonlyMap<string, Flow>, surroundings: FlowSurroundings): void {
  const issues = [...flows.values()].flatMap((flow) => lintFlow(flow, surroundings));
  const first = issues[0];
  if (first === undefined) return;
  const where = first.step === undefined ? first.flow : `${first.flow}, step ${first.step}`;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more: run the lint-flows command)` : '';
  throw new SetupError(`The call flow ${where} can't be used: ${first.message}${more}`);
}
