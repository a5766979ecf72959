/** From the INVITE to the queue: answering, and the flow. Seed rows A01, A12–A16. */
import { type FlowEffect, type FlowEvent, startFlow, stepFlow } from '../../ivr/flow-machine.ts';
import type { Call, Effect } from '../call.ts';
import { overCapacity } from '../callback.ts';
import { type Decision, go, play, type Row, row, type Surroundings } from '../decision.ts';
import { because, busyPrompts, citizenEndReason, closeWith, endAll, requeue } from '../moves.ts';

/** Carries out what the flow asks for; the flow speaks of prompts and digits only. */
function applyFlow(call: Call, flowEffects: readonly FlowEffect[], around: Surroundings): Decision {
  let after = call;
  const effects: Effect[] = [];
  for (const effect of flowEffects) {
    switch (effect.type) {
      case 'play': {
        const [playing, playEffect] = play(after, effect.prompts);
        after = playing;
        effects.push(playEffect);
        break;
      }
      case 'stopPlaying':
        after = { ...after, playId: null };
        effects.push({ do: 'stopCitizen' });
        break;
      case 'startTimer':
        effects.push({ do: 'startTimer', timer: 'flow', delayMs: effect.delayMs });
        break;
      case 'cancelTimer':
        effects.push({ do: 'cancelTimer', timer: 'flow' });
        break;
      case 'enterQueue':
        return requeue({ ...after, queue: effect.queue }, around, [
          ...effects,
          { do: 'cancelTimer', timer: 'flow' },
          { do: 'startTimer', timer: 'queueMax', delayMs: around.settings.queueMaxWaitMs },
        ]);
      case 'hangup':
        return endAll(because(after, 'success', 'flow-ended'), around, effects);
    }
  }
  const moved = go(after, 'flow', around);
  return { call: moved.call, effects: [...moved.effects, ...effects] };
}

function stepped(call: Call, event: FlowEvent, around: Surroundings): Decision {
  if (call.flowState === null) return begin(call, around);
  const next = stepFlow(around.flow, call.flowState, event);
  const known = call.flowPath.length;
  const fresh = next.state.path.slice(known).map((entry) => ({ ...entry, atMs: around.nowMs }));
  return applyFlow({ ...call, flowState: next.state, flowPath: [...call.flowPath, ...fresh] }, next.effects, around);
}

function begin(call: Call, around: Surroundings): Decision {
  const first = startFlow(around.flow);
  const flowPath = first.state.path.map((entry) => ({ ...entry, atMs: around.nowMs }));
  return applyFlow({ ...call, flowState: first.state, flowPath }, first.effects, around);
}

/** He came when no more could be served: he hears so and is let go. */
const isTurnedAway = (call: Call) => call.endReason === overCapacity;
const turnAway = (call: Call, _event: unknown, around: Surroundings) =>
  closeWith({ ...call, answeredAtMs: around.nowMs }, busyPrompts(call), around);

export const arrivalRows: readonly Row[] = [
  row(['answering'], 'citizenAnswered', 'Beyond the limit of live calls: the planned answer.', turnAway, {
    when: isTurnedAway,
  }),
  row(['answering'], 'citizenFound', 'The same for one who was found answered.', turnAway, { when: isTurnedAway }),
  row(['answering'], 'citizenAnswered', 'The flow starts with the answer.', (call, _event, around) =>
    begin({ ...call, answeredAtMs: around.nowMs }, around),
  ),
  row(
    ['answering'],
    'citizenFound',
    'Control died before this call was stored: straight to the queue, with the time when the citizen came.',
    (call, event, around) =>
      requeue({ ...call, answeredAtMs: around.nowMs, queuedAtMs: event.sinceMs }, around, [
        { do: 'startTimer', timer: 'queueMax', delayMs: around.settings.queueMaxWaitMs },
      ]),
  ),
  row(['answering'], 'citizenParked', 'The park that told us of the call, told again.', 'ignore'),
  row(['answering'], 'citizenDigit', 'Pressed before anything was asked.', 'ignore'),
  row(
    ['answering'],
    'timer',
    'No answer was possible: the leg is dead or the switch is overrun.',
    (call, _event, around) => endAll(because(call, 'us', 'answer-failed'), around),
    { timer: 'step' },
  ),
  row(['answering', 'flow'], 'citizenEnded', 'Hung up before the queue.', (call, event, around) =>
    endAll({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around),
  ),
  row(
    ['flow'],
    'citizenPlayEnded',
    'A prompt ended; a late one of an earlier step has another id.',
    (call, _event, around) => stepped(call, { type: 'playEnded' }, around),
    { when: (call, event) => event.playId === call.playId },
  ),
  row(['flow'], 'citizenDigit', 'Menus, and the way to a person.', (call, event, around) =>
    stepped(call, { type: 'digit', digit: event.digit }, around),
  ),
  row(
    ['flow'],
    'timer',
    'No digit in time.',
    (call, _event, around) => stepped(call, { type: 'timeout', timer: call.flowState?.waiting?.timer ?? '' }, around),
    {
      timer: 'flow',
    },
  ),
  row(['flow'], 'citizenAnswered', 'The answer told twice.', 'ignore'),
  row(
    ['flow'],
    'citizenParked',
    'Taken back from the dialplan: what played has been cut off, or never began. As if it had been said.',
    (call, _event, around) => stepped(call, { type: 'playEnded' }, around),
    { when: (call) => call.flowState?.waiting?.for === 'playEnd' },
  ),
  row(['flow'], 'citizenParked', 'Parked again by the switch; the flow waits for a key.', 'ignore'),
  row(
    ['answering', 'flow'],
    'commandFailed',
    'A prompt that can’t be played must not keep anybody from a person.',
    (call, event, around) =>
      event.kind === 'gone'
        ? { call, effects: [] }
        : requeue({ ...call, queue: call.queue ?? 'citizen' }, around, [
            { do: 'startTimer', timer: 'queueMax', delayMs: around.settings.queueMaxWaitMs },
          ]),
    { when: (call, event) => call.state === 'flow' && event.command === 'playCitizen' },
  ),
  row(['answering'], 'commandFailed', 'The step timer decides; a gone leg tells its end by itself.', 'ignore'),
  row(
    ['waiting', 'offering'],
    'timer',
    'The longest wait is over: say so, never drop in silence.',
    (call, _event, around) => {
      const ended = because(call, 'us', 'wait-limit');
      if (call.state === 'waiting') {
        const closing = closeWith(ended, ['no-agent-sorry'], around);
        return {
          call: closing.call,
          effects: [{ do: 'dequeue' }, { do: 'cancelTimer', timer: 'announce' }, ...closing.effects],
        };
      }
      // A phone rings already: that is better than an excuse.
      return { call, effects: [{ do: 'startTimer', timer: 'queueMax', delayMs: around.settings.ringTimeoutMs }] };
    },
    { timer: 'queueMax' },
  ),
];
