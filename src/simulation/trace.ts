import { createHash } from 'node:crypto';

interface TraceLine {
  readonly step: number;
  readonly atMs: number;
  /** Calls, legs or people that it is about. */
  readonly about: readonly string[];
  readonly text: string;
}

/** Older lines are forgotten, so that thousands of hours fit into memory. */
const keptLines = 60_000;

/** What happened, line by line: a hash of all of it, and the last lines for whoever looks for a bug. */
export class Trace {
  readonly #startMs: number;
  readonly #now: () => number;
  readonly #hash = createHash('sha256');
  #lines: TraceLine[] = [];
  #older: TraceLine[] = [];
  /** The number of the world's step; the world counts it up. */
  step = 0;

  constructor(startMs: number, now: () => number) {
    this.#startMs = startMs;
    this.#now = now;
  }

  note(about: readonly string[], text: string): void {
    const line: TraceLine = { step: this.step, atMs: this.#now() - this.#startMs, about, text };
    this.#hash.update(`${line.step} ${line.atMs} ${about.join(',')} ${text}\n`);
    this.#lines.push(line);
    if (this.#lines.length < keptLines) return;
    this.#older = this.#lines;
    this.#lines = [];
  }

  /** Of all lines so far. */
  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** The last lines about any of these, and those about everything (faults, restarts), oldest first. */
  last(about: ReadonlySet<string>, count: number): string[] {
    return [...this.#older, ...this.#lines]
      .filter((line) => line.about.length === 0 || line.about.some((name) => about.has(name)))
      .slice(-count)
      .map((line) => `${formatTime(line.atMs)} #${line.step} ${line.text}`);
  }
}

/** Virtual time since the start, as `h:mm:ss.mmm`. */
export function formatTime(ms: number): string {
  const pad = (value: number, length: number) => String(Math.floor(value)).padStart(length, '0');
  return `${Math.floor(ms / 3_600_000)}:${pad((ms / 60_000) % 60, 2)}:${pad((ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
}
