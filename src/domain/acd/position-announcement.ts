import { programPromptIds } from '../ivr/prompt-ids.ts';
import { largestSpokenNumber, spokenCount } from '../ivr/spoken-number.ts';

/** What this caller was told last. */
export interface AnnouncedPosition {
  readonly position: number;
  readonly atMs: number;
}

export interface PositionQuestion {
  /** The place in the queue; 1 is the next to be answered. */
  readonly position: number;
  /** Null when nothing has been told yet. */
  readonly lastAnnounced: AnnouncedPosition | null;
  readonly nowMs: number;
  /** The shortest time between two announcements. */
  readonly minIntervalMs: number;
}

/**
 * The prompts that tell a waiting caller his place, or none (an empty list). Only news is told, and only good news:
 * a place that got worse, because somebody more urgent came, would make people hang up and call again.
 */
export function positionAnnouncement(question: PositionQuestion): readonly string[] {
  const { position, lastAnnounced, nowMs, minIntervalMs } = question;
  if (!Number.isInteger(position) || position < 1) return [];
  if (lastAnnounced !== null) {
    if (position >= lastAnnounced.position) return [];
    if (nowMs - lastAnnounced.atMs < minIntervalMs) return [];
  }
  const ahead = position - 1;
  // Nobody ahead, or more than can be said: "all seats are busy" is the whole truth then.
  if (ahead === 0 || ahead > largestSpokenNumber) return [programPromptIds.allBusyWait];
  return [programPromptIds.positionBefore, ...spokenCount(ahead), programPromptIds.positionAfter];
}
