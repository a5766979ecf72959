import type { EslEvent } from '../esl/event.ts';
import type { LegId } from '../port.ts';
import { legOf } from './translate-event.ts';

/**
 * Counts the legs that events have told of, and compares them with the number of sessions that the switch's heartbeat
 * carries (every 20 s). FreeSWITCH throws events away when a listener reads too slowly and says so in its own log
 * alone; an end that was thrown away would leave a call for ever. A leg that comes or goes in that very moment makes
 * the two differ as well, so only a difference at two heartbeats in a row counts.
 */
export class Census {
  readonly #legs = new Set<LegId>();
  #differed = false;

  /** A new list of the switch: what was told before is forgotten. */
  begin(legs: Iterable<LegId>): void {
    this.#legs.clear();
    for (const leg of legs) this.#legs.add(leg);
    this.#differed = false;
  }

  /** @returns true when the switch must be asked for its list anew. */
  note(event: EslEvent): boolean {
    const name = event.get('Event-Name');
    if (name === 'HEARTBEAT') return this.#compare(event.get('Session-Count'));
    const leg = legOf(event);
    if (leg === undefined) return false;
    if (name === 'CHANNEL_CREATE') this.#legs.add(leg);
    else if (name === 'CHANNEL_HANGUP_COMPLETE') this.#legs.delete(leg);
    return false;
  }

  #compare(sessions: string | undefined): boolean {
    // A switch that does not say how many there are can't be compared with.
    const differs = sessions !== undefined && Number(sessions) !== this.#legs.size;
    const again = differs && this.#differed;
    this.#differed = differs && !again;
    return again;
  }
}
