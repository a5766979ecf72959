import { describe, expect, it } from 'vitest';
import { DeskChannel, keptPushes } from '../../src/desk/channel.ts';
import type { DeskPush, ServerMessage } from '../../src/desk/protocol.ts';

const today = (count: number): DeskPush => ({
  type: 'today',
  today: Array.from({ length: count }, (_, index) => ({
    callId: `call-${index}`,
    startedAtMs: index,
    number: '138****1234',
    hotlineName: '12345',
    talkMs: 1000,
    endClass: 'success',
    endReason: 'citizen-hung-up',
    orderNo: null,
  })),
});
const gone = (callId: string): DeskPush => ({ type: 'offerGone', callId, reason: 'callerGone' });

describe('what is kept for a page that dropped', () => {
  const resumeFrom = (channel: DeskChannel, lastSeq: number) => {
    const got: ServerMessage[] = [];
    const resumed = channel.add({ send: (message) => got.push(message) }, { epoch: 'e', lastSeq }, 0);
    return { resumed, pushes: got.flatMap((message) => (message.kind === 'push' ? [message] : [])) };
  };

  it('comes in order and without a gap, what happened as it was, a list as it is now', () => {
    const channel = new DeskChannel('e');
    channel.push(gone('first'));
    channel.push(today(1));
    channel.push(gone('second'));
    channel.push(today(2));
    const { resumed, pushes } = resumeFrom(channel, 0);
    expect(resumed).toBe(true);
    expect(pushes.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(pushes.map(({ push }) => push)).toEqual([gone('first'), today(2), gone('second'), today(2)]);
  });

  it('holds one list of today’s calls, however long the day has been', () => {
    const channel = new DeskChannel('e');
    for (let count = 1; count <= keptPushes; count += 1) channel.push(today(count));
    const lists = new Set(resumeFrom(channel, 0).pushes.map(({ push }) => push));
    expect(lists.size).toBe(1);
  });
});
