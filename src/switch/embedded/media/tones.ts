import { err, ok, type Result } from '../../../kernel/result.ts';
import { SAMPLE_RATE, SAMPLES_PER_MS } from './frames.ts';

/** About -9 dBm0 for all frequencies of a tone together: what exchanges send. */
const AMPLITUDE = 11_000;
/** One round of a cadence is kept in memory; longer ones than this are a mistake. */
const MAX_ROUND_MS = 30_000;
const MAX_FREQUENCIES = 4;
const GROUP = /%\(\s*(\d{1,5})\s*,\s*(\d{1,5})\s*((?:,\s*\d{1,4}\s*)+)\)/g;
const SPECIFICATION = /^(?:%\([\d\s,]+\);?)+$/;

/** Adds the sum of sines to `samples` in [from, to); the phases begin at `phaseAt` samples. */
function addSines(samples: Int16Array, from: number, to: number, frequencies: readonly number[], phaseAt = 0): void {
  const each = AMPLITUDE / Math.max(1, frequencies.length);
  for (let at = from; at < to; at += 1) {
    let sum = samples[at] ?? 0;
    for (const hz of frequencies) sum += each * Math.sin((2 * Math.PI * hz * (at - from + phaseAt)) / SAMPLE_RATE);
    samples[at] = Math.round(sum);
  }
}

/** One round of a tone's cadence and how often it is played. */
export interface Tone {
  readonly samples: Int16Array;
  readonly times: number;
}

/**
 * Renders what follows `tone_stream://`: `%(on ms,off ms,freq[,freq…])`, several of them in a row, and `;loops=n`
 * (-1 for ever). Anything else of FreeSWITCH's tone language is refused.
 */
export function renderTone(text: string): Result<Tone, string> {
  const loops = /;loops=(-?\d{1,6})$/.exec(text);
  const body = loops === null ? text : text.slice(0, loops.index);
  if (!SPECIFICATION.test(body)) return err('a tone is %(on,off,freq[,freq]) with ;loops=n');
  const groups = [...body.matchAll(GROUP)].map((match) => ({
    onMs: Number(match[1]),
    offMs: Number(match[2]),
    frequencies: (match[3] ?? '')
      .split(',')
      .filter((word) => word.trim() !== '')
      .map(Number),
  }));
  const totalMs = groups.reduce((sum, group) => sum + group.onMs + group.offMs, 0);
  if (groups.length !== body.split('%').length - 1) return err('a tone needs on, off and a frequency');
  if (totalMs === 0 || totalMs > MAX_ROUND_MS) return err(`a tone's round lasts 1 to ${MAX_ROUND_MS} ms`);
  if (groups.some(({ frequencies }) => frequencies.length > MAX_FREQUENCIES)) return err('too many frequencies');
  const samples = new Int16Array(totalMs * SAMPLES_PER_MS);
  let at = 0;
  for (const { onMs, offMs, frequencies } of groups) {
    addSines(samples, at, at + onMs * SAMPLES_PER_MS, frequencies);
    at += (onMs + offMs) * SAMPLES_PER_MS;
  }
  const times = loops === null ? 1 : Number(loops[1]);
  return ok({ samples, times: times < 0 ? Number.POSITIVE_INFINITY : Math.max(1, times) });
}

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
/** Row and column on the keypad by event code 0-9, *, #, A-D (ITU-T Q.23). */
const PLACES = [13, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 14, 3, 7, 11, 15];

/** Fills a frame with the two tones of a key (ITU-T Q.23), for far sides that take no telephone events. */
export function keyTone(event: number, frameIndex: number, frame: Int16Array): void {
  const place = PLACES[event] ?? 0;
  frame.fill(0);
  const frequencies = [ROWS[place >> 2] ?? 0, COLUMNS[place & 3] ?? 0];
  addSines(frame, 0, frame.length, frequencies, frameIndex * frame.length);
}
