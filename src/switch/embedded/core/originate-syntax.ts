/** Reads `originate {name=value,…}<dial string> &park()` (contract, "Commands"). */
import { err, ok, type Result } from '../../../kernel/result.ts';

export type DialString =
  | { readonly kind: 'phone'; readonly user: string; readonly domain: string }
  | { readonly kind: 'gateway'; readonly gateway: string; readonly number: string };

export interface OriginateOrder {
  readonly variables: ReadonlyMap<string, string>;
  readonly target: DialString;
}

/** Reads one variable block at the front of the text; gives what is left after it. */
function readBlock(text: string, variables: Map<string, string>): Result<string, string> {
  let index = 1;
  let part = '';
  let name: string | undefined;
  let quoted = false;
  const finish = (): boolean => {
    if (name === undefined) return part.trim() === '';
    variables.set(name.trim(), part);
    name = undefined;
    part = '';
    return true;
  };
  for (; index < text.length; index += 1) {
    const character = text[index] ?? '';
    const next = text[index + 1];
    if (character === '\\' && (next === ',' || next === "'" || next === '\\')) {
      part += next;
      index += 1;
    } else if (character === "'") quoted = !quoted;
    else if (quoted) part += character;
    else if (character === '=' && name === undefined) {
      name = part;
      part = '';
    } else if (character === ',' || character === '}') {
      if (!finish()) return err('a variable without a value');
      if (character === '}') return ok(text.slice(index + 1));
    } else part += character;
  }
  return err('the variable block does not end');
}

function readDialString(text: string): DialString | undefined {
  const phone = /^sofia\/agents\/([^%@/\s]{1,64})[%@]([A-Za-z0-9.-]{1,253})$/.exec(text);
  if (phone?.[1] !== undefined && phone[2] !== undefined) return { kind: 'phone', user: phone[1], domain: phone[2] };
  const gateway = /^sofia\/gateway\/([^/\s]{1,64})\/([^/\s]{1,64})$/.exec(text);
  if (gateway?.[1] === undefined || gateway[2] === undefined) return undefined;
  return { kind: 'gateway', gateway: gateway[1], number: gateway[2] };
}

/** Reads the argument of `originate`; the error is a line for the caller. */
export function parseOriginate(argument: string): Result<OriginateOrder, string> {
  const variables = new Map<string, string>();
  let rest = argument.trim();
  while (rest.startsWith('{')) {
    const block = readBlock(rest, variables);
    if (!block.ok) return block;
    rest = block.value.trimStart();
  }
  const [dial = '', ...application] = rest.split(/\s+/);
  if (application.join(' ') !== '&park()' && application.join(' ') !== '&park') return err('only &park() can follow');
  const target = readDialString(dial);
  return target === undefined ? err('the dial string is unknown') : ok({ variables, target });
}
