import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callerNameOf } from '../../src/domain/hotline/caller-name.ts';
import { normaliseNumber } from '../../src/domain/hotline/normalise-number.ts';

describe('a caller’s name', () => {
  it.each([
    ['李\\"四\\"', '李"四"'],
    ['a\\\\b', 'a\\b'],
    ['  张三  ', '张三'],
    ['A\u0000\r\nX: y', 'A   X: y'],
    ['\ud83d half', 'half'],
    ['😀', '😀'],
    ['长'.repeat(300), '长'.repeat(100)],
    ['', ''],
  ])('%j is shown as %j', (raw, shown) => {
    expect(callerNameOf(raw)).toBe(shown);
  });

  it('never holds what a database refuses, and neither does the number', () => {
    const anyUtf16 = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 250 })
      .map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(anyUtf16, (raw) => {
        for (const text of [callerNameOf(raw), normaliseNumber(raw).normalised, normaliseNumber(raw).display])
          expect(text).not.toMatch(/[\p{Cc}\p{Surrogate}]/u);
      }),
    );
  });
});
