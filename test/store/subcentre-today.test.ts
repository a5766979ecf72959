import { describe, expect, it } from 'vitest';
import { randomIds } from '../../src/kernel/ids.ts';

import { deskStore } from '../../src/store/desk-store.ts';
import { callStore } from '../../src/store/ports.ts';
import { testDatabase } from '../support/database.ts';
import { addPerson, newCall, newLeg, t0 } from './fixtures.ts';

describe('a sub-centre’s calls of today', () => {
  const database = testDatabase();

  it('are those that its number was rung for, with its own talk time', async () => {
    const { db } = database;
    const desk = deskStore(db, { ids: randomIds, numbering: { prefix: 'KF', timeZone: 'Asia/Shanghai' } });
    const clerk = await addPerson(db, { role: 'subcentre', extension: null, hotlineNumber: '12366' });
    const agent = await addPerson(db);
    const joined = newCall({ lastAgentId: agent.id, agentAnsweredAtMs: t0, endedAtMs: t0 + 90_000 });
    const refused = newCall({ startedAtMs: t0 + 1000 });
    const foreign = newCall();
    const subcentreLeg = (callId: string, party: string, answeredAtMs: number | null) =>
      newLeg(callId, { role: 'subcentre', party, direction: 'outbound', answeredAtMs, endedAtMs: t0 + 50_000 });
    await callStore(db).write({
      calls: [joined, refused, foreign],
      legs: [
        newLeg(joined.id),
        // Called twice, talked with twice.
        subcentreLeg(joined.id, '12366', t0 + 20_000),
        subcentreLeg(joined.id, '12366', t0 + 40_000),
        subcentreLeg(refused.id, '12366', null),
        subcentreLeg(foreign.id, '12315', t0),
      ],
      journal: [],
    });
    expect(await desk.today(clerk, t0)).toMatchObject([
      { callId: refused.id, talkMs: 0 },
      { callId: joined.id, talkMs: 40_000 },
    ]);
    expect(await desk.today(clerk, t0 + 2000)).toEqual([]);
    expect(await desk.today(agent, t0)).toMatchObject([{ callId: joined.id, talkMs: 90_000 }]);
  });
});
