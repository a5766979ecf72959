/**
 * A department joins: consultation, three-way call, transfer. Seed rows C05, C06, C22, C23.
 * The citizen is never worse off than before: every failure leads back to the agent, or to the queue when he has gone.
 */
import { type Call, callStates, type Effect } from '../call.ts';
import { type Decision, type EventOf, go, type Row, row, type Surroundings, stay } from '../decision.ts';
import { endingOfCause } from '../ending.ts';
import {
  afterAgent,
  backOnFirstLine,
  because,
  bridgeWhenParked,
  citizenEndReason,
  connectAgent,
  endAll,
  hangup,
  music,
  parkAll,
  placed,
  releaseAgent,
  requeue,
  withoutOtherLine,
} from '../moves.ts';

/** Why the sub-centre did not come, for the agent. */
const failureTexts: Readonly<Record<string, string>> = {
  busy: '对方忙',
  rejected: '对方拒接',
  'no-answer': '无人应答',
  'no-response': '对方无响应',
  'unknown-number': '号码不存在',
  'phone-not-registered': '对方话机未上线',
};

/**
 * Nothing came of what the agent's phone asked for: the switch tells it and puts the two together again. Control must
 * not bridge them itself: the phone would take that for its success, and hang up.
 */
function phoneIsRefused(call: Call, effects: readonly Effect[], around: Surroundings): Decision {
  const moving = placed(placed({ ...call, consult: null }, 'citizen', 'moving'), 'agent', 'moving');
  return go(moving, 'rejoining', around, [
    { do: 'cancelTimer', timer: 'consultRing' },
    ...effects,
    { do: 'answerRefer', role: 'citizen', by: call.agent?.leg ?? '', accepted: false },
  ]);
}

const asksByPhone = (call: Call): boolean => call.consult?.referred === true && call.agent !== null;

/** The consultation failed or ended: the citizen waits for one click, or comes back by himself. */
function backToAgent(call: Call, text: string | null, around: Surroundings): Decision {
  const [onFirstLine, hangups] = backOnFirstLine(call);
  const [after, musicEffects] = musicAnew({ ...onFirstLine, consult: null, resumesByItself: true });
  // Of a bridge without an answer nobody knows where it has left him: parked anew, he has a way out and may resume.
  const lost: Effect[] = after.agent?.place === 'moving' ? [{ do: 'park', role: 'agent', both: false }] : [];
  return go(after, 'held', around, [
    { do: 'cancelTimer', timer: 'consultRing' },
    ...hangups,
    ...musicEffects,
    ...lost,
    { do: 'startTimer', timer: 'autoResume', delayMs: around.settings.autoResumeMs },
    ...(text === null ? [] : [{ do: 'notice', text } as const]),
  ]);
}

/** A bridge that came to nothing has cut the citizen's music off. On the way into it he is parked first, and told of. */
function musicAnew(call: Call): [Call, Effect[]] {
  if (call.state !== 'transferConnecting') return [call, []];
  if (call.citizenPlace === 'moving') return [call, [{ do: 'park', role: 'citizen', both: false }]];
  return call.citizenPlace === 'parked' ? music(call) : [call, []];
}

function consultFailed(call: Call, cause: string, around: Surroundings): Decision {
  const name = call.consult?.name ?? '';
  const { reason } = endingOfCause(cause);
  if (call.agent === null) {
    return requeue({ ...call, consult: null }, around, [{ do: 'cancelTimer', timer: 'consultRing' }]);
  }
  const why = `${name}：${failureTexts[reason] ?? '未能接通'}`;
  if (asksByPhone(call)) return phoneIsRefused(call, [{ do: 'notice', text: `${why}，通话继续` }], around);
  return backToAgent(call, `${why}，市民在等候，请恢复通话`, around);
}

/** The sub-centre has answered: bridge it to whom the mode says, as soon as that leg is parked. */
function subcentreAnswered(call: Call, around: Surroundings): Decision {
  const answered: Call =
    call.consult === null
      ? call
      : { ...call, consult: { ...call.consult, answeredAtMs: call.consult.answeredAtMs ?? around.nowMs } };
  const transfer = call.consult?.mode === 'transfer' || call.agent === null;
  const [after, effects] = bridgeWhenParked(answered, transfer ? 'citizen' : 'agent', 'subcentre');
  return go(after, transfer ? 'transferConnecting' : 'consultConnecting', around, [
    { do: 'cancelTimer', timer: 'consultRing' },
    ...effects,
  ]);
}

