import { z } from 'zod';
import { SetupError } from '../kernel/errors.ts';
import { parseCsv } from './csv.ts';

const columns = ['city', 'no', 'owner', 'name', 'numbers', 'mode', 'normalised_mode', 'note'] as const;

const rowSchema = z.object({
  owner: z.string().min(1),
  name: z.string().min(1),
  numbers: z.string().regex(/^[0-9]{3,15}(;[0-9]{3,15})*$/, 'must be numbers separated by ";"'),
  normalised_mode: z.enum(['merge', 'dual_track', 'subcenter', 'contracted', 'not_integrated']),
  note: z.string(),
});

/** A number of the city's list of hotlines. */
export interface HotlineRow {
  readonly number: string;
  readonly name: string;
  readonly owner: string;
  readonly mode: z.infer<typeof rowSchema>['normalised_mode'];
  readonly note: string;
}

/**
 * Reads the city's list of hotlines; a line with several numbers becomes several rows.
 * @throws SetupError with one line per mistake, naming the file and the line.
 */
export function readHotlines(text: string, path: string): HotlineRow[] {
  const [head, ...lines] = parseLines(text, path);
  if (head?.join() !== columns.join()) {
    throw new SetupError(`CITY: ${path}: the first line must be ${columns.join()}`);
  }
  const mistakes: string[] = [];
  const rows = lines.flatMap((line, index) => {
    const parsed = rowSchema.safeParse(Object.fromEntries(columns.map((column, at) => [column, line[at]])));
    if (parsed.success) return rowsOf(parsed.data);
    mistakes.push(
      ...parsed.error.issues.map((issue) => `line ${index + 2}: ${issue.path.join('.')}: ${issue.message}`),
    );
    return [];
  });
  const seen = new Set<string>();
  for (const { number } of rows) {
    if (seen.has(number)) mistakes.push(`${number} is there twice`);
    seen.add(number);
  }
  if (mistakes.length > 0) {
    throw new SetupError(mistakes.map((mistake) => `CITY: ${path}: ${mistake}`).join('\n'));
  }
  return rows;
}

function parseLines(text: string, path: string): string[][] {
  try {
    return parseCsv(text);
  } catch (cause) {
    throw new SetupError(`CITY: ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function rowsOf(row: z.infer<typeof rowSchema>): HotlineRow[] {
  const { owner, name, note, normalised_mode: mode } = row;
  return row.numbers.split(';').map((number) => ({ number, name, owner, mode, note }));
}
