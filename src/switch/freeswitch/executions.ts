import type { Clock, Timer } from '../../kernel/clock.ts';
import { err, ok, type Result } from '../../kernel/result.ts';
import type { LegId, SwitchFailure } from '../port.ts';

/** An application that a leg was told to run takes its thread's next turn, 20 ms; a busy machine needs longer. */
const deadlineMs = 1_000;

interface Awaited {
  readonly leg: LegId;
  readonly timer: Timer;
  readonly settle: (outcome: Result<void, SwitchFailure>) => void;
}

/**
 * Applications whose end matters. FreeSWITCH says `+OK` when it has taken the order, and carries it out on the leg's own
 * thread, so an order about another leg that is sent after the reply may be quicker. Each ends by its event, with its
 * leg, with the link, or after `deadlineMs`.
 */
export class Executions {
  readonly #clock: Clock;
  readonly #awaited = new Map<string, Awaited>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param id what the order's `Event-UUID` says; to be called before it is sent */
  completed(leg: LegId, id: string): Promise<Result<void, SwitchFailure>> {
    return new Promise((settle) => {
      const timer = this.#clock.setTimer(deadlineMs, () =>
        this.#end(
          id,
          err({ kind: 'deadline', message: `leg ${leg} did not run its application within ${deadlineMs} ms` }),
        ),
      );
      this.#awaited.set(id, { leg, timer, settle });
    });
  }

  complete(id: string): void {
    this.#end(id, ok(undefined));
  }

  ended(leg: LegId): void {
    for (const [id, one] of this.#awaited) {
      if (one.leg === leg) this.#end(id, err({ kind: 'gone', message: `leg ${leg} ended` }));
    }
  }

  linkDown(): void {
    for (const id of this.#awaited.keys()) this.#end(id, err({ kind: 'link-down', message: 'the link broke' }));
  }

  #end(id: string, outcome: Result<void, SwitchFailure>): void {
    const one = this.#awaited.get(id);
    if (one === undefined) return;
    this.#awaited.delete(id);
    one.timer.cancel();
    one.settle(outcome);
  }
}
