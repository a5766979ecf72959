/**
 * The work-order form of one call: what was typed here, what the server has, and how the two meet.
 * Pure; `draft-sync.ts` runs it.
 */
import type { DraftView, OrderBody } from '@desk/protocol';

export const emptyBody: OrderBody = {
  citizenName: '',
  contactNumber: '',
  matterType: '',
  category: '',
  address: '',
  content: '',
  unit: '',
};

type DraftFailure =
  /** No link, or no reply in time: kept here and sent again. */
  | { readonly kind: 'waiting' }
  /** The server said no, in these words: kept here, sent again with the next change. */
  | { readonly kind: 'refused'; readonly text: string };

export interface DraftForm {
  readonly callId: string;
  /** What the form shows. */
  readonly body: OrderBody;
  /** The version that the server had last, 0 for none, and its text. */
  readonly version: number;
  readonly serverBody: OrderBody;
  /** What is on its way to the server. */
  readonly sending: OrderBody | null;
  /** Texts that were sent and not acknowledged, newest last: a draft that equals one of them is our own save. */
  readonly unsure: readonly OrderBody[];
  /** When the server last had all that was typed here; this machine's clock. */
  readonly savedAtMs: number | null;
  readonly failure: DraftFailure | null;
  /** What was typed here and gave way to a newer draft from elsewhere; the person may bring it back. */
  readonly kept: OrderBody | null;
  readonly orderId: string | null;
  readonly orderNo: string | null;
}

/** A copy on this machine of what the server has not acknowledged yet. */
export interface LocalCopy {
  readonly callId: string;
  readonly baseVersion: number;
  /** The text that the server has not got, if any. */
  readonly body: OrderBody | null;
  readonly unsure: readonly OrderBody[];
  readonly kept: OrderBody | null;
  readonly changedAtMs: number;
}

/** Enough for every save that can be under way or lost within one drop of the link. */
const unsureLimit = 8;

export function sameBody(a: OrderBody, b: OrderBody): boolean {
  return (Object.keys(emptyBody) as (keyof OrderBody)[]).every((field) => a[field] === b[field]);
}

const isEmptyBody = (body: OrderBody): boolean => sameBody(body, emptyBody);

/** True when the form holds something that the server hasn't. */
export const isDirty = (form: DraftForm): boolean => !sameBody(form.body, form.serverBody);

/** The form for a call: the server's draft, or the local copy where that one is newer. */
export function openForm(callId: string, draft: DraftView | null, local: LocalCopy | null): DraftForm {
  const serverBody = draft?.body ?? emptyBody;
  const version = draft?.version ?? 0;
  const form: DraftForm = {
    callId,
    body: serverBody,
    version,
    serverBody,
    sending: null,
    unsure: local?.unsure ?? [],
    savedAtMs: null,
    failure: null,
    kept: local?.kept ?? null,
    orderId: draft?.orderId ?? null,
    orderNo: draft?.orderNo ?? null,
  };
  if (local === null || local.body === null || sameBody(local.body, serverBody)) return form;
  // Nothing but this window's own texts was saved since the local one was typed, so it simply goes on from there.
  if (local.baseVersion >= version || isOwn(form, serverBody)) return { ...form, body: local.body };
  return { ...form, kept: isEmptyBody(local.body) ? form.kept : local.body };
}

export function edited(form: DraftForm, body: OrderBody): DraftForm {
  return { ...form, body };
}

/** Starts to send; undefined when there is nothing to send or something is still on its way. */
export function startSending(form: DraftForm): DraftForm | undefined {
  return form.sending !== null || !isDirty(form) ? undefined : sendingNow(form);
}

/** Notes that the text is on its way; "kept here" stays on show until the server has it. */
export function sendingNow(form: DraftForm): DraftForm {
  const unsure = [...form.unsure, form.body].slice(-unsureLimit);
  return { ...form, sending: form.body, unsure, failure: form.failure?.kind === 'waiting' ? form.failure : null };
}

