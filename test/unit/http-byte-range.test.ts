import { describe, expect, it } from 'vitest';
import { wantedBytes } from '../../src/http/byte-range.ts';

describe('a Range header', () => {
  it.each([
    ['bytes=0-', 0, 999],
    ['bytes=0-99', 0, 99],
    ['bytes=500-500', 500, 500],
    ['bytes=900-5000', 900, 999],
    ['bytes=-100', 900, 999],
    ['bytes=-5000', 0, 999],
  ])('%s of 1000 bytes is a part', (header, first, last) => {
    expect(wantedBytes(header, 1000)).toEqual({ kind: 'part', first, last });
  });

  it.each([
    undefined,
    '',
    'bytes=-',
    'bytes=9-1',
    'bytes=a-b',
    'seconds=0-1',
    'bytes=0-1,5-6',
    'bytes=0-99999999999999999999',
  ])('%s is the whole file', (header) => {
    expect(wantedBytes(header, 1000)).toEqual({ kind: 'whole' });
  });

  it.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0'])('%s lies outside', (header) => {
    expect(wantedBytes(header, 1000)).toEqual({ kind: 'outside' });
  });

  it('finds nothing in an empty file', () => {
    expect(wantedBytes('bytes=0-', 0)).toEqual({ kind: 'outside' });
    expect(wantedBytes('bytes=-5', 0)).toEqual({ kind: 'outside' });
    expect(wantedBytes(undefined, 0)).toEqual({ kind: 'whole' });
  });
});
