/** Letting go: every leg is hung up and its end waited for; rules that hold in every state stand last. */
import { type Call, type CallState, callStates, type Effect, type TimerName } from '../call.ts';
import { type Decision, go, type Row, row, type Surroundings, stay } from '../decision.ts';
import { because, endAll, endedIfAlone, music, placed, releaseAgent } from '../moves.ts';

const everywhere = callStates;
const notWaiting = callStates.filter((state) => state !== 'waiting');
const live: readonly CallState[] = callStates.filter((state) => state !== 'ending' && state !== 'ended');

/** An agent who had answered has wrap-up to do; one whose phone only rang is free again. */
const outcome = (call: Call) => (call.agent?.answeredAtMs ? 'talked' : 'callerGone');

export const endingRows: readonly Row[] = [
  row(['ending'], 'citizenEnded', 'One less.', (call, _event, around) =>
    endedIfAlone(stay({ ...call, citizenPlace: 'gone' }), around),
  ),
  row(['ending'], 'agentEnded', 'One less.', (call, _event, around) => {
    const [after, effects] = releaseAgent(call, outcome(call));
    return endedIfAlone(stay(after, effects), around);
  }),
  row(['ending'], 'subcentreEnded', 'One less.', (call, _event, around) =>
    endedIfAlone(stay({ ...call, consult: null }), around),
  ),
  row(['ending'], 'agentParked', 'The agent answered in the very moment in which the citizen went (glare).', (call) => {
    const agent = call.agent && { ...call.agent, answeredAtMs: call.agent.answeredAtMs };
    return stay(
      { ...call, agent },
      call.agent === null ? [] : [{ do: 'hangup', leg: call.agent.leg, cause: 'NORMAL_CLEARING' }],
    );
  }),
  row(
    ['ending'],
    'subcentreParked',
    'The sub-centre answered in the very moment in which the citizen went (glare).',
    (call) =>
      stay(call, call.consult === null ? [] : [{ do: 'hangup', leg: call.consult.leg, cause: 'NORMAL_CLEARING' }]),
  ),
  row(['ending'], 'citizenParked', 'Passing through on the way out.', 'ignore'),
  row(
    ['ending'],
    'timer',
    'An end was not told in time: let go of what we hold, the reconciler finds what is left on the switch.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(call, outcome(call));
      return endedIfAlone(stay({ ...placed(after, 'citizen', 'gone'), consult: null }, effects), around);
    },
    { timer: 'step' },
  ),
  row(['answering', 'flow', 'rating', 'closing', 'ending'], 'agentParked', 'Nobody was rung in this state.', 'ignore'),
  row(['ended'], 'citizenEnded', 'Told twice.', 'ignore'),
  row(['ended'], 'agentEnded', 'Told after we let go.', 'ignore'),
  row(['ended'], 'subcentreEnded', 'Told after we let go.', 'ignore'),

  row(notWaiting, 'agentReserved', 'The seat came too late: give it back untouched.', (call, event) =>
    stay(call, [{ do: 'releaseSeat', agent: event.agent, outcome: 'callerGone' }]),
  ),
  row(
    live,
    'agentEnded',
    'An agent’s leg ended where none is expected to be.',
    (call) => {
      const [after, effects] = releaseAgent(call, outcome(call));
      return stay(after, effects);
    },
    { when: (call) => call.agent !== null },
  ),
  row(live, 'citizenEnded', 'The citizen is gone: end the rest.', (call, _event, around) =>
    endAll({ ...because(call, 'caller', 'citizen-hung-up'), citizenPlace: 'gone' }, around),
  ),
  row(everywhere, 'queueFull', 'Refused a place that is not wanted any more.', 'ignore'),
  row(live, 'restored', 'Control is back: the state’s own timer starts anew.', (call, _event, around) =>
    restored(call, around),
  ),
  row(everywhere, 'citizenAnswered', 'Told twice.', 'ignore'),
  row(everywhere, 'citizenFound', 'Known already.', 'ignore'),
  row(everywhere, 'agentRinging', 'Shown on the desk only.', 'ignore'),
  row(everywhere, 'subcentreRinging', 'Shown on the desk only.', 'ignore'),
  row(everywhere, 'agentEnded', 'Not ours any more.', 'ignore'),
  row(everywhere, 'subcentreEnded', 'Not ours any more.', 'ignore'),
  row(everywhere, 'agentParked', 'Passing through.', 'ignore'),
  row(everywhere, 'subcentreParked', 'Passing through.', 'ignore'),
  row(everywhere, 'citizenParked', 'Passing through.', 'ignore'),
  row(everywhere, 'citizenPlayEnded', 'Late.', 'ignore'),
  row(everywhere, 'citizenDigit', 'Nothing was asked.', 'ignore'),
  row(everywhere, 'bridged', 'Late.', 'ignore'),
  row(everywhere, 'joined', 'Late.', 'ignore'),
  row(everywhere, 'commandFailed', 'What it was for is over.', 'ignore'),
  row(everywhere, 'timer', 'Set for a state that is over; it fired while it was being cancelled.', 'ignore'),
  row(everywhere, 'restored', 'Nothing left to do.', 'ignore'),
];

/** States in which the citizen hears music. What plays on the switch after a crash nobody knows, so it begins anew. */
const onMusic: readonly CallState[] = [
  'waiting',
  'offering',
  'holding',
  'held',
  'consultRinging',
  'consultConnecting',
  'consulting',
];

function restored(call: Call, around: Surroundings): Decision {
  const again = go(call, call.state, around);
  const timers = timersAnew(call, around);
  if (!onMusic.includes(call.state) || call.citizenPlace !== 'parked') {
    return { call: again.call, effects: [...again.effects, ...timers] };
  }
  const [playing, effects] = music(again.call);
  return { call: playing, effects: [...again.effects, ...timers, ...effects] };
}

/** What a state has going besides its legs. Transient states have their step timer from `go`. */
function timersAnew(call: Call, around: Surroundings): Effect[] {
  const { settings, nowMs } = around;
  const start = (timer: TimerName, delayMs: number): Effect => ({ do: 'startTimer', timer, delayMs });
  const waitLeftMs = Math.max(1000, (call.queuedAtMs ?? nowMs) + settings.queueMaxWaitMs - nowMs);
  const patience = [start('announce', settings.announceEveryMs), start('queueMax', waitLeftMs)];
  switch (call.state) {
    case 'answering':
      // Whether the answer went out before the crash nobody knows; a second one does no harm.
      return [{ do: 'answer' }];
    case 'waiting':
      return [{ do: 'enqueue', queue: call.queue ?? 'citizen', first: false }, ...patience];
    case 'offering':
      return [start('ring', settings.ringTimeoutMs), ...patience];
    case 'flow':
      return [start('flow', settings.stepTimeoutMs)];
    case 'held':
      return call.resumesByItself ? [start('autoResume', settings.autoResumeMs * 4)] : [];
    case 'consultRinging':
      return [start('consultRing', settings.consultRingTimeoutMs)];
    case 'rating':
      return [start('rating', settings.ratingTimeoutMs)];
    default:
      return [];
  }
}
