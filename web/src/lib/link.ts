/** The pure decisions of the desk socket: which pushes are new, when to try again, when a link is dead. */

/** Where this window stands in the server's numbered pushes. */
export interface Place {
  /** The server run that the numbers belong to; undefined before the first welcome. */
  readonly epoch: string | undefined;
  /** The last push that was handled; undefined means that the next one sets the start. */
  readonly lastSeq: number | undefined;
}

export const startPlace: Place = { epoch: undefined, lastSeq: undefined };

/** Takes the server's welcome: a resumed link goes on counting, any other starts anew with a snapshot. */
export function welcomed(place: Place, welcome: { epoch: string; resumed: boolean }): Place {
  if (welcome.resumed && welcome.epoch === place.epoch) return place;
  return { epoch: welcome.epoch, lastSeq: undefined };
}

/**
 * Decides whether a push is new. Numbers only rise within an epoch, but they need not be dense: a snapshot for
 * one window takes a number that the person's other windows never see. So a gap is no fault.
 */
export function received(place: Place, seq: number): { fresh: boolean; place: Place } {
  if (place.lastSeq !== undefined && seq <= place.lastSeq) return { fresh: false, place };
  return { fresh: true, place: { epoch: place.epoch, lastSeq: seq } };
}

const firstRetryMs = 200;
export const longestRetryMs = 5000;

/**
 * Waiting time before connection attempt number `attempt` (0 is the first after a drop). It doubles up to the
 * longest and is spread over its upper half, so that the desks of a restarted service don't all come at once.
 * @param random a number from 0 (incl.) to 1 (excl.)
 */
export function retryDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

/** What the heartbeat does when its timer rings. */
export type Beat = 'ping' | 'dead';

/**
 * A link is dead when a ping has gone unanswered since the timer rang last. Judging by the unanswered ping and
 * not by the silence alone keeps a hidden tab, whose timers ring once a minute, from dropping a healthy link.
 */
export function beat(pingUnanswered: boolean): Beat {
  return pingUnanswered ? 'dead' : 'ping';
}