/**
 * Rings the sub-centre, with a limit, while citizen and agent wait.
 * @param effects bring citizen and agent to where they wait
 */
export function ringSubcentre(call: Call, around: Surroundings, effects: readonly Effect[]): Decision {
  const ringback = call.agent?.place === 'parked' ? [{ do: 'ringback' } as const] : [];
  return go(call, 'consultRinging', around, [
    { do: 'cancelTimer', timer: 'autoResume' },
    ...effects,
    ...ringback,
    { do: 'startTimer', timer: 'consultRing', delayMs: around.settings.consultRingTimeoutMs + 3000 },
    { do: 'originateSubcentre' },
  ]);
}

/** What the sub-centre's line lets hear while it rings is the agent's to hear; the citizen has his music. */
function hearEarly(call: Call): Decision {
  if (call.agent?.place !== 'parked' || call.consult?.place !== 'early') return stay(call);
  const moving = placed(placed(call, 'agent', 'moving'), 'subcentre', 'moving');
  return stay(moving, [{ do: 'bridge', a: 'agent', b: 'subcentre' }]);
}

/** The answer of a line that could be heard before. */
function earlyAnswered(call: Call, around: Surroundings): Decision {
  const { agent, consult } = call;
  if (consult === null) return stay(call);
  const { place } = consult;
  const answered = { ...call, consult: { ...consult, answeredAtMs: around.nowMs } };
  if (place === 'dialling' || place === 'ringing') return stay(answered);
  const heard = agent !== null && (place === 'bridged' || place === 'moving');
  if (heard && consult.mode === 'consult') {
    const to = place === 'bridged' ? 'consulting' : 'consultConnecting';
    return go(answered, to, around, [{ do: 'cancelTimer', timer: 'consultRing' }]);
  }
  // A bridge takes it from wherever it is; only on its way out of a broken one it must be waited for.
  return subcentreAnswered(heard || place === 'early' ? placed(answered, 'subcentre', 'parked') : answered, around);
}

function rebridge(call: Call): Decision {
  const transfer = call.state === 'transferConnecting';
  const [after, effects] = bridgeWhenParked(call, transfer ? 'citizen' : 'agent', 'subcentre');
  return stay(after, effects);
}

/** A bridge that the switch has not made, and will not make. */
const cameToNothing = ({ command, kind }: EventOf<'commandFailed'>): boolean =>
  command === 'bridge' && (kind === 'gone' || kind === 'refused');

/** The desk's hang-up means the agent, whichever of his lines his phone is on. */
function leaves(call: Call): Decision {
  const [alone, hangups] = withoutOtherLine(call);
  return stay(alone, [...hangups, ...hangup(alone, 'agent')]);
}

/** A parked citizen hears music while the others are busy. */
function citizenWaits(call: Call): Decision {
  const [playing, effects] = music(call);
  return stay(playing, effects);
}

const citizenOnMusic = ['consultRinging', 'consultConnecting', 'consulting'] as const;
const withAll = ['joining', 'threeWay'] as const;

