/** Longer names are cut: no desk shows more. */
const maxCharacters = 100;

/**
 * The caller's name as the network sent it, made fit for screens and for the record.
 * @param raw a display name without its quotes; quoted pairs (RFC 3261, section 25.1) may still be in it.
 */
export function callerNameOf(raw: string): string {
  const unescaped = raw.replace(/\\(.)/gsu, '$1');
  // Control characters and half characters mean nothing to people, and PostgreSQL refuses NUL and halves.
  const clean = unescaped.replace(/[\p{Cc}\p{Surrogate}]/gu, ' ').trim();
  return [...clean].slice(0, maxCharacters).join('');
}
