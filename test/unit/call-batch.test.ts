import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/domain/call/call.ts';
import { beforeAnotherLed } from '../../src/services/calls/call-batch.ts';
import type { CallBatch, JournalEntry, LegRecord } from '../../src/services/ports.ts';
import { newCall } from '../support/call-fixtures.ts';

const entry = (callId: string, position: number, toState: string): JournalEntry => ({
  callId,
  position,
  atMs: position,
  fromState: 'new',
  event: 'test',
  toState,
  details: {},
});

const leg = (callId: string): LegRecord => ({
  leg: `leg of ${callId}`,
  callId,
  role: 'citizen',
  party: '13800001234',
  personId: null,
  direction: 'inbound',
  createdAtMs: 0,
  ringingAtMs: null,
  answeredAtMs: null,
  endedAtMs: null,
  endClass: null,
  endReason: null,
  cause: null,
  sipStatus: null,
});

const callIn = (id: string, state: Call['state']): Call => ({ ...newCall(), id, state });

const names = ({ calls, journal, legs }: CallBatch) => ({
  calls: calls.map((call) => call.id),
  journal: journal.map(({ callId }) => callId),
  legs: legs.map(({ callId }) => callId),
});

describe('records from before another control led', () => {
  const backlog: CallBatch = {
    calls: [callIn('over', 'ended'), callIn('live', 'talking'), callIn('known', 'ended')],
    // Of a call that is stored already, one more line.
    journal: [...['over', 'live', 'known'].map((id) => entry(id, 7, 'x')), entry('known too', 9, 'y')],
    legs: ['over', 'live', 'known'].map(leg),
  };
  const stored = new Map([
    ['known', 3],
    ['known too', 8],
  ]);

  it('are missing when the call was over and the store knows nothing of it', () => {
    const { missing } = beforeAnotherLed(backlog, stored);
    expect(names(missing)).toEqual({ calls: ['over'], journal: ['over'], legs: ['over'] });
  });

  it('contradict that one’s records in all other calls; none is lost', () => {
    const { contradicting } = beforeAnotherLed(backlog, stored);
    expect(names(contradicting)).toEqual({
      calls: ['live', 'known'],
      journal: ['live', 'known', 'known too'],
      legs: ['live', 'known'],
    });
  });
});
