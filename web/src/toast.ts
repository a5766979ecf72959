import { ElMessage } from './elements.ts';

type Level = 'success' | 'info' | 'warning' | 'error';

/** A short line at the top of the page; warnings and errors stay longer. */
export function toast(level: Level, message: string): void {
  const duration = level === 'error' || level === 'warning' ? 6000 : 2500;
  ElMessage({ type: level, message, duration, offset: 62, grouping: true, showClose: duration > 3000 });
}
