import type { Clock, Timer } from '../../kernel/clock.ts';
import { err, ok, type Result } from '../../kernel/result.ts';
import type { LegId, SwitchFailure, SwitchReply } from '../port.ts';

/** What the player needs of the switch. */
export interface PlayerCommands {
  /** Runs `playback` on the leg; its end is told under `playId`. */
  playback(leg: LegId, playId: string, argument: string, forever: boolean): SwitchReply;
  /** Breaks off what plays and drops what was queued. */
  breakAll(leg: LegId): SwitchReply;
}

/** A playback that has ended or gone round, as the switch told it. */
export interface PlaybackComplete {
  readonly leg: LegId;
  readonly playId: string;
  readonly failed: boolean;
  readonly atMs: number;
  /** FreeSWITCH's `total_loops`: -1 while a playback is repeated for ever. */
  readonly totalLoops: number | undefined;
  /** How long this round played, milliseconds. */
  readonly playedMs: number | undefined;
  /** The leg is on its way to a bridge, another place or its end. */
  readonly leaving: boolean;
}

export type ReportPlayEnded = (leg: LegId, playId: string, failed: boolean, atMs: number) => void;

/** One playback that is on its way or playing. */
interface Playing {
  /** Undefined for a playback that an earlier control process began. */
  readonly playId: string | undefined;
  readonly forever: boolean;
  /** When the switch took the request; undefined before. */
  takenAtMs: number | undefined;
  rounds: number;
  breaking: boolean;
  giveUp: Timer | undefined;
  readonly ended: Promise<void>;
  readonly markEnded: () => void;
}

interface LegState {
  current: Playing | undefined;
  /** The last play request in line; requests of one leg are carried out one after the other. */
  tail: Promise<unknown>;
  queued: number;
}

/** How long the end of a playback that was broken off may take. */
const BREAK_DEADLINE_MS = 1000;
/**
 * A request that the switch took is carried out at the leg's next 20 ms frame. A break before that would drop it
 * without a word, and its end could only be guessed after the deadline above.
 */
const START_MARGIN_MS = 60;
/** FreeSWITCH stops repeating a sound that is shorter (switch_ivr_parse_event). */
const SHORTEST_LOOP_MS = 500;
const MAX_QUEUED = 8;
const MAX_LEGS = 10_000;

function newPlaying(playId: string | undefined, forever: boolean): Playing {
  let markEnded = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    markEnded = resolve;
  });
  return { playId, forever, takenAtMs: undefined, rounds: 0, breaking: false, giveUp: undefined, ended, markEnded };
}

/**
 * Sees to it that at most one thing plays on a leg. FreeSWITCH runs a second `sendmsg` inside the first one, so a new
 * play first breaks off the old one and waits for its end. It breaks only where something is known to play, because
 * a break without a playback stays behind as a flag on the channel.
 */
export class LegPlayer {
  readonly #commands: PlayerCommands;
  readonly #clock: Clock;
  readonly #report: ReportPlayEnded;
  readonly #legs = new Map<LegId, LegState>();

  constructor(commands: PlayerCommands, clock: Clock, report: ReportPlayEnded) {
    this.#commands = commands;
    this.#clock = clock;
    this.#report = report;
  }

  /** Legs with something playing or about to. */
  get size(): number {
    return this.#legs.size;
  }

