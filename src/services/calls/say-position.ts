import { type AnnouncedPosition, positionAnnouncement } from '../../domain/acd/position-announcement.ts';
import type { Effect } from '../../domain/call/call.ts';

type Play = Extract<Effect, { do: 'playCitizen' }>;

/** What one caller has been told of his place in the queue, and what he is told next. */
export class PositionSayer {
  #told: AnnouncedPosition | null = null;
  /** Whether the last that was played told a place. */
  #telling = false;

  /**
   * Puts the caller's place into the prompts where they say `{position}`. He is told at most twice per `announceEveryMs`.
   * @returns undefined when there is no news for him: then nothing is played and the music goes on. Where an announcement
   * is the last that was played, its end was not told, and the music begins anew.
   */
  say(play: Play, position: number, nowMs: number, announceEveryMs: number): Play | undefined {
    const wasTelling = this.#telling;
    this.#telling = false;
    if (!play.prompts.includes('{position}')) return play;
    const lastAnnounced = this.#told;
    const words = positionAnnouncement({ position, lastAnnounced, nowMs, minIntervalMs: announceEveryMs / 2 });
    if (words.length === 0) return wasTelling ? { ...play, prompts: ['music'], forever: true } : undefined;
    this.#told = { position, atMs: nowMs };
    this.#telling = true;
    return { ...play, prompts: play.prompts.flatMap((prompt) => (prompt === '{position}' ? words : [prompt])) };
  }
}
