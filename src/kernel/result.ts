/** The outcome of an operation whose failure the caller must decide about. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** A successful outcome. */
export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value });

/** A failed outcome. */
export const err = <E>(error: E): Result<never, E> => ({ ok: false, error });
