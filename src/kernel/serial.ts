/**
 * Runs jobs one after the other in the order in which they came, never two at a time.
 * Bounded: a job beyond `limit` waiting ones is refused, so a stuck job can't eat the memory.
 */
export class SerialQueue {
  readonly #limit: number;
  readonly #onError: (error: unknown) => void;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(limit: number, onError: (error: unknown) => void) {
    this.#limit = limit;
    this.#onError = onError;
  }

  /** How many jobs wait or run. */
  get size(): number {
    return this.#waiting;
  }

  /** Adds a job; false when the queue is full. A job that throws is reported and the next one runs. */
  push(job: () => Promise<void> | void): boolean {
    if (this.#waiting >= this.#limit) return false;
    this.#waiting += 1;
    this.#tail = this.#tail.then(async () => {
      try {
        await job();
      } catch (error) {
        this.#onError(error);
      } finally {
        this.#waiting -= 1;
      }
    });
    return true;
  }

  /** Resolves when all jobs that were added so far have ended. */
  idle(): Promise<void> {
    return this.#tail;
  }
}
