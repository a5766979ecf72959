import { describe, expect, it } from 'vitest';
import { err, ok } from '../../src/kernel/result.ts';
import { LegPlayer, type PlaybackComplete } from '../../src/switch/freeswitch/leg-player.ts';
import { OriginateTracker } from '../../src/switch/freeswitch/originate-tracker.ts';
import type { SwitchReply } from '../../src/switch/port.ts';
import { ManualClock } from '../support/manual-clock.ts';

function setUp(answers: Partial<Record<'playback' | 'breakAll', () => SwitchReply>> = {}) {
  const clock = new ManualClock();
  const said: string[] = [];
  const fine = (): SwitchReply => Promise.resolve(ok(undefined));
  const player = new LegPlayer(
    {
      playback: (leg, playId, argument, forever) => {
        said.push(`play ${leg} ${playId} ${argument}${forever ? ' forever' : ''}`);
        return (answers.playback ?? fine)();
      },
      breakAll: (leg) => {
        said.push(`break ${leg}`);
        return (answers.breakAll ?? fine)();
      },
    },
    clock,
    (leg, playId, failed) => said.push(`ended ${leg} ${playId}${failed ? ' failed' : ''}`),
  );
  const complete = (playId: string, change: Partial<PlaybackComplete> = {}): void => {
    player.complete({
      leg: 'L',
      playId,
      failed: false,
      atMs: clock.now(),
      totalLoops: undefined,
      playedMs: undefined,
      leaving: false,
      ...change,
    });
  };
  return { clock, said, player, complete };
}

describe('playing on a leg', () => {
  it('plays at once where nothing plays, and breaks nothing', async () => {
    const { said, player, complete } = setUp();
    expect(await player.play('L', 'p1', 'a.wav', false)).toEqual(ok(undefined));
    complete('p1');
    expect(await player.stop('L')).toEqual(ok(undefined));
    await player.play('L', 'p2', 'b.wav', false);
    expect(said).toEqual(['play L p1 a.wav', 'ended L p1', 'play L p2 b.wav']);
  });

  it('breaks the old playback off and waits for its end before the new one', async () => {
    const { clock, said, player, complete } = setUp();
    await player.play('L', 'p1', 'a.wav', true);
    await clock.advance(100);
    const second = player.play('L', 'p2', 'b.wav', false);
    await clock.advance(10);
    expect(said).toEqual(['play L p1 a.wav forever', 'break L']);
    complete('p1', { totalLoops: -1, playedMs: 4000 });
    await second;
    expect(said.slice(2)).toEqual(['ended L p1', 'play L p2 b.wav']);
  });

  it('waits no longer than a second for an end that never comes, and ignores it when it comes late', async () => {
    const { clock, said, player, complete } = setUp();
    await player.play('L', 'p1', 'a.wav', false);
    const second = player.play('L', 'p2', 'b.wav', false);
    await clock.advance(1100);
    await second;
    complete('p1');
    expect(said).toEqual(['play L p1 a.wav', 'break L', 'ended L p1', 'play L p2 b.wav']);
    expect(clock.waiting).toBe(0);
  });

  it('lets a playback begin before it breaks it off, since a break of a queued one is silent', async () => {
    const { clock, said, player } = setUp();
    await player.play('L', 'p1', 'a.wav', false);
    void player.stop('L');
    await clock.advance(50);
    expect(said).toEqual(['play L p1 a.wav']);
    await clock.advance(10);
    expect(said).toEqual(['play L p1 a.wav', 'break L']);
  });

  it('reports the end of a stopped playback under its own id', async () => {
    const { clock, said, player, complete } = setUp();
    await player.play('L', 'p1', 'a.wav', true);
    await clock.advance(100);
    await player.stop('L');
    await player.stop('L');
    complete('p1', { totalLoops: -1 });
    expect(said).toEqual(['play L p1 a.wav forever', 'break L', 'ended L p1']);
    expect(player.size).toBe(0);
  });

  it('takes the rounds of a repeated playback for what they are', async () => {
    const { said, player, complete } = setUp();
    await player.play('L', 'p1', 'a.wav', true);
    complete('p1', { totalLoops: -1, playedMs: 900 });
    complete('p1', { totalLoops: -1, playedMs: 900 });
    expect(said).toHaveLength(1);
    complete('p1', { totalLoops: -1, playedMs: 900, leaving: true });
    expect(said[1]).toBe('ended L p1');
  });

  it.each([
    ['a round too short to be repeated', { totalLoops: -1, playedMs: 400 }, 'ended L p1'],
    ['a failed round', { totalLoops: -1, failed: true }, 'ended L p1 failed'],
  ] as const)('ends a repeated playback at %s', async (_what, change, expected) => {
    const { said, player, complete } = setUp();
    await player.play('L', 'p1', 'a.wav', true);
    complete('p1', change);
    expect(said[1]).toBe(expected);
  });

  it('knows that a bridge or a park ended a repeated playback, but not one that has not begun', async () => {
    const { said, player, complete } = setUp();
    await player.play('L', 'p1', 'a.wav', true);
    player.moved('L', 0);
    expect(said).toHaveLength(1);
    complete('p1', { totalLoops: -1 });
    player.moved('L', 0);
    expect(said[1]).toBe('ended L p1');
  });

  it('carries the requests of one leg out one after the other, and at most eight wait', async () => {
    const { clock, said, player } = setUp();
    const replies = Array.from({ length: 10 }, (_, index) => player.play('L', `p${index}`, 'a.wav', false));
    await clock.advance(20_000);
    const kinds = (await Promise.all(replies)).map((reply) => (reply.ok ? 'ok' : reply.error.kind));
    expect(kinds).toEqual([...Array.from({ length: 8 }, () => 'ok'), 'refused', 'refused']);
    expect(said.filter((word) => word.startsWith('ended'))).toEqual(
      Array.from({ length: 7 }, (_, index) => `ended L p${index}`),
    );
  });

  it('forgets a leg that ended, also under a request that waits for it', async () => {
    const { clock, said, player } = setUp();
    await player.play('L', 'p1', 'a.wav', false);
    await clock.advance(100);
    const second = player.play('L', 'p2', 'b.wav', false);
    await clock.advance(10);
    player.forget('L');
    expect(await second).toMatchObject({ error: { kind: 'gone' } });
    expect(said).toEqual(['play L p1 a.wav', 'break L']);
    expect(player.size).toBe(0);
    await clock.advance(5000);
    expect(clock.waiting).toBe(0);
  });

  it('keeps nothing of a request that the switch refused', async () => {
    const { said, player } = setUp({ playback: () => Promise.resolve(err({ kind: 'gone', message: 'no' })) });
    expect(await player.play('L', 'p1', 'a.wav', false)).toMatchObject({ error: { kind: 'gone' } });
    expect(player.size).toBe(0);
    expect(said).toEqual(['play L p1 a.wav']);
  });

  it('after the link was away reports missed ends and takes over what plays unknown', async () => {
    const { clock, said, player, complete } = setUp();
    await player.play('L', 'p1', 'a.wav', false);
    await player.play('M', 'p2', 'a.wav', false);
    await player.play('N', 'p3', 'a.wav', false);
    player.reconcile(
      new Map([
        ['L', false],
        ['M', true],
        ['X', true],
      ]),
      clock.now(),
    );
    expect(said.slice(3)).toEqual(['ended L p1']);
    const next = player.play('X', 'p4', 'b.wav', false);
    await clock.advance(10);
    expect(said.slice(4)).toEqual(['break X']);
    complete('unknown to us', { leg: 'X' });
    await next;
    expect(said.slice(5)).toEqual(['play X p4 b.wav']);
  });
});

