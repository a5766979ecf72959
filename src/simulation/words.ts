import type { SwitchEvent } from '../switch/port.ts';

/** Enough of an id to be told from others in a trace. */
export const short = (id: string): string => id.slice(0, 8);

/** One line of a trace for an event of the switch. */
export function describe(event: SwitchEvent): string {
  const { type, leg } = event;
  switch (type) {
    case 'legEnded':
      return `${type} ${short(leg)} ${event.cause} by ${event.endedBy}`;
    case 'legBridged':
      return `${type} ${short(leg)} with ${short(event.other)}`;
    case 'digit':
      return `${type} ${short(leg)} ${event.digit}`;
    case 'playEnded':
      return `${type} ${short(leg)} ${event.playId.slice(-4)}${event.failed ? ' failed' : ''}`;
    default:
      return `${type} ${short(leg)}`;
  }
}
