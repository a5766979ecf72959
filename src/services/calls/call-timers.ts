import type { TimerName } from '../../domain/call/call.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';

/** The timers of one call: at most one of each name runs. */
export class CallTimers {
  readonly #clock: Clock;
  readonly #onTimer: (timer: TimerName) => void;
  readonly #running = new Map<TimerName, Timer>();

  constructor(clock: Clock, onTimer: (timer: TimerName) => void) {
    this.#clock = clock;
    this.#onTimer = onTimer;
  }

  /** In the place of one of the same name. */
  start(name: TimerName, delayMs: number): void {
    this.cancel(name);
    this.#running.set(
      name,
      this.#clock.setTimer(delayMs, () => this.#onTimer(name)),
    );
  }

  cancel(name: TimerName): void {
    this.#running.get(name)?.cancel();
    this.#running.delete(name);
  }

  cancelAll(): void {
    for (const name of [...this.#running.keys()]) this.cancel(name);
  }
}
