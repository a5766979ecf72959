/** Draws the person's eyes to an offer: the window's title flashes and, behind other windows, a notification shows. */
import { texts } from './texts.ts';

const flashEveryMs = 800;

let plainTitle: string = texts.product;
let flashing: ReturnType<typeof setInterval> | undefined;
let notification: Notification | undefined;

/** Sets the title that the window has while nothing rings. */
export function setPlainTitle(title: string): void {
  plainTitle = title;
  if (flashing === undefined) document.title = title;
}

/** Asks once for leave to notify; browsers allow the question only on a click. */
export function askToNotify(): void {
  if (!('Notification' in window) || Notification.permission !== 'default') return;
  // "No" is a fine answer: the title still flashes and the page still pops.
  void Notification.requestPermission();
}

/** Starts to flash; a second offer replaces the first. */
export function startAttention(number: string, line: string): void {
  stopAttention();
  const title = texts.offer.tabTitle(number);
  document.title = title;
  flashing = setInterval(() => {
    document.title = document.title === title ? plainTitle : title;
  }, flashEveryMs);
  if (document.hidden && 'Notification' in window && Notification.permission === 'granted') {
    notification = new Notification(texts.offer.title(number), { body: line, tag: 'yht-offer' });
    notification.onclick = () => window.focus();
  }
}

export function stopAttention(): void {
  clearInterval(flashing);
  flashing = undefined;
  notification?.close();
  notification = undefined;
  document.title = plainTitle;
}
