import { describe, expect, it } from 'vitest';
import { loadFlows } from '../../src/config/flows.ts';
import type { Flow } from '../../src/domain/ivr/flow.ts';
import { flowSchema } from '../../src/domain/ivr/flow.ts';
import {
  type FlowEffect,
  type FlowEvent,
  type FlowMove,
  maxPathEntries,
  startFlow,
  stepFlow,
} from '../../src/domain/ivr/flow-machine.ts';

const flows = loadFlows(['ivr-flows']);
function flowNamed(id: string): Flow {
  const flow = flows.get(id);
  if (flow === undefined) throw new Error(`no flow ${id}`);
  return flow;
}
const direct = flowNamed('direct');
const menu = flowNamed('seed-menu');
/** A greeting that must be heard, then a menu, then a goodbye. */
const strict = flowSchema.parse({
  id: 'strict',
  title: 'x',
  start: 'greeting',
  operatorQueue: 'people',
  steps: {
    greeting: { kind: 'say', prompts: ['recording-notice'], next: 'ad', interruptible: false },
    ad: { kind: 'say', prompts: ['greeting'], next: 'ask' },
    ask: {
      kind: 'menu',
      prompts: ['info-menu'],
      choices: { 1: 'person', 3: 'bye' },
      noInput: ['no-input'],
      wrongInput: ['wrong-input'],
      giveUp: 'person',
    },
    person: { kind: 'queue', queue: 'citizen' },
    bye: { kind: 'hangup', prompts: ['goodbye'] },
  },
});

const digit = (key: string): FlowEvent => ({ type: 'digit', digit: key });
const played: FlowEvent = { type: 'playEnded' };

/** Runs events; `timeout` of the running timer is written as 'timeout'. */
function run(flow: Flow, ...events: readonly (FlowEvent | 'timeout')[]): FlowMove & { all: FlowEffect[] } {
  let move = startFlow(flow);
  const all = [...move.effects];
  for (const event of events) {
    const timer = move.state.waiting?.timer ?? 'none';
    move = stepFlow(flow, move.state, event === 'timeout' ? { type: 'timeout', timer } : event);
    all.push(...move.effects);
  }
  return { ...move, all };
}
const plays = (effects: readonly FlowEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'play' ? [effect.prompts.join('+')] : []));
const kinds = (effects: readonly FlowEffect[]): string[] => effects.map((effect) => effect.type);