export const consultRows: readonly Row[] = [
  row(['talking', 'held'], 'consult', 'Citizen to music, then ring the sub-centre.', (call, event, around) => {
    const [parked, effects] = parkAll({ ...call, consult: event.consult }, ['citizen', 'agent']);
    return ringSubcentre(parked, around, effects);
  }),
  row(['consultRinging'], 'citizenParked', 'Music.', citizenWaits),
  row(['consultRinging'], 'agentParked', 'The agent hears that it rings.', (call) => {
    if (call.consult?.place === 'early') return hearEarly(call);
    const broke = call.consult?.place === 'bridged' || call.consult?.place === 'moving';
    // What he heard is over; that the line has ended is about to be told.
    return stay(call, broke ? [] : [{ do: 'ringback' }]);
  }),
  row(['consultRinging'], 'subcentreRinging', 'Shown on the desk.', 'ignore'),
  row(['consultRinging'], 'subcentreEarlyMedia', 'It can be heard: the agent hears that.', hearEarly),
  row(['consultRinging'], 'bridged', 'The agent hears how it rings.', 'ignore'),
  row(
    ['consultRinging'],
    'commandFailed',
    'It can’t be heard after all: the agent hears our own ringing.',
    (call) => stay(placed(placed(call, 'agent', 'parked'), 'subcentre', 'early'), [{ do: 'ringback' }]),
    { when: (call, event) => event.command === 'bridge' && call.consult?.place === 'moving' },
  ),
  row(
    ['consultRinging'],
    'subcentreAnswered',
    'Answered: its park is told next, or it was heard already.',
    (call, _event, around) => earlyAnswered(call, around),
  ),
  row(['consultRinging'], 'subcentreParked', 'Answered.', (call, _event, around) => subcentreAnswered(call, around)),
  row(['consultRinging'], 'subcentreEnded', 'Busy, no answer, refused, gateway down.', (call, event, around) =>
    consultFailed(call, event.end.cause, around),
  ),
  row(
    ['consultRinging'],
    'timer',
    'The switch did not tell the end of ringing.',
    (call, _event, around) => {
      const failed = consultFailed(call, 'NO_ANSWER', around);
      return { call: failed.call, effects: [...hangup(call, 'subcentre'), ...failed.effects] };
    },
    { timer: 'consultRing' },
  ),
  row(
    ['consultRinging'],
    'commandFailed',
    'The switch refused to ring.',
    (call, _event, around) => consultFailed(call, 'NORMAL_TEMPORARY_FAILURE', around),
    { when: (_call, event) => event.command === 'originateSubcentre' },
  ),
  row(['consultRinging'], 'cancelConsult', 'Back to the citizen at once.', (call, _event, around) => {
    const stop = hangup(call, 'subcentre', 'ORIGINATOR_CANCEL');
    if (asksByPhone(call)) return phoneIsRefused(call, stop, around);
    const parting = call.consult?.place === 'bridged' || call.consult?.place === 'moving';
    const left = parting ? placed(call, 'agent', 'moving') : call;
    const back = connectAgent({ ...left, consult: null }, around, [
      { do: 'cancelTimer', timer: 'consultRing' },
      ...stop,
    ]);
    return back;
  }),
  row(['consultRinging'], 'hangup', 'The agent ends his part: the sub-centre keeps ringing for the citizen.', leaves),
  row(['consultRinging'], 'agentEnded', 'The agent went: it becomes a transfer.', (call) => {
    const [after, effects] = releaseAgent(call, 'talked');
    // Gone in the moment in which he was to hear it ring: the other leg would be nowhere. Its park may be told again then.
    const isLost = call.consult?.place === 'moving' || call.consult?.place === 'early';
    const lost: Effect[] = isLost ? [{ do: 'park', role: 'subcentre', both: false }] : [];
    const left = after.consult && { ...after.consult, mode: 'transfer' as const };
    return stay({ ...after, consult: left }, [...effects, ...lost]);
  }),

  row(['consultConnecting', 'transferConnecting'], 'citizenParked', 'Ready for the bridge, or for music.', (call) =>
    call.state === 'transferConnecting' ? rebridge(call) : citizenWaits(call),
  ),
  row(['consultConnecting', 'transferConnecting'], 'agentParked', 'Ready for the bridge.', rebridge),
  row(['consultConnecting', 'transferConnecting'], 'subcentreParked', 'Ready for the bridge.', rebridge),
  row(
    ['consultConnecting', 'transferConnecting'],
    'commandFailed',
    'The agent went in the moment in which the two were brought together: the sub-centre is told of anew where it waits.',
    (call) => stay(call, [{ do: 'park', role: 'subcentre', both: false }]),
    {
      when: (call, event) => cameToNothing(event) && call.citizenPlace === 'parked' && call.consult?.place === 'moving',
    },
  ),
  row(['consultConnecting'], 'bridged', 'Agent and sub-centre talk.', (call, _event, around) =>
    go(call, 'consulting', around),
  ),
  row(['consultConnecting', 'transferConnecting'], 'subcentreEnded', 'Answered and gone.', (call, event, around) =>
    consultFailed(call, event.end.cause, around),
  ),
  row(['consultConnecting'], 'agentEnded', 'The agent went: the citizen is put through.', (call, _event, around) => {
    const [after, effects] = releaseAgent(call, 'talked');
    const [bridging, bridge] = bridgeWhenParked(after, 'citizen', 'subcentre');
    return go(bridging, 'transferConnecting', around, [...effects, ...bridge]);
  }),
  row(['consultConnecting', 'consulting'], 'hangup', 'The agent ends his part.', leaves),
  row(['transferConnecting'], 'hangup', 'He is about to be freed anyway.', 'ignore'),
  row(
    ['consultConnecting', 'transferConnecting'],
    'timer',
    'The bridge never came.',
    (call, _event, around) => {
      const failed = consultFailed(call, 'NORMAL_TEMPORARY_FAILURE', around);
      return { call: failed.call, effects: [...hangup(call, 'subcentre'), ...failed.effects] };
    },
    { timer: 'step' },
  ),
  row(['consultConnecting', 'transferConnecting'], 'cancelConsult', 'Back to the citizen.', (call, _event, around) =>
    asksByPhone(call)
      ? phoneIsRefused(call, hangup(call, 'subcentre'), around)
      : connectAgent({ ...call, consult: null }, around, hangup(call, 'subcentre')),
  ),

  row(['consulting'], 'joinThreeWay', 'All three into one conference.', (call, _event, around) => {
    const [alone, hangups] = withoutOtherLine(call);
    const moving = placed(placed(placed(alone, 'citizen', 'moving'), 'agent', 'moving'), 'subcentre', 'moving');
    return go({ ...moving, playId: null }, 'joining', around, [
      ...hangups,
      { do: 'join', role: 'agent', both: true },
      { do: 'join', role: 'citizen', both: false },
    ]);
  }),
  row(['consulting'], 'leave', 'The agent puts the citizen through and goes.', (call, _event, around) => {
    const moving = placed(placed(call, 'citizen', 'moving'), 'subcentre', 'moving');
    return go({ ...moving, playId: null }, 'transferConnecting', around, [
      { do: 'bridge', a: 'citizen', b: 'subcentre' },
    ]);
  }),
  row(['consulting'], 'cancelConsult', 'The consultation is over.', (call, _event, around) =>
    connectAgent({ ...placed(call, 'agent', 'moving'), consult: null }, around, hangup(call, 'subcentre')),
  ),
  row(['consulting'], 'subcentreEnded', 'The sub-centre hung up.', (call, _event, around) =>
    backToAgent({ ...call }, `${call.consult?.name ?? ''}已挂断，市民在等候，请恢复通话`, around),
  ),
  row(['consulting'], 'agentParked', 'The bridge broke; whose end it was is about to be told.', 'ignore'),
  row(['consulting'], 'subcentreParked', 'The agent has gone; his end is about to be told.', 'ignore'),
  row(
    ['consulting'],
    'agentEnded',
    'The agent hung up: the citizen is put through, never dropped.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(call, 'talked');
      const [bridging, bridge] = bridgeWhenParked(after, 'citizen', 'subcentre');
      return go(bridging, 'transferConnecting', around, [...effects, ...bridge]);
    },
  ),
  row(
    ['consulting'],
    'citizenEnded',
    'The citizen went; the other two may finish their words.',
    (call, event, around) => {
      const [alone, hangups] = withoutOtherLine(citizenEndReason(call, event.end.cause));
      return go({ ...alone, citizenPlace: 'gone' }, 'agentWithSubcentre', around, hangups);
    },
  ),
  row(
    ['consultRinging', 'consultConnecting', 'transferConnecting'],
    'citizenEnded',
    'Nobody to consult for.',
    (call, event, around) => endAll({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around),
  ),
  row([...citizenOnMusic], 'citizenPlayEnded', 'Music that ended goes on.', citizenWaits, {
    when: (call, event) => event.playId === call.playId && !event.failed && call.citizenPlace === 'parked',
  }),
  row(
    [...citizenOnMusic, 'transferConnecting', ...withAll, 'withSubcentre', 'agentWithSubcentre'],
    'citizenPlayEnded',
    'Late.',
    'ignore',
  ),
  row(
    [...citizenOnMusic, 'transferConnecting', ...withAll, 'withSubcentre', 'agentWithSubcentre'],
    'citizenDigit',
    'Not asked.',
    'ignore',
  ),
  row(
    [...citizenOnMusic, 'transferConnecting', ...withAll, 'withSubcentre', 'agentWithSubcentre'],
    'commandFailed',
    'A gone leg tells its end; else the step timer decides.',
    'ignore',
  ),
  row(['consulting', 'threeWay', 'withSubcentre', 'agentWithSubcentre'], 'bridged', 'Told by both legs.', 'ignore'),

  row(['threeWay'], 'subcentreEnded', 'The sub-centre left; citizen and agent go on.', (call, _event, around) =>
    go({ ...call, consult: null }, 'talking', around, [
      { do: 'notice', text: `${call.consult?.name ?? '分中心'}已退出` },
    ]),
  ),
  row(['threeWay'], 'agentEnded', 'The agent left; citizen and sub-centre go on.', (call, _event, around) => {
    const [after, effects] = releaseAgent(call, 'talked');
    return go(after, 'withSubcentre', around, effects);
  }),
  row(['threeWay'], 'citizenEnded', 'The citizen left; the other two may finish their words.', (call, event, around) =>
    go({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, 'agentWithSubcentre', around),
  ),
  row([...withAll], 'leave', 'The agent leaves the two alone.', (call) => stay(call, hangup(call, 'agent'))),
  row([...withAll], 'hangup', 'The same as leaving: the citizen stays with the sub-centre.', (call) =>
    stay(call, hangup(call, 'agent')),
  ),
  row([...withAll], 'cancelConsult', 'The agent sends the sub-centre away.', (call) =>
    stay(call, hangup(call, 'subcentre')),
  ),
  row(['threeWay'], 'joined', 'Late news.', 'ignore'),
  row([...withAll], 'agentParked', 'Fell out of the conference; its end is about to be told.', 'ignore'),
  row([...withAll], 'citizenParked', 'Passing through on the way into the conference.', 'ignore'),
  row([...withAll], 'subcentreParked', 'Passing through on the way into the conference.', 'ignore'),

  row(['transferConnecting'], 'bridged', 'Citizen and sub-centre talk; the agent is free.', (call, _event, around) =>
    go(call, 'withSubcentre', around, hangup(call, 'agent')),
  ),
  row(
    ['transferConnecting', 'withSubcentre', 'agentWithSubcentre'],
    'agentEnded',
    'The agent is gone.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(call, 'talked');
      if (call.state === 'agentWithSubcentre') return endAll(after, around, effects);
      return stay(after, effects);
    },
  ),
  row(['withSubcentre', 'agentWithSubcentre'], 'agentParked', 'Parked for a moment before he is hung up.', 'ignore'),
  row(['withSubcentre'], 'hangup', 'He is about to be freed anyway.', 'ignore'),
  row(['withSubcentre'], 'leave', 'Asked twice.', 'ignore'),
  row(['withSubcentre'], 'subcentreParked', 'The citizen has gone; his end is about to be told.', 'ignore'),
  row(['withSubcentre'], 'citizenParked', 'The sub-centre has gone; its end is about to be told.', 'ignore'),
  row(['withSubcentre'], 'joined', 'Late news.', 'ignore'),
  row(['withSubcentre'], 'subcentreEnded', 'The sub-centre hung up first.', (call, _event, around) => {
    const after = { ...because(call, 'success', 'subcentre-hung-up'), consult: null };
    if (after.citizenPlace === 'parked') return afterAgent(stay(after), around);
    const [parking, effects] = parkAll(after, ['citizen']);
    return go(parking, 'separated', around, after.citizenPlace === 'conference' ? effects : []);
  }),
  row(['withSubcentre'], 'citizenEnded', 'The citizen hung up first.', (call, event, around) =>
    endAll({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around),
  ),
  row(['agentWithSubcentre'], 'subcentreEnded', 'Both talks are over.', (call, _event, around) =>
    endAll({ ...call, consult: null }, around),
  ),
  row(['agentWithSubcentre'], 'hangup', 'The agent ends it.', (call, _event, around) => endAll(call, around)),
  row(['agentWithSubcentre'], 'leave', 'The agent ends it.', (call, _event, around) => endAll(call, around)),
  row(['agentWithSubcentre'], 'cancelConsult', 'The agent ends it.', (call, _event, around) => endAll(call, around)),
  row(['agentWithSubcentre'], 'subcentreParked', 'The agent has gone; his end is about to be told.', 'ignore'),
  row(['agentWithSubcentre'], 'joined', 'Late news.', 'ignore'),
  row([...callStates], 'subcentreAnswered', 'Where the answer matters, the park or the bridge says it.', 'ignore'),
  row([...callStates], 'subcentreEarlyMedia', 'Nobody waits to hear it ring, or not any more.', 'ignore'),
];