describe('an originate that fails', () => {
  function track() {
    const clock = new ManualClock();
    const told: string[] = [];
    const tracker = new OriginateTracker(clock, (leg, cause) => told.push(`${leg} ${cause}`));
    tracker.begin('L');
    return { clock, told, tracker };
  }

  it('is told from the job when the leg never came to be', async () => {
    const { clock, told, tracker } = track();
    tracker.jobEnded('L', ok('-ERR USER_NOT_REGISTERED\n'));
    expect(told).toEqual(['L USER_NOT_REGISTERED']);
    expect(tracker.ended('L')).toBe(false);
    await clock.advance(60_000);
    expect([tracker.size, clock.waiting]).toEqual([0, 0]);
  });

  it('is told once by the hang-up event when there was a leg, whichever comes first', async () => {
    const first = track();
    first.tracker.seen('L');
    expect(first.tracker.ended('L')).toBe(true);
    first.tracker.jobEnded('L', ok('-ERR USER_BUSY'));
    await first.clock.advance(60_000);
    expect(first.told).toEqual([]);

    const second = track();
    second.tracker.seen('L');
    second.tracker.jobEnded('L', ok('-ERR USER_BUSY'));
    await second.clock.advance(100);
    expect(second.tracker.ended('L')).toBe(true);
    await second.clock.advance(60_000);
    expect([second.told, second.tracker.size]).toEqual([[], 0]);
  });

  it('is told from the job when the hang-up event does not come', async () => {
    const { clock, told, tracker } = track();
    tracker.seen('L');
    tracker.jobEnded('L', ok('-ERR NO_ANSWER'));
    await clock.advance(2000);
    expect(told).toEqual(['L NO_ANSWER']);
    expect(tracker.ended('L')).toBe(false);
  });

  it('is told when its job never ends and nothing was seen of it', () => {
    const { told, tracker } = track();
    tracker.jobEnded('L', err({ kind: 'deadline', message: '' }));
    expect(told).toEqual(['L RECOVERY_ON_TIMER_EXPIRE']);
  });

  it('is left to the snapshot when the link broke, and to the leg itself once it answered', () => {
    for (const result of [err({ kind: 'link-down', message: '' } as const), ok('+OK uuid')]) {
      const { told, tracker } = track();
      tracker.jobEnded('L', result);
      expect([told, tracker.size, tracker.ended('L')]).toEqual([[], 0, true]);
    }
  });
});
