import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Call, type CallEvent, type CallState, callStates, deskCommands } from '../../src/domain/call/call.ts';
import { transientStates } from '../../src/domain/call/decision.ts';
import { callTable, step } from '../../src/domain/call/interpreter.ts';
import { agentPart, aroundNow, consultPart, everyEvent, newCall, supervisorPart } from '../support/call-fixtures.ts';

const inState = (state: CallState, over: Partial<Call> = {}): Call => ({
  ...newCall(),
  state,
  agent: agentPart(),
  consult: consultPart(),
  ...over,
});

describe('the call’s state table', () => {
  it('has a row for every state and every event that is not a desk command', () => {
    const unforeseen: string[] = [];
    for (const state of callStates) {
      for (const event of everyEvent()) {
        if ((deskCommands as readonly string[]).includes(event.type)) continue;
        if (step(inState(state), event, aroundNow()).verdict === 'unforeseen')
          unforeseen.push(`${state} × ${event.type}`);
      }
    }
    expect(unforeseen).toEqual([]);
  });

  it('the same with a supervisor, wherever he is', () => {
    for (const place of ['dialling', 'ringing', 'parked', 'moving', 'supervising'] as const) {
      for (const state of callStates) {
        for (const event of everyEvent()) {
          const call = inState(state, { supervisor: { ...supervisorPart(), place } });
          const { verdict } = step(call, event, aroundNow());
          expect(verdict, `${state} × ${event.type}, supervisor ${place}`).not.toBe('unforeseen');
        }
      }
    }
  });

  it('gives every transient state a row for its time-out', () => {
    for (const state of transientStates) {
      const row = callTable.find((r) => r.on === 'timer' && r.timer === 'step' && r.from.includes(state));
      expect(row, `no time-out row for ${state}`).toBeDefined();
    }
  });

  it('says why in every row', () => {
    for (const row of callTable) expect(row.why.length).toBeGreaterThan(3);
  });

  it('refuses desk commands that the state does not allow', () => {
    expect(step(inState('waiting', { agent: null, consult: null }), { type: 'hold' }, aroundNow()).verdict).toBe(
      'refused',
    );
    expect(step(inState('ended'), { type: 'hangup' }, aroundNow()).verdict).toBe('refused');
    expect(step(inState('talking'), { type: 'hold' }, aroundNow()).verdict).toBe('acted');
  });
});

/** After any events, these hold: a seat is released once, a caller who left ends the call, no leg is forgotten. */
describe('whatever happens in whatever order', () => {
  const anyEvents = fc.array(fc.constantFrom(...everyEvent()), { maxLength: 60 });

  it('never loses a seat: each reserved one is released exactly once by the time the call has ended', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        let call = newCall();
        let held = 0;
        const run = (event: CallEvent) => {
          const before = call;
          const next = step(call, event, aroundNow());
          if (event.type === 'agentReserved') held += 1;
          for (const effect of next.effects) if (effect.do === 'releaseSeat') held -= 1;
          call = next.call;
          expect(held, `${before.state} × ${event.type}`).toBe(call.agent === null ? 0 : 1);
        };
        for (const event of events) {
          if (call.state === 'ended') break;
          run(event);
        }
        run({ type: 'citizenEnded', end: { cause: 'NORMAL_CLEARING', sipStatus: 200, endedBy: 'phone' } });
        // The other two may still talk; the agent hangs up, then the sub-centre.
        run({ type: 'agentEnded', end: { cause: 'NORMAL_CLEARING', sipStatus: 200, endedBy: 'phone' } });
        run({ type: 'subcentreEnded', end: { cause: 'NORMAL_CLEARING', sipStatus: 200, endedBy: 'phone' } });
        expect(call.state).toBe('ended');
        expect(call.endClass).not.toBeNull();
        expect(held).toBe(0);
      }),
      { numRuns: 3000 },
    );
  });

  it('never leaves a leg behind: what is forgotten was told its end or was hung up', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        let call = newCall();
        for (const event of events) {
          if (call.state === 'ended') break;
          const before = call;
          const next = step(call, event, aroundNow());
          call = next.call;
          const hungUp = next.effects.flatMap((effect) => (effect.do === 'hangup' ? [effect.leg] : []));
          if (before.consult !== null && call.consult === null && event.type !== 'subcentreEnded') {
            const known =
              hungUp.includes(before.consult.leg) || before.state === 'ending' || event.type === 'commandFailed';
            expect(known, `sub-centre’s leg after ${before.state} × ${event.type}`).toBe(true);
          }
          if (before.agent !== null && call.agent === null && event.type !== 'agentEnded') {
            const known = hungUp.includes(before.agent.leg) || before.state === 'ending';
            expect(known, `agent’s leg after ${before.state} × ${event.type}`).toBe(true);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps a supervisor only with the agent at whose leg he is, and forgets no leg of his', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        let call = inState('talking', { supervisor: supervisorPart() });
        for (const event of events) {
          if (call.state === 'ended') break;
          const before = call;
          const next = step(call, event, aroundNow());
          call = next.call;
          const where = `${before.state} × ${event.type}`;
          if (call.supervisor !== null) expect(call.agent?.leg, where).toBe(call.supervisor.agentLeg);
          if (before.supervisor === null || call.supervisor !== null || event.type === 'supervisorEnded') continue;
          const hungUp = next.effects.some((effect) => effect.do === 'hangup' && effect.leg === before.supervisor?.leg);
          expect(hungUp, where).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('never takes a supervisor for heard by nobody who is in another mode', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        let call = inState('talking', { supervisor: supervisorPart() });
        for (const event of events) {
          call = step(call, event, aroundNow()).call;
          if (event.type !== 'supervisorThere' || call.supervisor?.place !== 'supervising') continue;
          expect(call.supervisor.mode).toBe(event.mode);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('after a restart ends a hold by itself only where a consultation had failed', () => {
    const timers = (resumesByItself: boolean) =>
      step(inState('held', { consult: null, resumesByItself }), { type: 'restored' }, aroundNow()).effects.flatMap(
        (effect) => (effect.do === 'startTimer' ? [effect.timer] : []),
      );
    expect(timers(false)).toEqual([]);
    expect(timers(true)).toEqual(['autoResume']);
    const failed = step(
      inState('consultRinging', { resumesByItself: false }),
      { type: 'subcentreEnded', end: { cause: 'NO_ANSWER', sipStatus: undefined, endedBy: 'phone' } },
      aroundNow(),
    ).call;
    expect(failed).toMatchObject({ state: 'held', resumesByItself: true });
    expect(step({ ...failed, state: 'talking' }, { type: 'hold' }, aroundNow()).call.resumesByItself).toBe(false);
  });

  it('keeps the first join time through every failed offer', () => {
    let call = step(
      { ...newCall(), state: 'waiting', queuedAtMs: 5, queue: 'citizen' },
      { type: 'agentReserved', agent: agentPart() },
      aroundNow(),
    ).call;
    for (const cause of [
      'USER_BUSY',
      'NO_ANSWER',
      'CALL_REJECTED',
      'USER_NOT_REGISTERED',
      'NORMAL_TEMPORARY_FAILURE',
    ]) {
      const back = step(
        call,
        { type: 'agentEnded', end: { cause, sipStatus: undefined, endedBy: 'phone' } },
        aroundNow(),
      );
      expect(back.call.state).toBe('waiting');
      expect(back.call.queuedAtMs).toBe(5);
      expect(back.effects.map((effect) => effect.do)).toContain('enqueue');
      call = step(back.call, { type: 'agentReserved', agent: agentPart() }, aroundNow()).call;
    }
  });
});
