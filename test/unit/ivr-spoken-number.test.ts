import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { promptTextsSchema } from '../../src/domain/ivr/prompt-texts.ts';
import { spokenCount, spokenNumber } from '../../src/domain/ivr/spoken-number.ts';

const texts = promptTextsSchema.parse(parse(readFileSync('prompts/prompts.yaml', 'utf8')));
const inWords = (ids: readonly string[]): string => ids.map((id) => texts[id]?.text ?? `?${id}`).join('');

/** Says a number by the other way round: what a Chinese reader makes of the characters. */
function valueOfWords(words: string): number {
  const values: Record<string, number> = { 零: 0, 一: 1, 二: 2, 三: 3, 四: 4, 五: 5, 六: 6, 七: 7, 八: 8, 九: 9 };
  let total = 0;
  let pending: number | undefined;
  for (const word of words) {
    if (word === '百') total += (pending ?? 1) * 100;
    else if (word === '十') total += (pending ?? 1) * 10;
    else {
      pending = values[word];
      continue;
    }
    pending = undefined;
  }
  return total + (pending ?? 0);
}

describe('spokenNumber', () => {
  it.each([
    [0, '零'],
    [2, '二'],
    [10, '十'],
    [11, '十一'],
    [20, '二十'],
    [21, '二十一'],
    [100, '一百'],
    [105, '一百零五'],
    [110, '一百一十'],
    [119, '一百一十九'],
    [120, '一百二十'],
    [202, '二百零二'],
    [999, '九百九十九'],
  ])('says %i as %s', (value, words) => {
    expect(inWords(spokenNumber(value))).toBe(words);
  });

  it('says every number so that it is understood as that number', () => {
    for (let value = 0; value <= 999; value += 1) expect(valueOfWords(inWords(spokenNumber(value)))).toBe(value);
  });

  it.each([-1, 1000, 1.5, Number.NaN])('refuses %d', (value) => {
    expect(() => spokenNumber(value)).toThrow(RangeError);
  });
});

describe('spokenCount', () => {
  it('says two alone as 两, and only alone', () => {
    expect(inWords(spokenCount(2))).toBe('两');
    expect(inWords(spokenCount(12))).toBe('十二');
    expect(inWords(spokenCount(102))).toBe('一百零二');
  });
});
