import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Ticker, type Ticking } from '../../src/switch/embedded/media/ticker.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function member(run: (index: number) => void = () => {}): Ticking & { readonly indexes: number[] } {
  const indexes: number[] = [];
  return {
    indexes,
    tick: (index) => {
      indexes.push(index);
      run(index);
    },
  };
}

const never = (error: unknown): void => expect.unreachable(String(error));

describe('the 20 ms clock', () => {
  it('ticks fifty times a second and runs only while somebody needs it', () => {
    const ticker = new Ticker(never);
    expect(ticker.running).toBe(false);
    const one = member();
    ticker.add(one);
    ticker.add(one);
    vi.advanceTimersByTime(1000);
    expect(one.indexes.length).toBeGreaterThanOrEqual(50);
    expect(one.indexes.length).toBeLessThanOrEqual(51);
    ticker.remove(one);
    expect(ticker.running).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('makes up for a short stall, and leaves out the frames of a long one', () => {
    const ticker = new Ticker(never);
    let stallMs = 0;
    const one = member(() => {
      // The event loop stands still inside this tick.
      vi.setSystemTime(Date.now() + stallMs);
      performanceOffset += stallMs;
      stallMs = 0;
    });
    let performanceOffset = 0;
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + performanceOffset);
    ticker.add(one);
    vi.advanceTimersByTime(100);
    stallMs = 60;
    vi.advanceTimersByTime(100);
    const steps = (): number[] => one.indexes.slice(1).map((index, at) => index - (one.indexes[at] ?? 0));
    expect(steps().every((step) => step === 1)).toBe(true);
    expect(one.indexes.at(-1)).toBeGreaterThanOrEqual(12);
    stallMs = 1000;
    const before = one.indexes.length;
    vi.advanceTimersByTime(60);
    expect(one.indexes.length - before).toBeLessThanOrEqual(9);
    expect(Math.max(...steps())).toBeGreaterThan(40);
  });

  it('goes on for the others when one fails or leaves in the middle', () => {
    const errors: unknown[] = [];
    const ticker = new Ticker((error) => errors.push(error));
    const broken = member(() => {
      throw new Error('broken');
    });
    const leaving: Ticking & { readonly indexes: number[] } = member(() => ticker.remove(leaving));
    const sound = member();
    for (const one of [broken, leaving, sound]) ticker.add(one);
    vi.advanceTimersByTime(200);
    expect(leaving.indexes).toHaveLength(1);
    expect(sound.indexes.length).toBeGreaterThanOrEqual(10);
    expect(errors).toHaveLength(broken.indexes.length);
  });
});
