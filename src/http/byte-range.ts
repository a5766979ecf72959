/** What part of a file a request wants: players seek by it (RFC 9110, section 14). */

export type Wanted =
  | { readonly kind: 'whole' }
  /** From the first byte to the last, both included. */
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  /** The answer is 416. */
  | { readonly kind: 'outside' };

/**
 * Reads a Range header for a file of `size` bytes.
 *
 * Whatever isn't one range of bytes (other units, lists of ranges, nonsense) is answered with the whole file, which
 * section 14.2 allows at any time.
 */
export function wantedBytes(header: string | undefined, size: number): Wanted {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const from = match?.[1] ?? '';
  const to = match?.[2] ?? '';
  if (from === '' && to === '') return { kind: 'whole' };
  // Section 14.1.1: `-500` are the last 500 bytes, all of them where there are fewer.
  if (from === '') return part(Math.max(0, size - Number(to)), Number(to) === 0 ? -1 : size - 1, size);
  // Section 14.1.1: a last position before the first makes the header invalid, and an invalid one is ignored.
  if (to !== '' && Number(to) < Number(from)) return { kind: 'whole' };
  return part(Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1), size);
}

function part(first: number, last: number, size: number): Wanted {
  return first >= size || last < first ? { kind: 'outside' } : { kind: 'part', first, last };
}
