import { describe, expect, it } from 'vitest';
import type { Call, CallEvent, CallState } from '../../src/domain/call/call.ts';
import { step } from '../../src/domain/call/interpreter.ts';
import { agentPart, aroundNow, consultPart, everyEvent, newCall } from '../support/call-fixtures.ts';

const answered = { ...agentPart(), answeredAtMs: 20, place: 'bridged' } as const;
const talking: Call = {
  ...newCall(),
  state: 'talking',
  citizenPlace: 'bridged',
  agent: answered,
  agentAnsweredAtMs: 20,
};
const dialled: CallEvent = {
  type: 'secondLine',
  leg: 'leg-second',
  number: '12366',
  target: { to: 'subcentre', consult: { ...consultPart(), mode: 'transfer', referred: true } },
};
const onSecondLine = (state: CallState, over: Partial<Call> = {}): Call => ({
  ...talking,
  state,
  citizenPlace: 'parked',
  agent: { ...answered, leg: 'leg-second', otherLine: { leg: 'leg-agent', place: 'parked' } },
  consult: { ...consultPart(), place: 'bridged', answeredAtMs: 30 },
  ...over,
});
const agentEnded = (cause: string): CallEvent => ({
  type: 'agentEnded',
  end: { cause, sipStatus: undefined, endedBy: 'phone' },
});
const hangupOf = (leg: string) => ({ do: 'hangup', leg, cause: 'NORMAL_CLEARING' });

describe('a second line of the agent’s phone', () => {
  it('is a consultation: the second line is his leg, the first one waits, the sub-centre is rung', () => {
    const { call, effects } = step(talking, dialled, aroundNow());
    expect(call).toMatchObject({
      state: 'consultRinging',
      agent: { leg: 'leg-second', place: 'parked', otherLine: { leg: 'leg-agent', place: 'moving' } },
      consult: { number: '12366', mode: 'consult', referred: false },
    });
    expect(effects.map((effect) => effect.do)).toEqual(
      expect.arrayContaining(['park', 'takeLine', 'ringback', 'originateSubcentre']),
    );
    expect(effects.findIndex(({ do: what }) => what === 'takeLine')).toBeLessThan(
      effects.findIndex(({ do: what }) => what === 'ringback'),
    );
  });

  it.each([
    ['to a number that may not be called', talking, { ...dialled, target: { to: 'unknown' } } as CallEvent],
    ['to the hotline itself', talking, { ...dialled, target: { to: 'queue' } } as CallEvent],
    ['while he consults already', onSecondLine('consulting'), dialled],
    [
      'in a conference',
      { ...talking, citizenPlace: 'conference', agent: { ...answered, place: 'conference' } } as Call,
      dialled,
    ],
    ['while his phone still rings', { ...talking, state: 'offering', agent: agentPart() } as Call, dialled],
  ])('%s is refused, and nothing else happens', (_when, before, event) => {
    const { call, effects } = step(before, event, aroundNow());
    expect(call).toEqual(before);
    expect(effects).toEqual([
      { do: 'hangup', leg: 'leg-second', cause: 'OUTGOING_CALL_BARRED' },
      { do: 'notice', text: expect.stringContaining('12366') },
    ]);
  });

  it.each(['consultRinging', 'consultConnecting', 'consulting'] as const)(
    'that is hung up in %s brings the citizen back on the first one, as soon as the phone had time to take it off hold',
    (state) => {
      const { call, effects } = step(onSecondLine(state), agentEnded('NORMAL_CLEARING'), aroundNow());
      expect(call).toMatchObject({ state: 'held', consult: null, agent: { leg: 'leg-agent', otherLine: null } });
      expect(effects).toContainEqual(hangupOf('leg-subcentre'));
      expect(effects).toContainEqual({ do: 'startTimer', timer: 'autoResume', delayMs: 500 });
      expect(effects).not.toContainEqual(expect.objectContaining({ do: 'bridge' }));
      const back = step(call, { type: 'timer', timer: 'autoResume' }, aroundNow());
      expect(back.call.state).toBe('connecting');
      expect(back.effects).toContainEqual({ do: 'bridge', a: 'citizen', b: 'agent' });
    },
  );

  it('that the switch ends because the phone has put the two together puts the citizen through', () => {
    const { call, effects } = step(onSecondLine('consulting'), agentEnded('ATTENDED_TRANSFER'), aroundNow());
    expect(call).toMatchObject({ state: 'transferConnecting', agent: null, consult: { leg: 'leg-subcentre' } });
    expect(effects.some((effect) => effect.do === 'releaseSeat')).toBe(true);
    const parked = step(call, { type: 'subcentreParked' }, aroundNow());
    expect(parked.effects).toContainEqual({ do: 'bridge', a: 'citizen', b: 'subcentre' });
  });

  it('may be put together with the first one exactly while the two on it talk', () => {
    const connecting = onSecondLine('consultConnecting');
    const together = step(connecting, { type: 'bridged', a: 'agent', b: 'subcentre' }, aroundNow());
    const legs = ['leg-agent', 'leg-second', 'leg-subcentre'];
    expect(together.effects.at(-1)).toEqual({ do: 'attendedTransfer', legs, allowed: true });
    for (const event of everyEvent()) {
      const after = step(together.call, event, aroundNow());
      const still = after.call.state === 'consulting' && after.call.agent?.otherLine != null;
      const said = after.effects.filter((effect) => effect.do === 'attendedTransfer');
      expect(said, event.type).toEqual(still ? [] : [{ do: 'attendedTransfer', legs, allowed: false }]);
      if (!still) expect(after.effects[0]).toEqual(said[0]);
    }
  });

  it('ends with its agent, in whatever state that is', () => {
    for (const state of ['consultRinging', 'consultConnecting', 'consulting', 'transferConnecting'] as const) {
      const { call, effects } = step(onSecondLine(state), { type: 'hangup' }, aroundNow());
      if (state === 'transferConnecting') continue;
      expect(call.agent?.otherLine, state).toBeNull();
      expect(effects).toEqual(expect.arrayContaining([hangupOf('leg-agent'), hangupOf('leg-second')]));
    }
    const gone = step(onSecondLine('transferConnecting'), agentEnded('NORMAL_CLEARING'), aroundNow());
    expect(gone.effects).toContainEqual(hangupOf('leg-agent'));
  });

  it('goes on alone when the first one has ended: then hanging up puts the citizen through', () => {
    const end = { cause: 'NORMAL_CLEARING', sipStatus: undefined, endedBy: 'phone' } as const;
    const { call } = step(onSecondLine('consulting'), { type: 'otherLineEnded', end }, aroundNow());
    expect(call).toMatchObject({ state: 'consulting', agent: { leg: 'leg-second', otherLine: null } });
    expect(step(call, agentEnded('NORMAL_CLEARING'), aroundNow()).call.state).toBe('transferConnecting');
  });

  it('has a row for everything', () => {
    for (const state of [
      'consultRinging',
      'consultConnecting',
      'consulting',
      'transferConnecting',
      'ending',
    ] as const) {
      for (const event of everyEvent()) {
        expect(step(onSecondLine(state), event, aroundNow()).verdict, `${state} × ${event.type}`).not.toBe(
          'unforeseen',
        );
      }
    }
  });
});
