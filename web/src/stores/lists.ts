import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import { api, type Catalogue, messageOf } from '../api.ts';
import type { Hotline } from '../lib/targets.ts';

/** The lists that the form and the target picker offer. */
export const useListsStore = defineStore('lists', () => {
  const catalogue = shallowRef<Catalogue>({ categories: [], units: [] });
  const hotlines = shallowRef<readonly Hotline[]>([]);
  const hotlinesError = ref<string | null>(null);

  /** Loads the catalogue. Without it the form still works: both fields take free text. */
  async function loadCatalogue(): Promise<void> {
    try {
      catalogue.value = await api.catalogue();
    } catch (error) {
      console.warn('catalogue could not be loaded', error);
    }
  }

  /** Loads the targets anew, since which of them can be reached changes; a failure leaves the last list. */
  async function loadHotlines(): Promise<void> {
    try {
      hotlines.value = (await api.hotlines()).hotlines;
      hotlinesError.value = null;
    } catch (error) {
      hotlinesError.value = messageOf(error);
    }
  }

  return { catalogue, hotlines, hotlinesError, loadCatalogue, loadHotlines };
});
