import type { DraftView, OrderBody } from '@desk/protocol';
import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import { DraftSync, type DraftSyncParts } from '../draft-sync.ts';
import { type DraftForm, isDirty, type LocalCopy, savedState } from '../lib/draft.ts';
import { localCopies } from '../lib/local-copies.ts';
import type { Outcome } from '../lib/socket-types.ts';
import { texts } from '../texts.ts';
import { toast } from '../toast.ts';

/** The work-order form as the page sees it; `DraftSync` does the work. */
export const useOrderStore = defineStore('order', () => {
  const form = shallowRef<DraftForm | null>(null);
  const leftovers = shallowRef<readonly LocalCopy[]>([]);
  let sync: DraftSync | undefined;
  let warnedOfRoom = false;

  const state = computed(() => (form.value === null ? 'empty' : savedState(form.value)));
  const dirty = computed(() => form.value !== null && isDirty(form.value));

  /** Begins for one person; texts of an earlier session on this machine are picked up. */
  function start(personId: string, request: DraftSyncParts['request']): void {
    warnedOfRoom = false;
    sync = new DraftSync({
      copies: localCopies(window.localStorage, personId),
      request,
      nowMs: Date.now,
      onChange(nextForm, nextLeftovers) {
        form.value = nextForm;
        leftovers.value = nextLeftovers;
      },
      onNoRoom() {
        if (!warnedOfRoom) toast('warning', texts.order.noRoom);
        warnedOfRoom = true;
      },
    });
  }

  function stop(): void {
    sync = undefined;
    form.value = null;
    leftovers.value = [];
  }

  function setField<K extends keyof OrderBody>(field: K, value: OrderBody[K]): void {
    if (form.value !== null) sync?.edit({ ...form.value.body, [field]: value });
  }

  async function save(): Promise<Outcome> {
    return sync === undefined ? { kind: 'notSent' } : sync.saveOrder();
  }

  return {
    form,
    leftovers,
    state,
    dirty,
    start,
    stop,
    setField,
    save,
    show: (callId: string, draft: DraftView | null) => sync?.show(callId, draft),
    hide: () => sync?.hide(),
    pushed: (draft: DraftView) => sync?.pushed(draft),
    online: () => sync?.online(),
    flush: async () => sync?.flush(),
    restore: () => sync?.restore(),
    discard: () => sync?.discard(),
    discardLeftover: (callId: string) => sync?.discardLeftover(callId),
  };
});
