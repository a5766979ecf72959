/** Reads `originate {name=value,…}<dial string> &park()` (contract, "Commands"). */
import { err, ok, type Result } from '../../../kernel/result.ts';
import { parseUri } from '../sip/values.ts';
import { readPathed } from './path.ts';
import { separate } from './separate.ts';

export type DialString =
  | { readonly kind: 'phone'; readonly user: string; readonly domain: string }
  | { readonly kind: 'contact'; readonly user: string; readonly uri: string; readonly path: readonly string[] }
  | { readonly kind: 'gateway'; readonly gateway: string; readonly number: string };

export interface OriginateOrder {
  readonly variables: ReadonlyMap<string, string>;
  readonly target: DialString;
}

/** A block of more variables than control ever sends is cut, as FreeSWITCH does. */
const variableLimit = 1024;

/** The end of the pair of braces at the front; quotes don't matter to FreeSWITCH here (switch_find_end_paren). */
function closingBrace(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charAt(at) === '{') depth += 1;
    if (text.charAt(at) === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return undefined;
}

/** Reads one variable block at the front of the text; gives what is left after it. */
function readBlock(text: string, variables: Map<string, string>): Result<string, string> {
  const end = closingBrace(text);
  if (end === undefined) return err('the variable block does not end');
  for (const piece of separate(text.slice(1, end), ',', variableLimit)) {
    if (!piece.includes('=')) return err('a variable without a value');
    const [name = '', value = ''] = separate(piece, '=', 2);
    variables.set(name, value);
  }
  return ok(text.slice(end + 1));
}

function readDialString(text: string): DialString | undefined {
  const contact = /^sofia\/agents\/(sips?:[^\s]{1,2048})$/.exec(text)?.[1];
  if (contact !== undefined) {
    const read = readPathed(contact);
    const uri = parseUri(read?.uri ?? '');
    return read === undefined || uri === undefined ? undefined : { kind: 'contact', user: uri.user, ...read };
  }
  const phone = /^sofia\/agents\/([^%@/\s]{1,64})[%@]([A-Za-z0-9.-]{1,253})$/.exec(text);
  if (phone?.[1] !== undefined && phone[2] !== undefined) return { kind: 'phone', user: phone[1], domain: phone[2] };
  const gateway = /^sofia\/gateway\/([^/\s]{1,64})\/([^/\s]{1,64})$/.exec(text);
  if (gateway?.[1] === undefined || gateway[2] === undefined) return undefined;
  return { kind: 'gateway', gateway: gateway[1], number: gateway[2] };
}

/**
 * Reads the argument of `originate`; the error is a line for the caller. Like FreeSWITCH it cuts three times, at spaces,
 * at commas and at `=`, and takes one level of quotes and escapes away at each cut (switch_event_create_brackets).
 */
export function parseOriginate(argument: string): Result<OriginateOrder, string> {
  const variables = new Map<string, string>();
  const [leg = '', ...application] = separate(argument.trim(), ' ', 10);
  let dial = leg;
  while (dial.startsWith('{')) {
    const block = readBlock(dial, variables);
    if (!block.ok) return block;
    dial = block.value;
  }
  if (application.join(' ') !== '&park()' && application.join(' ') !== '&park') return err('only &park() can follow');
  const target = readDialString(dial);
  return target === undefined ? err('the dial string is unknown') : ok({ variables, target });
}
