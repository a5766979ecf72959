/** Keeps the order form and the server's draft together: debounce, local copies, conflicts, sending again. */
import type { DeskRequest, DraftView, OrderBody } from '@desk/protocol';
import {
  acknowledged,
  conflicted,
  type DraftForm,
  discardKept,
  edited,
  isDirty,
  type LocalCopy,
  localCopy,
  newerDraft,
  openForm,
  refused,
  restoreKept,
  sameBody,
  sendingNow,
  startSending,
  unsent,
  withoutServerDraft,
} from './lib/draft.ts';
import type { LocalCopies } from './lib/local-copies.ts';
import type { Outcome } from './lib/socket-types.ts';

export interface DraftTimes {
  /** From the last change to sending. */
  readonly debounceMs: number;
  /** Longest that steady typing puts the sending off. */
  readonly longestWaitMs: number;
  /** From an unconfirmed save to the next try on the same link. */
  readonly retryMs: number;
}

const draftTimes: DraftTimes = { debounceMs: 300, longestWaitMs: 2000, retryMs: 2000 };

export interface DraftSyncParts {
  readonly copies: LocalCopies;
  readonly request: (request: DeskRequest) => Promise<Outcome>;
  readonly nowMs: () => number;
  /** Called after every change with the form that is shown and the texts of other calls that are still unsent. */
  readonly onChange: (form: DraftForm | null, leftovers: readonly LocalCopy[]) => void;
  /** The browser did not take a local copy. */
  readonly onNoRoom: () => void;
  readonly times?: DraftTimes;
}

type Handle = ReturnType<typeof setTimeout>;
type SaveRequest = Extract<DeskRequest, { do: 'saveDraft' | 'saveOrder' }>;

export class DraftSync {
  readonly #parts: DraftSyncParts;
  readonly #times: DraftTimes;
  #form: DraftForm | null = null;
  #timer: Handle | undefined;
  #firstUnsentAtMs: number | undefined;
  #sendingDone: Promise<void> = Promise.resolve();
  #leftoversBusy = false;
  #leftoversDue = false;
  /** Whether this window wrote or took over the local copy. An idle second window must not remove the first one's. */
  #hasCopy = false;

  constructor(parts: DraftSyncParts) {
    this.#parts = parts;
    this.#times = parts.times ?? draftTimes;
  }

  get form(): DraftForm | null {
    return this.#form;
  }

