import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/kernel/clock.ts';
import { DigitSender } from '../../src/switch/embedded/rtp/digit-sender.ts';
import { DigitReceiver, eventOfKey, writeTelephoneEvent } from '../../src/switch/embedded/rtp/telephone-event.ts';

/** A clock on vitest's fake timers. */
const clock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function listen() {
  const told: [string, number][] = [];
  const receiver = new DigitReceiver(clock, (digit, durationMs) => told.push([digit, durationMs]));
  const packet = (event: number, timestamp: number, durationTicks: number, end = false): void => {
    const bytes = Buffer.alloc(4);
    writeTelephoneEvent(bytes, 0, event, end, durationTicks);
    receiver.receive(bytes, 0, 4, timestamp);
  };
  return { told, receiver, packet };
}

describe('received telephone events', () => {
  it('are told once, at the first of three end packets', () => {
    const { told, packet } = listen();
    for (let n = 1; n <= 5; n += 1) packet(5, 1000, n * 160);
    expect(told).toEqual([]);
    for (let n = 0; n < 3; n += 1) packet(5, 1000, 800, true);
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([['5', 100]]);
  });

  it('are told when only an end packet comes through', () => {
    const { told, packet } = listen();
    packet(11, 1000, 800, true);
    packet(11, 1000, 800, true);
    expect(told).toEqual([['#', 100]]);
  });

  it('are told when all end packets are lost', () => {
    const { told, packet } = listen();
    packet(1, 1000, 160);
    vi.advanceTimersByTime(150);
    packet(1, 1000, 640);
    vi.advanceTimersByTime(150);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(60);
    expect(told).toEqual([['1', 80]]);
    // The end packets were only very late.
    packet(1, 1000, 800, true);
    expect(told).toHaveLength(1);
  });

  it('are told when the next key comes before the end of the first', () => {
    const { told, packet } = listen();
    packet(1, 1000, 640);
    packet(1, 3000, 160);
    expect(told).toEqual([['1', 80]]);
    packet(1, 1000, 800, true);
    packet(1, 3000, 800, true);
    expect(told).toEqual([
      ['1', 80],
      ['1', 100],
    ]);
  });

  it('tell the same key twice when it is pressed twice', () => {
    const { told, packet } = listen();
    packet(7, 1000, 800, true);
    packet(7, 2600, 800, true);
    expect(told.map(([digit]) => digit)).toEqual(['7', '7']);
  });

  it('take reordered packets and time that wraps around', () => {
    const { told, packet } = listen();
    packet(3, 0xffff_ff00, 800);
    packet(3, 0xffff_ff00, 640);
    packet(3, 0xffff_ff00, 960, true);
    packet(4, 0x0000_0800, 320, true);
    expect(told).toEqual([
      ['3', 120],
      ['4', 40],
    ]);
  });

  it('join the segments of a very long press', () => {
    const { told, packet } = listen();
    packet(9, 1000, 0xffff);
    packet(9, 1000 + 0xffff, 1600, true);
    expect(told).toEqual([['9', Math.round((0xffff + 1600) / 8)]]);
  });

  it('ignore what is no key and what is cut off', () => {
    const { told, receiver, packet } = listen();
    packet(16, 1000, 800, true);
    receiver.receive(Buffer.from([1, 0x80, 0]), 0, 3, 2000);
    expect(told).toEqual([]);
  });
});

describe('sent telephone events', () => {
  const drain = (sender: DigitSender) => {
    const steps = [];
    while (sender.active && steps.length < 1000) steps.push(sender.next());
    return steps;
  };

  it('grow by a frame each and end three times', () => {
    const sender = new DigitSender();
    expect(sender.push('1', 60)).toBe(true);
    const steps = drain(sender).filter((step) => step !== undefined);
    expect(steps).toEqual([
      { event: 1, first: true, end: false, durationTicks: 160 },
      { event: 1, first: false, end: false, durationTicks: 320 },
      { event: 1, first: false, end: true, durationTicks: 480 },
      { event: 1, first: false, end: true, durationTicks: 480 },
      { event: 1, first: false, end: true, durationTicks: 480 },
    ]);
  });

  it('leave at least 40 ms between two keys', () => {
    const sender = new DigitSender();
    sender.push('1', 40);
    sender.push('2', 40);
    const events = drain(sender).map((step) => step?.event ?? '-');
    expect(events.join('')).toMatch(/^1111-{2,}2222-*$/);
  });

  it('are bounded in number and length, and refuse what is no key', () => {
    const sender = new DigitSender();
    expect([sender.push('x', 100), sender.push('', 100), sender.push('12', 100)]).toEqual([false, false, false]);
    expect(sender.push('A', Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(drain(sender).every((step) => (step?.durationTicks ?? 0) <= 0xffff)).toBe(true);
    expect(Array.from({ length: 100 }, () => sender.push('1', 100)).filter(Boolean)).toHaveLength(64);
  });

  it('know the keys by RFC 4733', () => {
    expect([...'0123456789*#ABCD'].map(eventOfKey)).toEqual(Array.from({ length: 16 }, (_, event) => event));
    expect(eventOfKey('a')).toBe(12);
  });
});
