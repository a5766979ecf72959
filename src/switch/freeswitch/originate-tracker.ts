import type { Clock, Timer } from '../../kernel/clock.ts';
import type { JobResult } from '../esl/jobs.ts';
import type { LegId } from '../port.ts';

/** Tells that a leg that was to be rung ended without a hang-up event of its own. */
export type ReportNeverCame = (leg: LegId, cause: string) => void;

interface Ringing {
  /** The switch told something of this leg, so it will tell its end as well. */
  seen: boolean;
  ended: boolean;
  timer: Timer | undefined;
}

/** How long a failed originate's own hang-up event may lag behind the job's result. */
const HANGUP_EVENT_GRACE_MS = 2000;
/** How long an end that was reported is remembered, so that a late hang-up event isn't reported again. */
const REMEMBER_MS = 30_000;
const MAX_RINGING = 10_000;

/** FreeSWITCH's cause word in `-ERR USER_BUSY`. */
function causeOf(text: string): string {
  return /^-ERR\s+([A-Z][A-Z0-9_]*)/.exec(text)?.[1] ?? 'UNKNOWN';
}

/**
 * Joins the two ways in which an originate tells its failure, the hang-up event of its leg and the result of its
 * job, into exactly one end of the leg, whichever comes first or alone.
 */
export class OriginateTracker {
  readonly #clock: Clock;
  readonly #report: ReportNeverCame;
  readonly #legs = new Map<LegId, Ringing>();

  constructor(clock: Clock, report: ReportNeverCame) {
    this.#clock = clock;
    this.#report = report;
  }

  get size(): number {
    return this.#legs.size;
  }

  get full(): boolean {
    return this.#legs.size >= MAX_RINGING;
  }

  /** Begins to watch a leg; call it before the command is sent. */
  begin(leg: LegId): void {
    this.#legs.set(leg, { seen: false, ended: false, timer: undefined });
  }

  /** The command never reached the switch: there will be no end. */
  forget(leg: LegId): void {
    this.#legs.get(leg)?.timer?.cancel();
    this.#legs.delete(leg);
  }

  /** An event of this leg came. */
  seen(leg: LegId): void {
    const ringing = this.#legs.get(leg);
    if (ringing !== undefined) ringing.seen = true;
  }

  /** The leg's hang-up event came; false when its end has been told already. */
  ended(leg: LegId): boolean {
    const ringing = this.#legs.get(leg);
    if (ringing === undefined) return true;
    const first = !ringing.ended;
    ringing.ended = true;
    this.#forgetLater(leg, ringing);
    return first;
  }

  /** The job's result came, or it will never come. */
  jobEnded(leg: LegId, result: JobResult): void {
    const ringing = this.#legs.get(leg);
    if (ringing === undefined || ringing.ended) return;
    if (result.ok && result.value.startsWith('+OK')) {
      // The phone answered; from now on it is a leg like any other.
      this.forget(leg);
    } else if (result.ok) {
      this.#failed(leg, ringing, causeOf(result.value));
    } else if (result.error.kind === 'deadline' && !ringing.seen) {
      this.#tell(leg, ringing, 'RECOVERY_ON_TIMER_EXPIRE');
    } else {
      // The link broke (the snapshot will tell), or the leg lives and will tell its end itself.
      this.forget(leg);
    }
  }

  #failed(leg: LegId, ringing: Ringing, cause: string): void {
    if (!ringing.seen) {
      this.#tell(leg, ringing, cause);
      return;
    }
    ringing.timer = this.#clock.setTimer(HANGUP_EVENT_GRACE_MS, () => this.#tell(leg, ringing, cause));
  }

  #tell(leg: LegId, ringing: Ringing, cause: string): void {
    if (ringing.ended) return;
    ringing.ended = true;
    this.#forgetLater(leg, ringing);
    this.#report(leg, cause);
  }

  #forgetLater(leg: LegId, ringing: Ringing): void {
    ringing.timer?.cancel();
    ringing.timer = this.#clock.setTimer(REMEMBER_MS, () => {
      if (this.#legs.get(leg) === ringing) this.#legs.delete(leg);
    });
  }
}
