import { decodeTables, encodeTables, type G711Law } from '../rtp/g711.ts';
import type { SuperviseMode } from './api.ts';
import { FRAME_SAMPLES, saturate } from './frames.ts';
import { JitterBuffer } from './jitter-buffer.ts';

/** One piece of code bytes as it came or goes. */
export interface CodedSound {
  /** Whose stream it is; another object begins a new one. */
  readonly source: object;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly timestamp: number;
  readonly law: G711Law;
}

function keep(buffer: JitterBuffer, sound: CodedSound): void {
  buffer.put(sound.source, sound.bytes, sound.start, sound.end, sound.timestamp, decodeTables[sound.law]);
}

/** The supervisor's voice on its way into one direction of the agent's leg, taken out in the pieces that pass there. */
class Voice {
  readonly #jitter = new JitterBuffer();
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #at = FRAME_SAMPLES;
  #speaks = false;

  put(sound: CodedSound): void {
    keep(this.#jitter, sound);
  }

  /** Adds it to code bytes, in place. */
  addToCode(bytes: Uint8Array, start: number, end: number, law: G711Law): void {
    const decode = decodeTables[law];
    const encode = encodeTables[law];
    for (let at = start; at < end; at += 1) {
      const own = this.#next();
      // What nothing is added to stays as it is, bit by bit.
      if (own === 0) continue;
      const sum = saturate((decode[bytes[at] ?? 0] ?? 0) + own);
      bytes[at] = encode[sum & 0xffff] ?? 0;
    }
  }

  /** Adds it to a frame; true when there was something to add. */
  addToFrame(frame: Int16Array): boolean {
    for (let at = 0; at < frame.length; at += 1) frame[at] = saturate((frame[at] ?? 0) + this.#next());
    return this.#speaks;
  }

  #next(): number {
    if (this.#at === FRAME_SAMPLES) {
      this.#speaks = this.#jitter.get(this.#frame);
      this.#at = 0;
    }
    const sample = this.#frame[this.#at] ?? 0;
    this.#at += 1;
    return sample;
  }
}

/**
 * A supervisor at an agent's leg. What passes there in both directions is copied for him; his own voice is added to
 * what the agent hears (whisper), or to that and to what the agent says (barge), whatever the agent's leg is in.
 */
export class Supervision {
  readonly #said = new JitterBuffer();
  readonly #heard = new JitterBuffer();
  readonly #toAgent: Voice | undefined;
  readonly #toOthers: Voice | undefined;
  readonly #frame = new Int16Array(FRAME_SAMPLES);

  constructor(mode: SuperviseMode) {
    this.#toAgent = mode === 'listen' ? undefined : new Voice();
    this.#toOthers = mode === 'barge' ? new Voice() : undefined;
  }

  /** The supervisor has said this. */
  supervisorSays(sound: CodedSound): void {
    this.#toAgent?.put(sound);
    this.#toOthers?.put(sound);
  }

  /** The agent has said this. */
  agentSays(sound: CodedSound): void {
    keep(this.#said, sound);
  }

  /** The agent is about to hear this: copied, and then the supervisor's voice is added, which he does not hear himself. */
  agentHears(sound: CodedSound): void {
    keep(this.#heard, sound);
    this.#toAgent?.addToCode(sound.bytes, sound.start, sound.end, sound.law);
  }

  /** Adds the supervisor's voice to what the agent's partner is about to be sent, in place. */
  addToSaid(bytes: Uint8Array, start: number, end: number, law: G711Law): void {
    this.#toOthers?.addToCode(bytes, start, end, law);
  }

  /** The same for a frame that goes into a conference; true when there was something to add. */
  addToSpeech(frame: Int16Array): boolean {
    return this.#toOthers?.addToFrame(frame) ?? false;
  }

  /** What the supervisor hears next. */
  fill(frame: Int16Array): void {
    this.#said.get(frame);
    if (!this.#heard.get(this.#frame)) return;
    for (let at = 0; at < frame.length; at += 1) frame[at] = saturate((frame[at] ?? 0) + (this.#frame[at] ?? 0));
  }
}
