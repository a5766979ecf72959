import { setTimeout as pause } from 'node:timers/promises';

const everyMs = 100;

/**
 * Waits until something holds that can only be looked at (a row in a database, a process list), looking again and
 * again within a bound.
 */
export async function until(what: string, holds: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if (await holds()) return;
    await pause(everyMs);
  }
  throw new Error(`waited ${withinMs} ms in vain for ${what}`);
}
