/** The queue, the offer to an agent's phone, and the bridge to him. Seed rows A05–A08, B01. */
import type { Call, Effect, LegEnd, SeatOutcome } from '../call.ts';
import { go, play, type Row, row, type Surroundings, stay } from '../decision.ts';
import { endingOfCause } from '../ending.ts';
import {
  afterAgent,
  because,
  bridgeWhenParked,
  busyPrompts,
  citizenEndReason,
  closeWith,
  connectAgent,
  endAll,
  hangup,
  music,
  releaseAgent,
  requeue,
} from '../moves.ts';

/** What an agent's leg that never talked says about his seat. */
export function outcomeOf(end: LegEnd): SeatOutcome {
  const { reason } = endingOfCause(end.cause);
  if (reason === 'no-answer') return 'noAnswer';
  if (reason === 'rejected' || reason === 'busy') return 'rejected';
  if (reason === 'cancelled' || reason === 'answered-elsewhere') return 'callerGone';
  return 'phoneFault';
}

const beforeTalking = ['waiting', 'offering', 'connecting'] as const;
const isParked = (call: Call, playId: string) => call.citizenPlace === 'parked' && playId === call.playId;

/** The agent has picked up: his times, and the recording unless an earlier agent has begun it. */
function agentAnswered(call: Call, around: Surroundings): [Call, Effect[]] {
  const agent = call.agent === null ? null : { ...call.agent, answeredAtMs: around.nowMs };
  const answered: Call = {
    ...call,
    agent,
    agentAnsweredAtMs: call.agentAnsweredAtMs ?? around.nowMs,
    lastAgentId: agent?.personId ?? call.lastAgentId,
    recordingPath: call.recordingPath ?? around.recordingPath,
    playId: null,
  };
  const cancel = (['ring', 'announce', 'queueMax'] as const).map((timer): Effect => ({ do: 'cancelTimer', timer }));
  const record: Effect[] = call.recordingPath === null ? [{ do: 'record', path: around.recordingPath }] : [];
  return [answered, [...cancel, ...record]];
}