describe('the direct flow', () => {
  it('greets and goes to the queue', () => {
    expect(plays(startFlow(direct).effects)).toEqual(['greeting+recording-notice']);
    const end = run(direct, played);
    expect(end.effects).toEqual([
      { type: 'cancelTimer', timer: 'play-end-1' },
      { type: 'enterQueue', queue: 'citizen' },
    ]);
    expect(end.state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
    expect(end.state.path).toEqual([
      { step: 'greeting', what: 'entered' },
      { step: 'person', what: 'entered' },
    ]);
  });

  it('is cut short by a key', () => {
    expect(kinds(run(direct, digit('5')).effects)).toEqual(['cancelTimer', 'stopPlaying', 'enterQueue']);
  });

  it('goes on when the end of the greeting is never told', () => {
    expect(kinds(run(direct, 'timeout').effects)).toEqual(['stopPlaying', 'enterQueue']);
  });
});

describe('the menu of the seeds', () => {
  it('asks, waits, and puts 1 through to a person', () => {
    expect(plays(startFlow(menu).effects)).toEqual(['greeting-menu']);
    const asked = run(menu, played);
    expect(asked.effects.at(-1)).toEqual({ type: 'startTimer', timer: 'input-2', delayMs: 5000 });
    const chosen = run(menu, played, digit('1'));
    expect(kinds(chosen.effects)).toEqual(['cancelTimer', 'play', 'startTimer']);
    expect(plays(chosen.effects)).toEqual(['transferring+recording-notice']);
    expect(run(menu, played, digit('1'), played).state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
  });

  it('gives information on 2 and brings the caller back to choose again, or to a person', () => {
    const end = run(
      menu,
      digit('2'),
      played,
      digit('3'),
      played,
      digit('9'),
      digit('2'),
      digit('2'),
      digit('1'),
      played,
    );
    expect(plays(end.all)).toEqual([
      'greeting-menu',
      'info-menu',
      'info-hours',
      'info-menu',
      'greeting-menu',
      'info-menu',
      'info-policy',
      // The key during the policy announcement answers the menu behind it at once.
      'transferring+recording-notice',
    ]);
    expect(end.state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
    expect(end.state.path.filter((entry) => entry.what === 'digit').map((entry) => entry.digit)).toEqual([
      '2',
      '3',
      '9',
      '2',
      '2',
      '1',
    ]);
  });

  it('asks twice again without a key and then gets a person', () => {
    const end = run(menu, played, 'timeout', played, 'timeout', played, 'timeout', played);
    expect(plays(end.all)).toEqual([
      'greeting-menu',
      'no-input+greeting-menu',
      'no-input+greeting-menu',
      'transferring+recording-notice',
    ]);
    expect(end.state.path.map((entry) => entry.what)).toEqual([
      'entered',
      'noInput',
      'noInput',
      'noInput',
      'giveUp',
      'entered',
      'entered',
    ]);
    expect(end.state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
  });

  it('asks twice again after wrong keys, also mixed with none, and then gets a person', () => {
    const end = run(menu, digit('7'), played, 'timeout', digit('*'), played);
    expect(plays(end.all)).toEqual([
      'greeting-menu',
      'wrong-input+greeting-menu',
      'no-input+greeting-menu',
      'transferring+recording-notice',
    ]);
    expect(end.state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
  });

  it.each([
    ['during the question', []],
    ['while it waits', [played]],
    ['in the information menu', [digit('2')]],
    ['during an announcement', [digit('2'), digit('2')]],
    ['after wrong keys', [digit('7'), digit('8')]],
  ])('puts 0 through to a person %s', (_when, before: FlowEvent[]) => {
    const end = run(menu, ...before, digit('0'));
    expect(end.effects.at(-1)).toEqual({ type: 'enterQueue', queue: 'citizen' });
    expect(end.state.path.at(-1)).toMatchObject({ what: 'operator', digit: '0' });
  });

  it('takes # behind a key as the end of the entry, not as a wrong key', () => {
    const end = run(menu, digit('2'), digit('#'));
    expect(end.effects).toEqual([]);
    expect(plays(end.all)).toEqual(['greeting-menu', 'info-menu']);
  });

  it('ends with a person also for somebody who goes round for ever', () => {
    let move = startFlow(menu);
    for (let i = 0; i < maxPathEntries && move.state.outcome === null; i += 1) {
      move = stepFlow(menu, move.state, digit(i % 2 === 0 ? '2' : '9'));
    }
    expect(move.state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
    expect(move.state.path.at(-1)?.what).toBe('tooLong');
  });
});

describe('keys during an announcement that must be heard', () => {
  it('are remembered and answer the next menu without asking', () => {
    const typed = run(strict, digit('1'));
    expect(typed.effects).toEqual([]);
    const end = run(strict, digit('1'), played);
    expect(plays(end.all)).toEqual(['recording-notice']);
    expect(end.state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
  });

  it('lead to a person at its end when one of them is the first and 0', () => {
    expect(run(strict, digit('0'), played).state.outcome).toEqual({ type: 'queue', queue: 'people' });
  });

  it('are forgotten behind a wrong one', () => {
    const end = run(strict, digit('7'), digit('1'), played);
    expect(plays(end.all)).toEqual(['recording-notice', 'wrong-input+info-menu']);
    expect(end.state.typedAhead).toBe('');
  });

  it('do not hang up on somebody who asked for a person too', () => {
    expect(run(strict, digit('3'), digit('0'), played).state.outcome).toEqual({ type: 'queue', queue: 'people' });
  });

  it('are limited', () => {
    expect(run(strict, ...Array.from({ length: 50 }, () => digit('1'))).state.typedAhead).toHaveLength(8);
  });
});

describe('a goodbye', () => {
  it('ends with the hang-up; keys but 0 do not matter', () => {
    const end = run(strict, played, digit('3'), digit('3'), digit('4'), played);
    expect(plays(end.all)).toEqual(['recording-notice', 'greeting', 'goodbye']);
    expect(end.effects).toEqual([{ type: 'cancelTimer', timer: expect.any(String) }, { type: 'hangup' }]);
    expect(end.state.outcome).toEqual({ type: 'hangup' });
  });

  it('is stopped by 0', () => {
    const end = run(strict, played, digit('3'), digit('3'), digit('0'));
    expect(kinds(end.effects)).toEqual(['cancelTimer', 'stopPlaying', 'enterQueue']);
  });
});

describe('late events', () => {
  it('ignores the end of the question after a key has decided', () => {
    const chosen = run(menu, digit('2'));
    const late = stepFlow(menu, chosen.state, { type: 'playEnded', playId: 'play-1' });
    expect(late).toEqual({ state: chosen.state, effects: [] });
  });

  it('ignores a second end of one play', () => {
    const waiting = run(menu, played);
    expect(stepFlow(menu, waiting.state, played)).toEqual({ state: waiting.state, effects: [] });
  });

  it('ignores a timer that fired while it was cancelled', () => {
    const chosen = run(menu, played, digit('2'), played);
    const late = stepFlow(menu, chosen.state, { type: 'timeout', timer: 'input-2' });
    expect(late).toEqual({ state: chosen.state, effects: [] });
  });

  it.each([played, digit('0'), { type: 'timeout', timer: 'play-end-1' } as const])('ignores %o in the end', (event) => {
    const end = run(direct, played);
    expect(stepFlow(direct, end.state, event)).toEqual({ state: end.state, effects: [] });
  });

  it('ignores what is no key of a telephone', () => {
    for (const key of ['', 'A', '12', '一', '#']) expect(run(menu, digit(key)).effects).toEqual([]);
  });
});

describe('a flow that was changed while a caller was in it', () => {
  const before = run(menu, digit('2')).state;
  it.each<FlowEvent>([played, digit('1'), { type: 'timeout' }])('leads to a person on %o', (event) => {
    expect(stepFlow(direct, before, event).state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
  });

  it('also when the timer for a key ran', () => {
    const waiting = run(menu, digit('2'), played).state;
    expect(stepFlow(direct, waiting, { type: 'timeout' }).state.outcome).toEqual({ type: 'queue', queue: 'citizen' });
  });
});
