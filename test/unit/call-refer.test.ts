import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/domain/call/call.ts';
import { step } from '../../src/domain/call/interpreter.ts';
import { agentPart, aroundNow, newCall } from '../support/call-fixtures.ts';

const talked = { ...agentPart(), answeredAtMs: 20, place: 'parked' } as const;
const refused = { role: 'citizen', byLeg: talked.leg, number: '00861', target: { to: 'unknown' } } as const;

describe('a phone’s REFER to a number that may not be called', () => {
  it('and the phone is there: the switch puts the two together again', () => {
    const talking: Call = { ...newCall(), state: 'talking', agent: talked, agentAnsweredAtMs: 20 };
    const { call, effects } = step(talking, { type: 'referred', by: 'agent', ...refused }, aroundNow());
    expect(call).toMatchObject({ state: 'rejoining', citizenPlace: 'moving', agent: { place: 'moving' } });
    expect(effects).toContainEqual({ do: 'answerRefer', role: 'citizen', by: talked.leg, accepted: false });
  });

  it('and the phone has gone before the news of it: the citizen does not wait for anybody, but is asked at once', () => {
    const ended = { endClass: 'success', endReason: 'agent-hung-up', agentAnsweredAtMs: 20 } as const;
    const alone: Call = { ...newCall(), state: 'separated', agent: null, ...ended };
    const { call, effects } = step(alone, { type: 'referred', by: null, ...refused }, aroundNow());
    expect(call.state).toBe('rating');
    expect(effects.some((effect) => effect.do === 'playCitizen')).toBe(true);
    expect(effects.some((effect) => effect.do === 'answerRefer')).toBe(false);
  });
});
