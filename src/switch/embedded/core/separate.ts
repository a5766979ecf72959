/** How FreeSWITCH cuts command lines (switch_separate_string, src/switch_utils.c): quotes, escapes and all. */

const escaped: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', s: ' ' };

/** Takes quotes, one level of escapes, and the spaces at the ends away. */
function clean(piece: string, delimiter: string): string {
  const text = piece.trimStart();
  let out = '';
  let keep = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const next = text.charAt(at + 1);
    const isEscape = next !== '' && (`'"\\`.includes(next) || (next === delimiter && next !== ' ') || next in escaped);
    if (character === '\\' && isEscape) {
      out += escaped[next] ?? next;
      keep = out.length;
      at += 1;
    } else if (character === "'" && (quoted || text.includes("'", at + 1))) {
      quoted = !quoted;
      if (quoted) keep = out.length;
    } else {
      out += character;
      if (character !== ' ' || quoted) keep = out.length;
    }
  }
  return out.slice(0, keep);
}

/**
 * Cuts a text at the delimiters that are neither quoted nor escaped. Several spaces in a row are one delimiter.
 * @param limit the most pieces there can be; the last one keeps the delimiters that are left
 */
export function separate(text: string, delimiter: string, limit: number): string[] {
  const pieces: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length && pieces.length < limit - 1; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') at += 1;
    // A quote without its partner is an ordinary character, except at spaces.
    else if (character === "'" && (quoted || delimiter === ' ' || text.includes("'", at + 1))) quoted = !quoted;
    else if (character === delimiter && !quoted) {
      pieces.push(text.slice(from, at));
      while (delimiter === ' ' && text.charAt(at + 1) === ' ') at += 1;
      from = at + 1;
    }
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces.map((piece) => clean(piece, delimiter));
}
