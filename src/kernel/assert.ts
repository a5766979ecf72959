/** Throws when `condition` does not hold; for our own mistakes, never for input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`);
}
