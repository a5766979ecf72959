/** What the target picker offers for what was typed. */

export interface Hotline {
  readonly number: string;
  readonly name: string;
  readonly owner: string;
  readonly mode: string;
  readonly reachable: boolean;
}

export interface Target {
  readonly number: string;
  readonly name: string;
  readonly owner: string;
  readonly reachable: boolean;
  /** A number that was typed and is no hotline of the list. */
  readonly free: boolean;
}

const dialable = /^[0-9*#+]{1,20}$/;

/**
 * Hotlines whose number, name or owner holds all words typed; reachable ones first, then by how well the number fits.
 * A dialable number that is no hotline comes first, as a target of its own.
 */
export function findTargets(hotlines: readonly Hotline[], typed: string): Target[] {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = hotlines
    .filter((line) => words.every((word) => `${line.number} ${line.name} ${line.owner}`.toLowerCase().includes(word)))
    .map((line) => ({ ...line, free: false }))
    .sort((a, b) => rank(a, words) - rank(b, words) || a.number.localeCompare(b.number));
  const number = typed.replace(/[\s-]/g, '');
  if (!dialable.test(number) || hotlines.some((line) => line.number === number)) return found;
  return [{ number, name: '', owner: '', reachable: true, free: true }, ...found];
}

function rank(target: Target, words: readonly string[]): number {
  const first = words[0] ?? '';
  const fit = target.number === first ? 0 : target.number.startsWith(first) ? 1 : 2;
  return (target.reachable ? 0 : 10) + fit;
}
