import { err, ok, type Result } from '../../../kernel/result.ts';
import { SAMPLES_PER_MS } from './frames.ts';
import type { PromptStore } from './prompt-store.ts';
import { renderTone } from './tones.ts';

/** Something to play, ready in memory. `live` is taken from the hold music that all share. */
export type PlayableSource =
  | { readonly kind: 'samples'; readonly samples: Int16Array; readonly times: number }
  | { readonly kind: 'silence'; readonly length: number }
  | { readonly kind: 'live' };

const SILENCE = 'silence_stream://';
const TONE = 'tone_stream://';
const LOCAL = 'local_stream://';

/** Prepares one source in FreeSWITCH's words, or says in one line why it can't be played. Never rejects. */
export async function loadSource(
  source: string,
  prompts: PromptStore,
  hasHoldMusic: () => boolean,
): Promise<Result<PlayableSource, string>> {
  if (source.startsWith(SILENCE)) return silence(source.slice(SILENCE.length));
  if (source.startsWith(TONE)) {
    const tone = renderTone(source.slice(TONE.length));
    return tone.ok ? ok({ kind: 'samples', ...tone.value }) : tone;
  }
  if (source.startsWith(LOCAL)) return hasHoldMusic() ? ok({ kind: 'live' }) : err('no hold music is set');
  if (!source.startsWith('/')) return err('neither an absolute path nor a known stream');
  const samples = await prompts.load(source);
  return samples.ok ? ok({ kind: 'samples', samples: samples.value, times: 1 }) : samples;
}

function silence(text: string): Result<PlayableSource, string> {
  // FreeSWITCH: `-1` is silence without end; a second number is the level of comfort noise, which is not made here.
  const match = /^(-1|\d{1,9})(?:,\d+)?$/.exec(text);
  if (match === null) return err('silence is a number of milliseconds');
  const ms = Number(match[1]);
  return ok({ kind: 'silence', length: ms < 0 ? Number.POSITIVE_INFINITY : ms * SAMPLES_PER_MS });
}
