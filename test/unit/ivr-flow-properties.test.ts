import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadFlows } from '../../src/config/flows.ts';
import { type Flow, flowSchema } from '../../src/domain/ivr/flow.ts';
import {
  type FlowEvent,
  type FlowMove,
  maxPathEntries,
  startFlow,
  stepFlow,
} from '../../src/domain/ivr/flow-machine.ts';
import { lintFlow } from '../../src/domain/ivr/lint-flow.ts';

const stepNames = ['a', 'b', 'c', 'd', 'e'] as const;
const prompts = fc.array(fc.constantFrom('p1', 'p2'), { minLength: 1, maxLength: 2 });
/** `lost` and `constructor` are no steps of any flow. */
const target = fc.constantFrom(...stepNames, 'lost', 'constructor');
const key = fc.constantFrom(...'0123456789*#');

const say = (next: fc.Arbitrary<string>) =>
  fc.record({ kind: fc.constant('say'), prompts, next, interruptible: fc.boolean() });
const menu = (keys: fc.Arbitrary<string>, next: fc.Arbitrary<string>) =>
  fc.record({
    kind: fc.constant('menu'),
    prompts,
    choices: fc.dictionary(keys, next, { minKeys: 1, maxKeys: 4 }),
    maxTries: fc.integer({ min: 1, max: 3 }),
    noInput: prompts,
    wrongInput: prompts,
    giveUp: next,
  });
const queue = fc.record({ kind: fc.constant('queue'), queue: fc.constant('citizen') });
const hangup = fc.record({ kind: fc.constant('hangup'), prompts: fc.array(fc.constant('p1'), { maxLength: 2 }) });

const head = {
  id: fc.constant('any'),
  title: fc.constant('any'),
  operatorQueue: fc.constant('citizen'),
};
const step = fc.oneof(say(target), menu(key, target), queue, hangup);
/** Any flow that the schema lets through, with all the faults that only the linter sees. */
const anyFlow: fc.Arbitrary<Flow> = fc
  .record({
    ...head,
    start: target,
    operatorDigit: fc.constantFrom('0', '#', '9'),
    steps: fc.record({ a: step, b: step, c: step, d: step, e: step }),
  })
  .map((flow) => flowSchema.parse(flow));

const realTarget = fc.constantFrom(...stepNames);
const realMenu = menu(fc.constantFrom(...'123456789*#'), realTarget);
/** Flows that the linter is mostly content with. */
const likelyFlow: fc.Arbitrary<Flow> = fc
  .record({
    ...head,
    start: fc.constant('a'),
    steps: fc.record({ a: realMenu, b: realMenu, c: say(realTarget), d: queue, e: hangup }),
  })
  .map((flow) => flowSchema.parse(flow));

const houseFlow = fc.constantFrom(...loadFlows(['ivr-flows']).values());

type Happening =
  | { readonly type: 'digit'; readonly digit: string }
  | { readonly type: 'playEnded'; readonly late: boolean }
  | { readonly type: 'timeout'; readonly late: boolean };
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ type: fc.constant('digit' as const), digit: fc.oneof(key, fc.string({ maxLength: 3 })) }),
  fc.record({ type: fc.constant('playEnded' as const), late: fc.boolean() }),
  fc.record({ type: fc.constant('timeout' as const), late: fc.boolean() }),
);

function eventOf(move: FlowMove, what: Happening): FlowEvent {
  const { waiting } = move.state;
  switch (what.type) {
    case 'digit':
      return what;
    case 'playEnded':
      if (what.late) return { type: 'playEnded', playId: 'play-0' };
      return waiting?.for === 'playEnd' ? { type: 'playEnded', playId: waiting.playId } : { type: 'playEnded' };
    case 'timeout':
      return { type: 'timeout', timer: what.late ? 'input-0' : (waiting?.timer ?? 'none') };
  }
}

/** What the caller of the machine would see: which timer runs, what plays, whether the flow has ended. */
class Observer {
  readonly #running = new Set<string>();
  #ends = 0;
  #playing = false;

