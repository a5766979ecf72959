import { describe, expect, it } from 'vitest';
import type { Call, ConsultPart, Place } from '../../src/domain/call/call.ts';
import { step } from '../../src/domain/call/interpreter.ts';
import { agentPart, aroundNow, consultPart, newCall } from '../support/call-fixtures.ts';

const talked = { ...agentPart(), answeredAtMs: 20, place: 'parked' } as const;
const with12366 = (place: Place): ConsultPart => ({ ...consultPart(), place });
const consulting: Call = { ...newCall(), state: 'consulting', agent: talked, consult: with12366('bridged') };

/** Each was found by the simulation with more faults than its seeds have. */
describe('what the switch shows against what is noted', () => {
  it('citizen and agent who talk have ended their consultation', () => {
    const { call, effects } = step(consulting, { type: 'bridged', a: 'citizen', b: 'agent' }, aroundNow());
    expect(call).toMatchObject({
      state: 'talking',
      citizenPlace: 'bridged',
      agent: { place: 'bridged' },
      playId: null,
    });
    expect(effects).toEqual([{ do: 'hangup', leg: consulting.consult?.leg, cause: 'NORMAL_CLEARING' }]);
  });

  it('music that could not be played on a leg of a lost node is tried again, for the node may return', () => {
    const waiting: Call = { ...newCall(), state: 'waiting', playId: 'music' };
    const failed = { type: 'commandFailed', command: 'playCitizen', kind: 'gone' } as const;
    const { call, effects } = step(waiting, failed, aroundNow());
    expect(call.playId).toBeNull();
    expect(effects).toEqual([{ do: 'startTimer', timer: 'announce', delayMs: 4_000 }]);
  });

  it.each([
    ['moving', true],
    ['parked', false],
  ] as const)('an agent who was on his way to a line that never came is parked anew (%s)', (place, isParked) => {
    const connecting: Call = { ...consulting, state: 'consultConnecting', agent: { ...talked, place } };
    const { call, effects } = step(connecting, { type: 'timer', timer: 'step' }, aroundNow());
    expect(call.state).toBe('held');
    expect(effects.some((effect) => effect.do === 'park' && effect.role === 'agent')).toBe(isParked);
  });

  it.each(['moving', 'early'] as const)('a line that an agent who has gone was to hear is parked (%s)', (place) => {
    const ringing: Call = { ...consulting, state: 'consultRinging', consult: with12366(place) };
    const end = { cause: 'NORMAL_CLEARING', sipStatus: undefined, endedBy: 'switch' } as const;
    const { effects } = step(ringing, { type: 'agentEnded', end }, aroundNow());
    expect(effects).toContainEqual({ do: 'park', role: 'subcentre', both: false });
  });
});
