/** The way to a phone behind a proxy (RFC 3327), as FreeSWITCH writes it into contacts and dial strings. */
import { listValues } from '../sip/values.ts';

export interface PathedContact {
  readonly uri: string;
  /** Route values, the nearest proxy first. */
  readonly path: readonly string[];
}

/** The contact with its path in a parameter of its own, encoded. */
export function pathed({ uri, path }: PathedContact): string {
  return path.length === 0 ? uri : `${uri};fs_path=${encodeURIComponent(path.join(','))}`;
}

const PARAMETER = /;fs_path=([^;]*)/i;

/** Reads what `pathed` wrote; undefined when it can't be decoded. A bare URI in it counts as a loose route. */
export function readPathed(text: string): PathedContact | undefined {
  // Behind address translation FreeSWITCH marks its contacts with fs_nat as well.
  const plain = text.replace(/;fs_nat=yes/i, '');
  const encoded = PARAMETER.exec(plain)?.[1];
  if (encoded === undefined) return { uri: plain, path: [] };
  try {
    const path = listValues([decodeURIComponent(encoded)]);
    return { uri: plain.replace(PARAMETER, ''), path: path.map((hop) => (hop.startsWith('<') ? hop : `<${hop};lr>`)) };
  } catch {
    // Not percent-encoding.
    return undefined;
  }
}
