import type { DraftView } from '../../desk/protocol.ts';

/** What a request is answered with. */
export type DeskOutcome =
  | { readonly ok: true; readonly draft?: DraftView }
  | { readonly ok: false; readonly code: string; readonly text: string; readonly draft?: DraftView };

export const refused = (code: string, text: string): DeskOutcome => ({ ok: false, code, text });