/** The server took what was sent. */
export function acknowledged(form: DraftForm, draft: DraftView | undefined, nowMs: number): DraftForm {
  const sent = form.sending ?? form.body;
  // A push may have brought this version or a newer one before the reply came; it has been dealt with then.
  if (draft !== undefined && draft.version < form.version) return { ...form, sending: null };
  return {
    ...form,
    sending: null,
    unsure: [],
    failure: null,
    version: draft?.version ?? form.version + 1,
    serverBody: draft?.body ?? sent,
    savedAtMs: nowMs,
    ...orderOf(form, draft),
  };
}

/** What was sent is lost or unsure. It may be sent again: saving the same text twice does no harm. */
export function unsent(form: DraftForm): DraftForm {
  return { ...form, sending: null, failure: { kind: 'waiting' } };
}

/** The server refused for another reason than a newer draft. */
export function refused(form: DraftForm, text: string): DraftForm {
  return { ...form, sending: null, failure: { kind: 'refused', text } };
}

/** The server refused an outdated save and says what it has. */
export function conflicted(form: DraftForm, draft: DraftView, nowMs: number): DraftForm {
  return { ...newerDraft(form, draft, nowMs), sending: null };
}

/** The server has no draft of this call (any more); all that the form shows is to be sent. */
export function withoutServerDraft(form: DraftForm): DraftForm {
  return { ...form, version: 0, serverBody: emptyBody };
}

/**
 * Another draft of this call came: from the server as the answer to an outdated save, or as a push.
 * The newer one is shown; what was typed here and differs is kept beside it.
 */
export function newerDraft(form: DraftForm, draft: DraftView, nowMs: number): DraftForm {
  if (draft.version < form.version) return form;
  const settled = { ...form, ...orderOf(form, draft) };
  if (draft.version === form.version && sameBody(draft.body, form.serverBody)) return settled;
  const moved = { ...settled, version: draft.version, serverBody: draft.body, failure: null };
  // It is our own save, whose reply is still to come or was lost. Later typing goes on from it.
  if (isOwn(form, draft.body) || sameBody(draft.body, form.body)) return { ...moved, savedAtMs: nowMs };
  // Nothing of ours is in danger.
  if (!isDirty(form)) return { ...moved, body: draft.body, savedAtMs: nowMs };
  return { ...moved, body: draft.body, kept: isEmptyBody(form.body) ? form.kept : form.body };
}

/** Brings the kept text back; it then counts as typed on top of the newest version. */
export function restoreKept(form: DraftForm): DraftForm {
  return form.kept === null ? form : { ...form, body: form.kept, kept: null };
}

/** Throws the kept text away, by the person's own decision. */
export function discardKept(form: DraftForm): DraftForm {
  return { ...form, kept: null };
}

/** What must be on this machine's disk now; null when the server has it all and nothing is kept. */
export function localCopy(form: DraftForm, nowMs: number): LocalCopy | null {
  const dirty = isDirty(form);
  if (!dirty && form.kept === null) return null;
  return {
    callId: form.callId,
    baseVersion: form.version,
    body: dirty ? form.body : null,
    unsure: form.unsure,
    kept: form.kept,
    changedAtMs: nowMs,
  };
}

export type SavedState = 'empty' | 'unsaved' | 'saving' | 'saved' | 'keptLocally' | 'refused';

/** The words beside the save button, as a code. */
export function savedState(form: DraftForm): SavedState {
  if (form.failure !== null) return form.failure.kind === 'refused' ? 'refused' : 'keptLocally';
  if (form.sending !== null) return 'saving';
  if (isDirty(form)) return 'unsaved';
  return form.version === 0 ? 'empty' : 'saved';
}

function orderOf(form: DraftForm, draft: DraftView | undefined): Pick<DraftForm, 'orderId' | 'orderNo'> {
  return { orderId: draft?.orderId ?? form.orderId, orderNo: draft?.orderNo ?? form.orderNo };
}

function isOwn(form: DraftForm, body: OrderBody): boolean {
  return form.unsure.some((sent) => sameBody(sent, body));
}
