import { readonly, ref } from 'vue';

/** This machine's time, moved on once a second, for timers and countdowns on the page. */
const tick = ref(Date.now());

function scheduleTick(): void {
  // To the next full second, so that all timers turn over together and don't skip one.
  setTimeout(
    () => {
      tick.value = Date.now();
      scheduleTick();
    },
    1000 - (Date.now() % 1000),
  );
}
scheduleTick();

export const nowMs = readonly(tick);
