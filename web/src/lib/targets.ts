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
}

/**
 * Hotlines whose number, name or owner holds all words typed; reachable ones first, then by how well the number fits.
 * Other numbers are no targets: the server calls only those of the directory.
 */
export function findTargets(hotlines: readonly Hotline[], typed: string): Target[] {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return hotlines
    .filter((line) => words.every((word) => `${line.number} ${line.name} ${line.owner}`.toLowerCase().includes(word)))
    .sort((a, b) => rank(a, words) - rank(b, words) || a.number.localeCompare(b.number));
}

function rank(target: Target, words: readonly string[]): number {
  const first = words[0] ?? '';
  const fit = target.number === first ? 0 : target.number.startsWith(first) ? 1 : 2;
  return (target.reachable ? 0 : 10) + fit;
}
