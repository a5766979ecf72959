/** What one client wants to hear. */
export class Subscriptions {
  #all = false;
  readonly #names = new Set<string>();
  readonly #subclasses = new Set<string>();

  /** `event plain A B CUSTOM x y`: words after CUSTOM are subclasses. False when no event is named. */
  add(words: readonly string[]): boolean {
    let custom = false;
    let named = false;
    for (const word of words) {
      if (word === '') continue;
      named = true;
      if (word.toUpperCase() === 'ALL') this.#all = true;
      else if (word.toUpperCase() === 'CUSTOM') custom = true;
      else if (custom) this.#subclasses.add(word);
      else this.#names.add(word.toUpperCase());
    }
    return named;
  }

  /** `nixevent A B CUSTOM x`. */
  remove(words: readonly string[]): void {
    let custom = false;
    for (const word of words) {
      if (word.toUpperCase() === 'CUSTOM') custom = true;
      else if (custom) this.#subclasses.delete(word);
      else this.#names.delete(word.toUpperCase());
    }
  }

  clear(): void {
    this.#all = false;
    this.#names.clear();
    this.#subclasses.clear();
  }

  wants(name: string, subclass: string | undefined): boolean {
    if (this.#all) return true;
    return subclass === undefined ? this.#names.has(name) : this.#subclasses.has(subclass);
  }
}
