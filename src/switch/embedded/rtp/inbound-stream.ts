import { sequenceAhead } from './packet.ts';

/**
 * `new`: in order (perhaps after a gap); `late`: behind the newest but not seen yet; `duplicate`: seen already or too
 * old to know; `restart`: the numbers jumped, the source began anew.
 */
export type SequenceVerdict = 'new' | 'late' | 'duplicate' | 'restart';

/** RFC 3550 appendix A.1 names these two: a larger jump is a restart, an older packet than this is one too. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
/** How many packets behind the newest are remembered for telling late from duplicate. */
const WINDOW = 32;

/** What is known of one received synchronisation source: its numbers and its losses. */
export class InboundStream {
  readonly ssrc: number;
  #highest: number;
  /** Bit n is set when `highest - n` has been received. */
  #seen = 1;
  #expected = 1;
  #received = 1;

  /** A stream begins with its first packet, which counts as accepted. */
  constructor(ssrc: number, sequence: number) {
    this.ssrc = ssrc;
    this.#highest = sequence;
  }

  /** Packets that were due and have not come (late ones taken off again). */
  get lost(): number {
    return Math.max(0, this.#expected - this.#received);
  }

  /** Takes the next packet's number. */
  accept(sequence: number): SequenceVerdict {
    const ahead = sequenceAhead(sequence, this.#highest);
    if (ahead > 0 && ahead < MAX_DROPOUT) {
      this.#seen = ahead >= WINDOW ? 1 : (this.#seen << ahead) | 1;
      this.#highest = sequence;
      this.#expected += ahead;
      this.#received += 1;
      return 'new';
    }
    if (ahead <= 0 && ahead > -MAX_MISORDER) return this.#acceptOld(-ahead);
    this.#highest = sequence;
    this.#seen = 1;
    this.#expected += 1;
    this.#received += 1;
    return 'restart';
  }

  #acceptOld(behind: number): SequenceVerdict {
    if (behind >= WINDOW || (this.#seen & (1 << behind)) !== 0) return 'duplicate';
    this.#seen |= 1 << behind;
    this.#received += 1;
    return 'late';
  }
}
