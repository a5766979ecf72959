import type { Clock, Timer } from '../../kernel/clock.ts';
import { err, ok, type Result } from '../../kernel/result.ts';
import type { SwitchFailure } from '../port.ts';

/** The end of a `bgapi`: the body of its BACKGROUND_JOB event. */
export type JobResult = Result<string, SwitchFailure>;

/** Waits for BACKGROUND_JOB events by Job-UUID. Bounded in number and in time, so lost jobs can't pile up. */
export class JobTable {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #jobs = new Map<string, { readonly settle: (result: JobResult) => void; readonly timer: Timer }>();

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  get size(): number {
    return this.#jobs.size;
  }

  get full(): boolean {
    return this.#jobs.size >= this.#limit;
  }

  /** Waits for one job, at most `deadlineMs`. */
  expect(jobUuid: string, deadlineMs: number): Promise<JobResult> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(deadlineMs, () => {
        this.#jobs.delete(jobUuid);
        resolve(err({ kind: 'deadline', message: `job ${jobUuid} did not end within ${deadlineMs} ms` }));
      });
      this.#jobs.set(jobUuid, { settle: resolve, timer });
    });
  }

  /** Ends one job; false when nobody waits for it (another client's, or its time is up). */
  deliver(jobUuid: string, result: JobResult): boolean {
    const job = this.#jobs.get(jobUuid);
    if (job === undefined) return false;
    this.#jobs.delete(jobUuid);
    job.timer.cancel();
    job.settle(result);
    return true;
  }

  /** The same for a job's body as the switch wrote it. */
  deliverBody(jobUuid: string, body: string): boolean {
    return this.deliver(jobUuid, ok(body));
  }

  /** Ends all jobs: their events may have been lost with the link. */
  failAll(message: string): void {
    for (const jobUuid of [...this.#jobs.keys()]) this.deliver(jobUuid, err({ kind: 'link-down', message }));
  }
}
