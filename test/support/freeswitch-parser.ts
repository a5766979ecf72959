/**
 * How FreeSWITCH 1.10.12 takes an `originate` command apart, as far as `{name=value}` goes: a model of
 * switch_separate_string and switch_event_create_brackets (src/switch_utils.c, src/switch_event.c), so that the
 * escaping can be tried on any value. The same values were sent through a real FreeSWITCH by hand.
 */

const UNESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', s: ' ' };

/** Takes quotes, one level of escapes and spaces at the ends away from one cut-out piece. */
function clean(piece: string, delimiter: string | undefined): string {
  const text = piece.replace(/^ +/, '');
  let out = '';
  let keep = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const next = text.charAt(at + 1);
    if (character === '\\' && next !== '' && (`'"\\`.includes(next) || next === delimiter || next in UNESCAPED)) {
      out += UNESCAPED[next] ?? next;
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

/** Cuts at unquoted, unescaped delimiters into at most `limit` pieces; what follows the last cut stays whole. */
function separate(text: string, delimiter: string, limit: number): string[] {
  const pieces: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at <= text.length && pieces.length < limit; at += 1) {
    const character = text.charAt(at);
    if (at === text.length || pieces.length === limit - 1) {
      if (from < text.length) pieces.push(text.slice(from));
      break;
    }
    if (character === '\\') at += 1;
    else if (character === "'" && (quoted || delimiter === ' ' || text.includes("'", at + 1))) quoted = !quoted;
    else if (character === delimiter && !quoted) {
      pieces.push(text.slice(from, at));
      while (delimiter === ' ' && text.charAt(at + 1) === ' ') at += 1;
      from = at + 1;
    }
  }
  return pieces.map((piece) => clean(piece, delimiter === ' ' ? undefined : delimiter));
}

/** The end of the outermost pair of braces; quotes don't matter to FreeSWITCH here. */
function closingBrace(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charAt(at) === '{') depth += 1;
    if (text.charAt(at) === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  throw new Error('Parse Error!');
}

/** The variables, the dial string and the application of an `originate` line. */
export function parseOriginate(line: string): { variables: Map<string, string>; dial: string; application: string } {
  const [leg = '', application = '', ...more] = separate(line.replace(/^originate /, ''), ' ', 10);
  if (more.length > 0) throw new Error(`too many words: ${line}`);
  if (leg.includes(':_:')) throw new Error('split into several originates');
  const end = closingBrace(leg);
  const variables = new Map<string, string>();
  for (const piece of separate(leg.slice(1, end), ',', 1024)) {
    const [name, value] = separate(piece, '=', 2);
    if (name !== undefined && value !== undefined && !value.includes('${')) variables.set(name, value);
  }
  return { variables, dial: leg.slice(end + 1), application };
}
