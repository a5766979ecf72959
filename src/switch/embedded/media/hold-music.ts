import type { Logger } from '../../../kernel/log.ts';
import { FRAME_SAMPLES } from './frames.ts';
import type { PromptStore } from './prompt-store.ts';

/** One piece of music that runs for all at once, like a radio: whoever is put on hold joins where it is. */
export class HoldMusic {
  readonly #prompts: PromptStore;
  readonly #log: Logger;
  #path: string | undefined;
  #samples: Int16Array | undefined;

  constructor(prompts: PromptStore, log: Logger) {
    this.#prompts = prompts;
    this.#log = log;
  }

  /** True when music is set and not known to be unreadable. */
  get present(): boolean {
    return this.#path !== undefined;
  }

  /** Takes another file; silence until it is read, and for ever when it can't be. */
  set(path: string): void {
    this.#path = path;
    void this.#prompts.load(path).then((loaded) => {
      if (this.#path !== path) return;
      if (loaded.ok && loaded.value.length > 0) {
        this.#samples = loaded.value;
        return;
      }
      this.#path = undefined;
      this.#samples = undefined;
      this.#log.warn({ path, reason: loaded.ok ? 'it is empty' : loaded.error }, 'hold music could not be read');
    });
  }

  /** Fills the frame from sample `from` on with what plays at this tick. */
  fill(frame: Int16Array, from: number, tick: number): void {
    const samples = this.#samples;
    if (samples === undefined) {
      frame.fill(0, from);
      return;
    }
    let at = (tick * FRAME_SAMPLES + from) % samples.length;
    for (let n = from; n < FRAME_SAMPLES; n += 1) {
      frame[n] = samples[at] ?? 0;
      at = at + 1 === samples.length ? 0 : at + 1;
    }
  }
}