  see(move: FlowMove, firedTimer?: string): void {
    if (firedTimer !== undefined) this.#running.delete(firedTimer);
    for (const effect of move.effects) {
      expect(this.#ends, 'nothing after the end').toBe(0);
      if (effect.type === 'startTimer') this.#running.add(effect.timer);
      else if (effect.type === 'cancelTimer') expect(this.#running.delete(effect.timer)).toBe(true);
      else if (effect.type === 'play') this.#playing = true;
      else if (effect.type === 'stopPlaying') expect(this.#playing).toBe(true);
      else this.#ends += 1;
    }
    const ended = move.state.outcome !== null;
    expect(this.#ends).toBe(ended ? 1 : 0);
    // Exactly one timer runs until the end and none after it: no caller waits for nothing.
    expect([...this.#running]).toEqual(ended ? [] : [move.state.waiting?.timer]);
    expect(JSON.parse(JSON.stringify(move.state))).toEqual(move.state);
    expect(move.state.path.length).toBeLessThanOrEqual(maxPathEntries + 8);
  }
}

function runAll(flow: Flow, happenings: readonly Happening[]): FlowMove {
  const observer = new Observer();
  let move = startFlow(flow);
  observer.see(move);
  for (const what of happenings) {
    const event = eventOf(move, what);
    const fired = event.type === 'timeout' ? event.timer : undefined;
    move = stepFlow(flow, move.state, event);
    observer.see(move, fired);
  }
  return move;
}

/** Lets the time go by without a key until the flow ends. */
function silence(flow: Flow, from: FlowMove): FlowMove {
  let move = from;
  for (let i = 0; i < 10 * maxPathEntries && move.state.outcome === null; i += 1) {
    const { waiting } = move.state;
    move = stepFlow(flow, move.state, waiting?.for === 'playEnd' ? { type: 'playEnded' } : { type: 'timeout' });
  }
  return move;
}

describe('any flow at all', () => {
  it('survives any events, always waits for exactly one thing, and ends', () => {
    fc.assert(
      fc.property(anyFlow, fc.array(happening, { maxLength: 40 }), (flow, happenings) => {
        expect(silence(flow, runAll(flow, happenings)).state.outcome).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('puts whoever presses the operator digit through to a person', () => {
    fc.assert(
      fc.property(anyFlow, fc.array(happening, { maxLength: 20 }), (flow, happenings) => {
        const move = runAll(flow, happenings);
        fc.pre(move.state.outcome === null && move.state.typedAhead === '');
        const after = silence(flow, stepFlow(flow, move.state, { type: 'digit', digit: flow.operatorDigit }));
        expect(after.state.outcome?.type).toBe('queue');
      }),
      { numRuns: 200 },
    );
  });

  it('never drops a caller at a menu when the linter is content', () => {
    const surroundings = {
      knownPrompts: new Map([
        ['p1', { durationMs: 1000 }],
        ['p2', { durationMs: 1000 }],
      ]),
      knownQueues: new Set(['citizen']),
    };
    fc.assert(
      fc.property(likelyFlow, fc.array(happening, { maxLength: 20 }), (flow, happenings) => {
        const faults = lintFlow(flow, surroundings).filter((issue) => issue.code !== 'unreachable-step');
        fc.pre(faults.length === 0);
        const move = runAll(flow, happenings);
        fc.pre(flow.steps[move.state.step]?.kind === 'menu' && move.state.outcome === null);
        expect(silence(flow, move).state.outcome?.type).toBe('queue');
        expect(silence(flow, move).state.path.map((entry) => entry.what)).not.toContain('missingStep');
      }),
      { numRuns: 200 },
    );
  });
});

describe('every flow of the house', () => {
  it('ends with a person, whatever the caller presses and whatever comes late', () => {
    fc.assert(
      fc.property(houseFlow, fc.array(happening, { maxLength: 80 }), (flow, happenings) => {
        expect(silence(flow, runAll(flow, happenings)).state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
      }),
      { numRuns: 500 },
    );
  });
});
