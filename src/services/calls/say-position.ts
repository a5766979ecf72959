import { type AnnouncedPosition, positionAnnouncement } from '../../domain/acd/position-announcement.ts';

/** What is played, and what the caller will have been told then. */
export interface SaidPosition {
  readonly prompts: readonly string[];
  readonly announced: AnnouncedPosition | null;
}

/**
 * Puts the caller's place into `prompts` where they say `{position}`. He is told at most twice per `announceEveryMs`.
 * @returns undefined when there is no news for him: then nothing is played and the music goes on.
 */
export function sayPosition(
  prompts: readonly string[],
  position: number,
  lastAnnounced: AnnouncedPosition | null,
  nowMs: number,
  announceEveryMs: number,
): SaidPosition | undefined {
  if (!prompts.includes('{position}')) return { prompts, announced: lastAnnounced };
  const told = positionAnnouncement({ position, lastAnnounced, nowMs, minIntervalMs: announceEveryMs / 2 });
  if (told.length === 0) return undefined;
  return {
    prompts: prompts.flatMap((prompt) => (prompt === '{position}' ? told : [prompt])),
    announced: { position, atMs: nowMs },
  };
}
