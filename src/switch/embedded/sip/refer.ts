/** REFER (RFC 3515): where a phone wants its partner to go. */
import { listValues, parseNameAddress, parseUri } from './values.ts';

export interface Refer {
  /** The user part of Refer-To, as dialled. */
  readonly user: string;
  /** It names another call that the new one would replace (RFC 3891): an attended transfer. */
  readonly replaces: boolean;
  /** The Refer-To value as it came. */
  readonly referTo: string;
}

/** What is told to the phone, as a status line without its version. */
export type ReferOutcome = '200 OK' | '403 Forbidden';

/** Reads the Refer-To headers of a request; undefined unless there is exactly one that names a SIP user. */
export function readRefer(lines: readonly string[]): Refer | undefined {
  const values = listValues(lines);
  const [referTo] = values;
  if (referTo === undefined || values.length !== 1) return undefined;
  const address = parseNameAddress(referTo);
  const uri = parseUri(address?.uri ?? '');
  if (address === undefined || uri === undefined || uri.user === '') return undefined;
  return { user: uri.user, replaces: /[?&]replaces=/i.test(address.uri), referTo };
}
