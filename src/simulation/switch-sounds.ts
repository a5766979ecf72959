import type { PlayRequest, Sound, SwitchEvent } from '../switch/port.ts';
import type { VirtualClock } from './clock.ts';
import type { SimLeg } from './switch-legs.ts';

const promptMs = 2_500;

export interface SimSoundsListener {
  event(event: SwitchEvent): void;
  hears(leg: SimLeg, sounds: readonly Sound[]): void;
}

/** What plays on the simulated switch's parked legs. */
export class SimSounds {
  readonly #clock: VirtualClock;
  readonly #listener: SimSoundsListener;

  constructor(clock: VirtualClock, listener: SimSoundsListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  play(leg: SimLeg, { playId, forever, sounds }: PlayRequest): void {
    this.stop(leg, true);
    // On a leg that isn't parked the application waits in vain.
    if (leg.place !== 'parked') return;
    leg.playing = { playId, forever, sounds, timer: undefined };
    if (!forever) {
      const lengthMs = sounds.reduce((sum, sound) => sum + (sound.kind === 'silence' ? sound.durationMs : promptMs), 0);
      leg.playing.timer = this.#clock.setTimer(lengthMs, () => this.stop(leg, true));
    }
    this.#listener.hears(leg, sounds);
  }

  stop(leg: SimLeg, tell: boolean): void {
    const { playing } = leg;
    if (playing === undefined) return;
    playing.timer?.cancel();
    leg.playing = undefined;
    const atMs = this.#clock.now();
    if (tell) this.#listener.event({ type: 'playEnded', leg: leg.id, atMs, playId: playing.playId, failed: false });
  }
}
