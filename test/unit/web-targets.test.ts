import { describe, expect, it } from 'vitest';
import { duration, secondsLeft } from '../../web/src/lib/format.ts';
import { findTargets } from '../../web/src/lib/targets.ts';

const lines = [
  { number: '12329', name: '住房公积金热线', owner: '市公积金中心', mode: 'subcenter', reachable: false },
  { number: '12366', name: '纳税缴费服务热线', owner: '市税务局', mode: 'subcenter', reachable: true },
  { number: '12333', name: '人力资源社会保障热线', owner: '市人社局', mode: 'merge', reachable: true },
];
const numbers = (typed: string): string[] => findTargets(lines, typed).map((target) => target.number);

describe('the target picker', () => {
  it('offers all lines, those without a way last', () => {
    expect(numbers('')).toEqual(['12333', '12366', '12329']);
  });

  it('finds by number, name and owner, and needs all words', () => {
    expect(numbers('税务')).toEqual(['12366']);
    expect(numbers('社会 人社局')).toEqual(['12333']);
    expect(numbers('社会 税务局')).toEqual([]);
    expect(numbers('12366')).toEqual(['12366']);
  });

  it('offers no number outside the directory: the server would refuse it', () => {
    expect(numbers('13800005678')).toEqual([]);
    expect(numbers('1236')).toEqual(['12366']);
  });
});

describe('times for people', () => {
  it('writes durations with hours only where there are any', () => {
    expect(duration(-5)).toBe('00:00');
    expect(duration(61_999)).toBe('01:01');
    expect(duration(3_723_000)).toBe('1:02:03');
  });

  it('counts whole seconds down to nought', () => {
    expect(secondsLeft(10_000, 9_001)).toBe(1);
    expect(secondsLeft(10_000, 10_000)).toBe(0);
    expect(secondsLeft(10_000, 99_000)).toBe(0);
  });
});