  /** Shows the form of a call. The same call again only takes over a newer draft. */
  show(callId: string, draft: DraftView | null): void {
    const form = this.#form;
    if (form?.callId === callId) {
      this.#set(draft === null ? withoutServerDraft(form) : newerDraft(form, draft, this.#parts.nowMs()));
    } else {
      clearTimeout(this.#timer);
      this.#firstUnsentAtMs = undefined;
      const local = this.#parts.copies.get(callId);
      this.#hasCopy = local !== null;
      this.#set(openForm(callId, draft, local));
      void this.#sendLeftovers();
    }
    if (this.#form !== null && isDirty(this.#form)) this.#schedule(0);
  }

  /** Takes the form away; what is unsent stays on this machine and is sent in the background. */
  hide(): void {
    clearTimeout(this.#timer);
    this.#firstUnsentAtMs = undefined;
    this.#form = null;
    this.#changed();
    void this.#sendLeftovers();
  }

  /** The person changed a field. */
  edit(body: OrderBody): void {
    if (this.#form === null) return;
    this.#set(edited(this.#form, body));
    const nowMs = this.#parts.nowMs();
    this.#firstUnsentAtMs ??= nowMs;
    const latestMs = this.#firstUnsentAtMs + this.#times.longestWaitMs - nowMs;
    this.#schedule(Math.max(0, Math.min(this.#times.debounceMs, latestMs)));
  }

  /** A draft came as a push. */
  pushed(draft: DraftView): void {
    if (this.#form?.callId !== draft.callId) return;
    this.#set(newerDraft(this.#form, draft, this.#parts.nowMs()));
  }

  /** The link is up (again): sends whatever waits, of this call and of earlier ones. */
  online(): void {
    if (this.#form !== null && isDirty(this.#form)) this.#schedule(0);
    void this.#sendLeftovers();
  }

  /** Brings back what gave way to a newer draft. */
  restore(): void {
    if (this.#form === null) return;
    this.edit(restoreKept(this.#form).body);
    this.#set(discardKept(this.#form));
  }

  discard(): void {
    if (this.#form !== null) this.#set(discardKept(this.#form));
  }

  /** Throws away the unsent text of an earlier call, by the person's own decision. */
  discardLeftover(callId: string): void {
    this.#parts.copies.remove(callId);
    this.#changed();
  }

  /** Saves the work order for good. A save of the draft that is under way is waited for. */
  async saveOrder(): Promise<Outcome> {
    clearTimeout(this.#timer);
    await this.#sendingDone;
    const form = this.#form;
    if (form === null) return { kind: 'notSent' };
    this.#set(sendingNow(form));
    return this.#send('saveOrder', form);
  }

  /** Resolves when nothing is being sent; for a clean sign-out. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sendingDone;
    await this.#sendDraft();
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#sendDraft(), afterMs);
  }

  async #sendDraft(): Promise<void> {
    const form = this.#form === null ? undefined : startSending(this.#form);
    if (form === undefined) return;
    this.#firstUnsentAtMs = undefined;
    this.#set(form);
    await this.#send('saveDraft', form);
  }

  /** Sends the form and digests the reply, for whichever call the form then shows. */
  #send(how: SaveRequest['do'], form: DraftForm): Promise<Outcome> {
    const work = this.#parts
      .request({ do: how, callId: form.callId, baseVersion: form.version, body: form.body })
      .then((outcome) => {
        this.#digest(form.callId, outcome);
        return outcome;
      });
    this.#sendingDone = work.then(() => undefined);
    return work;
  }

  #digest(callId: string, outcome: Outcome): void {
    const form = this.#form;
    // The desk went on to another call meanwhile; the local copy is dealt with as a leftover.
    if (form?.callId !== callId) {
      void this.#sendLeftovers();
      return;
    }
    this.#set(this.#answered(form, outcome));
    if (this.#form === null || !isDirty(this.#form)) return;
    if (outcome.kind === 'unconfirmed') this.#schedule(this.#times.retryMs);
    // Typed while it was on its way, or put on top of a newer draft. What was refused waits for the next change,
    // what could not be sent for the link.
    else if (outcome.kind === 'ok' || (outcome.kind === 'refused' && outcome.draft !== undefined)) {
      this.#schedule(this.#times.debounceMs);
    }
  }

  #answered(form: DraftForm, outcome: Outcome): DraftForm {
    const nowMs = this.#parts.nowMs();
    switch (outcome.kind) {
      case 'ok':
        return acknowledged(form, outcome.draft, nowMs);
      case 'refused':
        return outcome.draft === undefined ? refused(form, outcome.text) : conflicted(form, outcome.draft, nowMs);
      case 'unconfirmed':
      case 'notSent':
        return unsent(form);
    }
  }

  /** Sends the unsent texts of other calls, one after the other. What the server won't take stays for the person. */
  async #sendLeftovers(): Promise<void> {
    this.#leftoversDue = true;
    if (this.#leftoversBusy) return;
    this.#leftoversBusy = true;
    try {
      // Asked for again while one round runs (the link came back, say): one more round, not two at a time.
      while (this.#leftoversDue) {
        this.#leftoversDue = false;
        await this.#leftoverRound();
      }
    } finally {
      this.#leftoversBusy = false;
      this.#changed();
    }
  }

  async #leftoverRound(): Promise<void> {
    for (const copy of this.#leftovers()) {
      // Without a link the rest would fare no better; `online` starts again.
      if (!(await this.#sendLeftover(copy))) return;
    }
  }

  async #sendLeftover(copy: LocalCopy): Promise<boolean> {
    const { callId, baseVersion, body } = copy;
    if (body === null) return true;
    const outcome = await this.#parts.request({ do: 'saveDraft', callId, baseVersion, body });
    if (outcome.kind === 'notSent' || outcome.kind === 'unconfirmed') return false;
    const serverHasIt = outcome.kind === 'ok' || (outcome.draft !== undefined && sameBody(outcome.draft.body, body));
    if (serverHasIt && this.#form?.callId !== callId) {
      if (copy.kept === null) this.#parts.copies.remove(callId);
      else this.#parts.copies.put({ ...copy, body: null });
    }
    return true;
  }

  #leftovers(): LocalCopy[] {
    return this.#parts.copies.all().filter((copy) => copy.callId !== this.#form?.callId);
  }

  #set(form: DraftForm): void {
    this.#form = form;
    const copy = localCopy(form, this.#parts.nowMs());
    if (copy !== null) {
      this.#hasCopy = true;
      if (!this.#parts.copies.put(copy)) this.#parts.onNoRoom();
    } else if (this.#hasCopy) {
      this.#hasCopy = false;
      this.#parts.copies.remove(form.callId);
    }
    this.#changed();
  }

  #changed(): void {
    this.#parts.onChange(this.#form, this.#leftovers());
  }
}
