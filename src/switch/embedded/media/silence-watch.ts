/** Notices that a far side which should send has stopped. One timer per leg that is set anew only when it fires. */
export class SilenceWatch {
  readonly #timeoutMs: number;
  readonly #onSilent: () => void;
  #timer: NodeJS.Timeout | undefined;
  #expecting = false;
  #lastHeardMs = 0;

  /** @param timeoutMs 0 switches it off. @param onSilent is told once per silence. */
  constructor(timeoutMs: number, onSilent: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onSilent = onSilent;
  }

  /** Something has come. */
  heard(nowMs: number): void {
    this.#lastHeardMs = nowMs;
    if (this.#expecting && this.#timer === undefined) this.#arm(this.#timeoutMs);
  }

  /** Whether the far side should be sending now; the time counts from when that became so. */
  expect(expecting: boolean): void {
    if (this.#timeoutMs <= 0 || this.#expecting === expecting) return;
    this.#expecting = expecting;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!expecting) return;
    this.#lastHeardMs = performance.now();
    this.#arm(this.#timeoutMs);
  }

  stop(): void {
    this.expect(false);
  }

  #arm(afterMs: number): void {
    this.#timer = setTimeout(() => {
      const leftMs = this.#lastHeardMs + this.#timeoutMs - performance.now();
      if (leftMs > 0) {
        this.#arm(Math.ceil(leftMs));
        return;
      }
      // The next packet sets the timer again.
      this.#timer = undefined;
      this.#onSilent();
    }, afterMs);
    this.#timer.unref();
  }
}
