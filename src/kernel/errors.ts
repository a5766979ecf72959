/**
 * A mistake of the person or program that asks: wrong input, wrong state, not allowed.
 * It is answered with its own words and never raises an alarm.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** A stable word for programs, e.g. `work-order-not-found`. */
  readonly code: string;
  /** The HTTP status that fits. */
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

/**
 * A setting or the surroundings (port, folder, disk, database) keep the service from working.
 * The message is one line that says what happened, to what, and which setting to change.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** The messages of an error and all its causes, outermost first, joined for one log line. */
export function errorChain(error: unknown): string {
  const words: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && current !== null && depth < 8; depth += 1) {
    words.push(current instanceof Error ? current.message : String(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return words.join(' <- ');
}
