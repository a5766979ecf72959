import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnnouncedPosition, positionAnnouncement } from '../../src/domain/acd/position-announcement.ts';

const minIntervalMs = 30_000;
const ask = (position: number, lastAnnounced: AnnouncedPosition | null, nowMs = 100_000) =>
  positionAnnouncement({ position, lastAnnounced, nowMs, minIntervalMs });
const told = (position: number, agoMs: number): AnnouncedPosition => ({ position, atMs: 100_000 - agoMs });

describe('positionAnnouncement', () => {
  it('tells a newcomer how many are ahead, and the first in line that the seats are busy', () => {
    expect(ask(3, null)).toEqual(['position-before', 'd2-liang', 'position-after']);
    expect(ask(13, null)).toEqual(['position-before', 'd10', 'd2', 'position-after']);
    expect(ask(1, null)).toEqual(['all-busy-wait']);
  });

  it('tells progress, but not too often', () => {
    expect(ask(2, told(3, 30_000))).toEqual(['position-before', 'd1', 'position-after']);
    expect(ask(2, told(3, 29_999))).toEqual([]);
    expect(ask(1, told(2, 60_000))).toEqual(['all-busy-wait']);
  });

  it('says nothing without progress or when the place got worse', () => {
    expect(ask(3, told(3, 60_000))).toEqual([]);
    expect(ask(4, told(3, 60_000))).toEqual([]);
  });

  it('never fails for a strange place', () => {
    expect(ask(1000, null)).toHaveLength(7);
    expect(ask(1001, null)).toEqual(['all-busy-wait']);
    for (const position of [0, -1, 1.5, Number.NaN]) expect(ask(position, null)).toEqual([]);
  });

  it('tells an ever smaller number, however the queue moves', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 60_000 }))), (moves) => {
        let last: AnnouncedPosition | null = null;
        let nowMs = 0;
        for (const [position, passedMs] of moves) {
          nowMs += passedMs;
          if (positionAnnouncement({ position, lastAnnounced: last, nowMs, minIntervalMs }).length === 0) continue;
          if (last !== null) {
            expect(position).toBeLessThan(last.position);
            expect(nowMs - last.atMs).toBeGreaterThanOrEqual(minIntervalMs);
          }
          last = { position, atMs: nowMs };
        }
      }),
    );
  });
});
