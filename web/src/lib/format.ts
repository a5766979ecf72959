/** Times and durations as people read them; local time of this machine. */

const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');

/** `12:03:05` */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `12:03:05.042`, for journals. */
export function clockTimeMs(ms: number): string {
  return `${clockTime(ms)}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}`;
}

/** `03-09 12:03` */
export function dayTime(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `2026-03-09 12:03:05` */
export function fullTime(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(ms)}`;
}

/** `00:42`, `12:03`, `1:02:03`; negative counts as zero. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const rest = `${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** Whole seconds that are left, rounded up, so that a countdown ends with 1 and not with a long 0. */
export function secondsLeft(untilMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((untilMs - nowMs) / 1000));
}
