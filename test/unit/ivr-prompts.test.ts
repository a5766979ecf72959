import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadFlows } from '../../src/config/flows.ts';
import { loadPrompts } from '../../src/config/prompts.ts';
import { readTelephoneWav } from '../../src/config/wav-header.ts';
import { requiredPromptIds } from '../../src/domain/ivr/prompt-ids.ts';
import { promptTextsSchema } from '../../src/domain/ivr/prompt-texts.ts';
import { SetupError } from '../../src/kernel/errors.ts';

const texts = promptTextsSchema.parse(parse(readFileSync('prompts/prompts.yaml', 'utf8')));

function levels(bytes: Buffer, start: number, byteCount: number): { rms: number; peak: number } {
  let sum = 0;
  let peak = 0;
  for (let at = start; at < start + byteCount; at += 2) {
    const sample = Math.abs(bytes.readInt16LE(at)) / 32768;
    sum += sample * sample;
    peak = Math.max(peak, sample);
  }
  return { rms: Math.sqrt(sum / (byteCount / 2)), peak };
}

describe('the prompts of the house', () => {
  it.each(Object.keys(texts))('%s is a telephone WAV that can be heard', (id) => {
    const bytes = readFileSync(join('prompts', `${id}.wav`));
    const facts = readTelephoneWav(bytes);
    if (!facts.ok) throw new Error(facts.error);
    const { rms, peak } = levels(bytes, facts.value.dataStart, facts.value.dataBytes);
    expect(rms, 'not silent').toBeGreaterThan(0.02);
    expect(peak, 'not clipped').toBeLessThan(0.95);
    const [shortest, longest] = id === 'music' ? [20_000, 60_000] : [200, 20_000];
    expect(facts.value.durationMs).toBeGreaterThanOrEqual(shortest);
    expect(facts.value.durationMs).toBeLessThanOrEqual(longest);
  });

  it('have no file without a text and stay small', () => {
    const files = readdirSync('prompts').filter((file) => file.endsWith('.wav'));
    expect(files.map((file) => file.replace('.wav', '')).sort()).toEqual(Object.keys(texts).sort());
    expect(files.reduce((sum, file) => sum + statSync(join('prompts', file)).size, 0)).toBeLessThan(3_000_000);
  });

  it('hold every prompt that the program and the flows name', () => {
    const fromFlows = [...loadFlows(['ivr-flows']).values()].flatMap((flow) =>
      Object.values(flow.steps).flatMap((step) => {
        if (step.kind === 'queue') return [];
        return step.kind === 'menu' ? [...step.prompts, ...step.noInput, ...step.wrongInput] : step.prompts;
      }),
    );
    expect(Object.keys(texts)).toEqual(expect.arrayContaining([...requiredPromptIds, ...fromFlows]));
  });

  it('give the synthesiser no digits but tones: it would read numbers wrongly', () => {
    for (const [id, prompt] of Object.entries(texts)) {
      if ('pinyin' in prompt) expect(prompt.pinyin.replace(/[a-z]+[1-5]/g, ''), id).not.toMatch(/[0-9a-z]/);
    }
  });
});

describe('loadPrompts', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'prompts-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('finds the prompts of the house with absolute paths and lengths', () => {
    const prompts = loadPrompts(['prompts'], requiredPromptIds);
    expect(prompts.path('goodbye')).toBe(resolve('prompts/goodbye.wav'));
    expect(prompts.known.get('music')?.durationMs).toBe(24_000);
  });

  it("takes a city's own recording before the house's", () => {
    const city = join(folder, 'kaifeng');
    mkdirSync(city);
    copyFileSync('prompts/beep.wav', join(city, 'greeting.wav'));
    const prompts = loadPrompts(['prompts'], [], [city, join(folder, 'no-such-folder')]);
    expect(prompts.path('greeting')).toBe(join(city, 'greeting.wav'));
    expect(prompts.path('goodbye')).toBe(resolve('prompts/goodbye.wav'));
  });

  it('names the setting and the prompt when one is missing, at the start or later', () => {
    const missing = /PROMPTS_FOLDER/;
    expect(() => loadPrompts([folder], ['goodbye'])).toThrow(SetupError);
    expect(() => loadPrompts([folder], ['goodbye'])).toThrow(/"goodbye"/);
    expect(() => loadPrompts([folder]).path('greeting')).toThrow(missing);
    expect(() => loadPrompts([join(folder, 'no-such-folder')])).toThrow(missing);
  });

  it.each([
    ['text', Buffer.from('hello, this is no sound'), /no WAV file/],
    ['half a header', readFileSync('prompts/beep.wav').subarray(0, 30), /cut short/],
    ['half a file', readFileSync('prompts/beep.wav').subarray(0, 1000), /cut short/],
    ['only a header', readFileSync('prompts/beep.wav').subarray(0, 36), /no sound/],
    ['an empty file', Buffer.alloc(0), /no WAV file/],
  ])('refuses %s', (_what, bytes, words) => {
    writeFileSync(join(folder, 'greeting.wav'), bytes);
    expect(() => loadPrompts([folder])).toThrow(SetupError);
    expect(() => loadPrompts([folder])).toThrow(words);
  });

  it('refuses a recording at the rate of music', () => {
    const bytes = Buffer.from(readFileSync('prompts/beep.wav'));
    bytes.writeUInt32LE(44_100, 24);
    writeFileSync(join(folder, 'greeting.wav'), bytes);
    expect(() => loadPrompts([folder])).toThrow(/must be 8000 Hz.*is 44100 Hz/);
  });
});
