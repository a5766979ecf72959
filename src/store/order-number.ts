/**
 * The number by which people speak of a work order: prefix of the city, day in the city's time, running number. The
 * running number doesn't begin anew each day, so that no two orders ever meet.
 */
export function orderNumber(prefix: string, nowMs: number, timeZone: string, running: bigint): string {
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
    .format(nowMs)
    .replaceAll('-', '');
  return `${prefix}${day}-${String(running).padStart(6, '0')}`;
}