  /** Plays `argument`; what plays already is stopped first and reported before. */
  play(leg: LegId, playId: string, argument: string, forever: boolean): SwitchReply {
    let state = this.#legs.get(leg);
    if (state === undefined) {
      if (this.#legs.size >= MAX_LEGS) return refuse('too many legs are playing');
      state = { current: undefined, tail: Promise.resolve(), queued: 0 };
      this.#legs.set(leg, state);
    }
    if (state.queued >= MAX_QUEUED) return refuse('too many play requests wait on this leg');
    const mine = state;
    const begin = (): SwitchReply => this.#begin(leg, mine, playId, argument, forever);
    // The first in line is sent in this very turn, so that it keeps its place among the leg's other commands.
    const run = mine.queued === 0 ? begin() : mine.tail.then(begin);
    mine.queued += 1;
    const finished = run.finally(() => {
      mine.queued -= 1;
      this.#tidy(leg, mine);
    });
    mine.tail = finished;
    return finished;
  }

  /** Breaks off what plays; nothing to do when nothing does. */
  async stop(leg: LegId): SwitchReply {
    const current = this.#legs.get(leg)?.current;
    return current === undefined ? ok(undefined) : this.#breakOff(leg, current);
  }

  /** Takes the switch's word that a playback has ended or gone round. */
  complete(event: PlaybackComplete): void {
    const current = this.#legs.get(event.leg)?.current;
    if (current === undefined) return;
    if (current.playId !== undefined && current.playId !== event.playId) return;
    current.rounds += 1;
    const goesOn =
      (event.totalLoops === undefined ? current.forever : event.totalLoops === -1) &&
      !event.failed &&
      !event.leaving &&
      !current.breaking &&
      (event.playedMs === undefined || event.playedMs >= SHORTEST_LOOP_MS);
    if (!goesOn) this.#end(event.leg, current, event.failed, event.atMs);
  }

  /**
   * The leg was parked anew, bridged or put into a conference. A repeated playback that this broke off looked like
   * the end of one more round; only now it is known that it does not go on.
   */
  moved(leg: LegId, atMs: number): void {
    const current = this.#legs.get(leg)?.current;
    if (current !== undefined && current.rounds > 0) this.#end(leg, current, false, atMs);
  }

  /** The leg is gone and everything about it is forgotten. */
  forget(leg: LegId): void {
    const state = this.#legs.get(leg);
    if (state === undefined) return;
    this.#legs.delete(leg);
    const current = state.current;
    state.current = undefined;
    current?.giveUp?.cancel();
    current?.markEnded();
  }

  /**
   * After the link was away: legs that are gone are forgotten, ends that were missed are reported, and what an earlier
   * control process left playing is taken over, so that the next play breaks it off.
   * @param playing for each leg of the switch whether something plays on it
   */
  reconcile(playing: ReadonlyMap<LegId, boolean>, atMs: number): void {
    for (const [leg, { current }] of [...this.#legs]) {
      const plays = playing.get(leg);
      if (plays === undefined) this.forget(leg);
      else if (!plays && current !== undefined) this.#end(leg, current, false, atMs);
    }
    for (const [leg, plays] of playing) {
      if (!plays || this.#legs.has(leg) || this.#legs.size >= MAX_LEGS) continue;
      this.#legs.set(leg, { current: newPlaying(undefined, true), tail: Promise.resolve(), queued: 0 });
    }
  }

  async #begin(leg: LegId, state: LegState, playId: string, argument: string, forever: boolean): SwitchReply {
    const old = state.current;
    if (old !== undefined) {
      const broken = await this.#breakOff(leg, old);
      if (!broken.ok) return broken;
      await old.ended;
    }
    if (this.#legs.get(leg) !== state) return err({ kind: 'gone', message: `leg ${leg} ended` });
    const playing = newPlaying(playId, forever);
    state.current = playing;
    const reply = await this.#commands.playback(leg, playId, argument, forever);
    playing.takenAtMs = this.#clock.now();
    // After a deadline the switch may still play it.
    if (!reply.ok && reply.error.kind !== 'deadline' && state.current === playing) {
      state.current = undefined;
      playing.markEnded();
    }
    return reply;
  }

  async #breakOff(leg: LegId, playing: Playing): SwitchReply {
    if (playing.breaking) return ok(undefined);
    playing.breaking = true;
    await this.#untilStarted(playing);
    if (this.#legs.get(leg)?.current !== playing) return ok(undefined);
    const reply = await this.#commands.breakAll(leg);
    if (!reply.ok && reply.error.kind !== 'deadline') {
      playing.breaking = false;
      return reply;
    }
    if (this.#legs.get(leg)?.current === playing) {
      // A playback that was still queued is dropped by the break without a word of the switch.
      playing.giveUp = this.#clock.setTimer(BREAK_DEADLINE_MS, () => {
        this.#end(leg, playing, false, this.#clock.now());
      });
    }
    return reply.ok ? reply : ok(undefined);
  }

  async #untilStarted(playing: Playing): Promise<void> {
    if (playing.playId === undefined || playing.takenAtMs === undefined) return;
    const waitMs = playing.takenAtMs + START_MARGIN_MS - this.#clock.now();
    if (waitMs <= 0) return;
    const started = new Promise<void>((resolve) => {
      this.#clock.setTimer(waitMs, resolve);
    });
    await Promise.race([started, playing.ended]);
  }

  #end(leg: LegId, playing: Playing, failed: boolean, atMs: number): void {
    const state = this.#legs.get(leg);
    if (state?.current !== playing) return;
    playing.giveUp?.cancel();
    state.current = undefined;
    this.#tidy(leg, state);
    if (playing.playId !== undefined) this.#report(leg, playing.playId, failed, atMs);
    playing.markEnded();
  }

  #tidy(leg: LegId, state: LegState): void {
    if (state.current === undefined && state.queued === 0 && this.#legs.get(leg) === state) this.#legs.delete(leg);
  }
}

function refuse(message: string): Promise<Result<never, SwitchFailure>> {
  return Promise.resolve(err({ kind: 'refused', message }));
}