export const queueRows: readonly Row[] = [
  row(['waiting'], 'agentReserved', 'A seat is ours: ring its phone, pop its desk.', (call, event, around) =>
    go({ ...call, agent: event.agent }, 'offering', around, [
      { do: 'startTimer', timer: 'ring', delayMs: around.settings.ringTimeoutMs + 3000 },
      { do: 'originateAgent' },
    ]),
  ),
  row(
    ['waiting'],
    'queueFull',
    'Overload has a planned answer: say that he will be called back, then end with our own limit as the reason.',
    (call, _event, around) => {
      const closing = closeWith(because(call, 'us', 'queue-full'), busyPrompts(call), around);
      const stop = ['announce', 'queueMax'] as const;
      return {
        call: closing.call,
        effects: [...stop.map((timer) => ({ do: 'cancelTimer', timer }) as const), ...closing.effects],
      };
    },
  ),
  row(['offering'], 'agentRinging', 'The phone rings.', 'ignore'),
  row(['offering'], 'agentParked', 'The agent has answered.', (call, _event, around) => {
    const [answered, effects] = agentAnswered(call, around);
    return connectAgent(answered, around, effects);
  }),
  row(
    ['offering'],
    'bridged',
    'Control died between the answer and its record: they talk already.',
    (call, _event, around) => {
      const [answered, effects] = agentAnswered(call, around);
      return go(answered, 'talking', around, effects);
    },
    { when: (call) => call.agent?.place === 'bridged' && call.citizenPlace === 'bridged' },
  ),
  row(['offering'], 'agentEnded', 'Busy, no answer, refused, phone gone: the next agent.', (call, event, around) => {
    const [after, effects] = releaseAgent(call, outcomeOf(event.end));
    return requeue(after, around, effects);
  }),
  row(
    ['offering'],
    'timer',
    'The switch did not tell the end of ringing: give the offer up ourselves.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(call, 'noAnswer');
      return requeue(after, around, [...hangup(call, 'agent'), ...effects]);
    },
    { timer: 'ring' },
  ),
  row(
    ['offering'],
    'commandFailed',
    'The switch refused to ring the phone.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(call, 'phoneFault');
      return requeue(after, around, [...hangup(call, 'agent'), ...effects]);
    },
    { when: (_call, event) => event.command === 'originateAgent' },
  ),
  row(
    ['waiting', 'offering'],
    'commandFailed',
    'Music or claim failed: the wait goes on, a gone leg tells its end.',
    'ignore',
  ),
  row(
    ['waiting', 'offering'],
    'timer',
    'Position and patience.',
    (call, _event, around) => {
      const again = { do: 'startTimer', timer: 'announce', delayMs: around.settings.announceEveryMs } as const;
      if (call.citizenPlace !== 'parked') return stay(call, [again]);
      if (call.playId === null) {
        const [playing, effects] = music(call);
        return stay(playing, [...effects, again]);
      }
      const [playing, effect] = play(call, ['{position}']);
      return stay(playing, [effect, again]);
    },
    { timer: 'announce' },
  ),
  row(
    ['waiting', 'offering'],
    'citizenPlayEnded',
    'After an announcement the music goes on.',
    (call) => {
      const [playing, effects] = music(call);
      return stay(playing, effects);
    },
    { when: (call, event) => isParked(call, event.playId) && !event.failed },
  ),
  row(
    ['waiting', 'offering'],
    'citizenPlayEnded',
    'A late one, or a missing file: silence is better than a loop of failures.',
    'ignore',
  ),
  row(['waiting', 'offering'], 'citizenDigit', 'Nothing was asked.', 'ignore'),
  row(['waiting', 'offering'], 'citizenParked', 'Came back from a broken conversation: music again.', (call) => {
    const [playing, effects] = music(call);
    return stay(playing, effects);
  }),
  row([...beforeTalking], 'citizenEnded', 'Abandoned.', (call, event, around) =>
    endAll({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around),
  ),

  row(['connecting'], 'citizenParked', 'One side is ready; bridge when both are.', (call) => {
    const [after, effects] = bridgeWhenParked(call, 'citizen', 'agent');
    return stay(after, effects);
  }),
  row(['connecting'], 'agentParked', 'One side is ready; bridge when both are.', (call) => {
    const [after, effects] = bridgeWhenParked(call, 'citizen', 'agent');
    return stay(after, effects);
  }),
  row(
    ['connecting'],
    'bridged',
    'They talk.',
    (call, _event, around) => go({ ...call, playId: null }, 'talking', around),
    { when: (call) => call.agent !== null },
  ),
  row(
    ['connecting'],
    'agentEnded',
    'The agent hung up while he was being put back to the citizen: his part was over.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(because(call, 'success', 'agent-hung-up'), 'talked');
      const separated = go(after, 'separated', around, effects);
      return after.citizenPlace === 'parked' ? afterAgent(separated, around) : separated;
    },
    // A first connection begins in the very moment of the answer, one after a hold later.
    { when: (call) => call.agent?.answeredAtMs != null && call.agent.answeredAtMs < call.stateSinceMs },
  ),
  row(['connecting'], 'agentEnded', 'The agent went before he could talk: the next agent.', (call, event, around) => {
    const [after, effects] = releaseAgent(call, call.agent?.answeredAtMs ? 'talked' : outcomeOf(event.end));
    return requeue(after, around, effects);
  }),
  row(['connecting'], 'subcentreEnded', 'The cancelled consultation has gone.', (call) =>
    stay({ ...call, consult: null }),
  ),
  row(['connecting'], 'commandFailed', 'A gone leg tells its end; else the step timer decides.', 'ignore'),
  row(
    ['connecting'],
    'timer',
    'The bridge never came: the citizen must not sit in silence.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(call, 'phoneFault');
      return requeue(after, around, [...hangup(call, 'agent'), ...effects]);
    },
    { timer: 'step' },
  ),
  row(['connecting'], 'citizenPlayEnded', 'The music was cut by the bridge.', 'ignore'),
  row(['connecting'], 'citizenDigit', 'Nothing was asked.', 'ignore'),
  row(['connecting'], 'hangup', 'The agent gives up while it connects.', (call) => stay(call, hangup(call, 'agent'))),
];
