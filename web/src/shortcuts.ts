import { onBeforeUnmount, onMounted } from 'vue';

/** Keys of the page while the component lives, by modifier and physical key, e.g. `alt+KeyH`, `ctrl+KeyS`. */
export function useShortcuts(shortcuts: Readonly<Record<string, () => void>>): void {
  function onKey(event: KeyboardEvent): void {
    // A key held down must not press a call button twice, and a dialog on top has the keys to itself.
    if (event.repeat || event.isComposing || dialogOpen()) return;
    const modifier = event.ctrlKey || event.metaKey ? 'ctrl+' : event.altKey ? 'alt+' : '';
    const run = modifier === '' ? undefined : shortcuts[modifier + event.code];
    if (run === undefined) return;
    event.preventDefault();
    run();
  }
  onMounted(() => window.addEventListener('keydown', onKey));
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey));
}

/** Closed dialogs stay in the page, hidden. */
function dialogOpen(): boolean {
  return [...document.querySelectorAll('[aria-modal="true"]')].some((dialog) => dialog.checkVisibility());
}
