import type { EslListener } from '../../src/switch/esl/client.ts';
import type { EslEvent } from '../../src/switch/esl/event.ts';

/** Notes what a client tells, and lets a test wait for it. */
export class Notes implements EslListener {
  readonly words: string[] = [];
  #waiting: { readonly word: string; readonly times: number; readonly go: () => void }[] = [];

  onUp(): void {
    this.note('up');
  }

  onDown(reason: string): void {
    this.note(`down: ${reason}`);
  }

  onEvent(event: EslEvent): void | Promise<void> {
    this.note(`${event.name} ${event.get('n') ?? ''}`.trim());
  }

  note(word: string): void {
    this.words.push(word);
    for (const waiter of this.#waiting.splice(0)) this.#add(waiter);
  }

  /** Resolves when a note that begins with `word` was made so many times. */
  until(word: string, times = 1): Promise<void> {
    const made = new Promise<void>((go) => this.#add({ word, times, go }));
    return Promise.race([
      made,
      new Promise<never>((_, reject) => {
        setTimeout(
          () => reject(new Error(`no ${times} × ${word} in: ${this.words.join(' | ').slice(-500)}`)),
          12_000,
        ).unref();
      }),
    ]);
  }

  #add(waiter: { readonly word: string; readonly times: number; readonly go: () => void }): void {
    const count = this.words.filter((word) => word.startsWith(waiter.word)).length;
    if (count >= waiter.times) waiter.go();
    else this.#waiting.push(waiter);
  }
}
