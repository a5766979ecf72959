/**
 * Makes the WAV files of prompts/ from prompts/prompts.yaml: `npx tsx scripts/make-prompts.ts [id …]`
 * (all of them without an id). Needs Debian's `espeak-ng`. The same texts give the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type PromptText, promptTextsSchema } from '../src/domain/ivr/prompt-texts.ts';
import { level, resample, trim } from './prompt-audio/shape.ts';
import { beep, music } from './prompt-audio/tones.ts';
import { decodeWav, encodeWav, type Sound } from './prompt-audio/wav.ts';

const folder = fileURLToPath(new URL('../prompts/', import.meta.url));
const rateHz = 8000;
const speechDeadlineMs = 20_000;
/** -19 dBFS where somebody speaks, about the level of a telephone talker; peaks stay far from clipping. */
const speechRms = 0.11;
const highestPeak = 0.8;

/**
 * Speech from pinyin. The voice must be `cmn-latn-pinyin`: plain `cmn` of espeak-ng 1.51 reads pinyin as English
 * letters. The amplitude stays below 100, from where espeak-ng clips.
 */
function speak(pinyin: string): Sound {
  const wav = execFileSync(
    'espeak-ng',
    ['-v', 'cmn-latn-pinyin', '-s', '185', '-a', '70', '-g', '1', '--stdout', '--', pinyin],
    { timeout: speechDeadlineMs, maxBuffer: 64 * 1024 * 1024 },
  );
  return level(trim(resample(decodeWav(wav), rateHz), 60), speechRms, highestPeak);
}

function makeSound(prompt: PromptText): Sound {
  if ('pinyin' in prompt) return speak(prompt.pinyin);
  return prompt.sound === 'beep' ? beep(rateHz) : level(music(rateHz), 0.08, 0.5);
}

const texts = promptTextsSchema.parse(parse(readFileSync(join(folder, 'prompts.yaml'), 'utf8')));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((id) => !(id in texts));
if (unknown.length > 0) {
  console.error(`prompts.yaml has no prompt ${unknown.join(', ')}`);
  process.exit(1);
}
for (const [id, prompt] of Object.entries(texts)) {
  if (wanted.length > 0 && !wanted.includes(id)) continue;
  const sound = makeSound(prompt);
  writeFileSync(join(folder, `${id}.wav`), encodeWav(sound));
  console.log(`${id}.wav ${(sound.samples.length / rateHz).toFixed(2)} s  ${prompt.text}`);
}
