/** REFER (RFC 3515): where a phone wants its partner to go. */
import { decodeValue } from '../../esl/wire.ts';
import { listValues, parseNameAddress, parseUri } from './values.ts';

export interface Refer {
  /** The user part of Refer-To, as dialled. */
  readonly user: string;
  /** The Call-ID of another call of the phone's (RFC 3891), for an attended transfer; undefined for a blind one. */
  readonly replaces: string | undefined;
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
  return { user: uri.user, replaces: readReplaces(address.uri), referTo };
}

/** `Replaces=<call-id>;to-tag=…;from-tag=…` among the URI's headers, escaped (RFC 3261 section 19.1.1). */
function readReplaces(uri: string): string | undefined {
  const escaped = /[?&]replaces=([^&]*)/i.exec(uri)?.[1];
  return escaped === undefined ? undefined : (decodeValue(escaped).split(';')[0] ?? '').trim();
}
