/** A seat as the distribution sees it. */
export interface AvailableSeat {
  readonly personId: string;
  /** Since when the agent has been free; the longest-idle one is first. */
  readonly idleSinceMs: number;
}

/** A caller who waits. */
export interface WaitingCaller {
  readonly callId: string;
  /** First join time: it is kept when an offer fails, so nobody loses his place. */
  readonly joinedAtMs: number;
}

/** Callers in the order in which they are served: first come, first served; equal times by id so that the order is total. */
export function compareCallers(a: WaitingCaller, b: WaitingCaller): number {
  return a.joinedAtMs - b.joinedAtMs || (a.callId < b.callId ? -1 : a.callId > b.callId ? 1 : 0);
}

/** Seats in the order in which they get calls: longest idle first. */
export function compareSeats(a: AvailableSeat, b: AvailableSeat): number {
  return a.idleSinceMs - b.idleSinceMs || (a.personId < b.personId ? -1 : a.personId > b.personId ? 1 : 0);
}

export interface Match {
  readonly callId: string;
  readonly personId: string;
}

/**
 * Who gets whom now: the longest-waiting caller and the longest-idle seat, then the next pair, until one side is
 * empty. Neither list is changed.
 */
export function matchCallers(callers: readonly WaitingCaller[], seats: readonly AvailableSeat[]): Match[] {
  const orderedCallers = [...callers].sort(compareCallers);
  const orderedSeats = [...seats].sort(compareSeats);
  const matches: Match[] = [];
  const pairs = Math.min(orderedCallers.length, orderedSeats.length);
  for (let index = 0; index < pairs; index += 1) {
    const caller = orderedCallers[index];
    const seat = orderedSeats[index];
    if (caller !== undefined && seat !== undefined) matches.push({ callId: caller.callId, personId: seat.personId });
  }
  return matches;
}
