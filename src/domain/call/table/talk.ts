/** Citizen and agent: talking, hold and resume, and what follows when one of them goes. */
import { go, type Row, row, stay } from '../decision.ts';
import {
  afterAgent,
  askRating,
  because,
  citizenEndReason,
  closeWith,
  connectAgent,
  endAll,
  hangup,
  music,
  parkAll,
  releaseAgent,
  requeue,
  waitForRating,
} from '../moves.ts';

const together = ['talking', 'holding', 'held'] as const;

export const talkRows: readonly Row[] = [
  row(['talking'], 'hold', 'Open the bridge; each leg tells when it is parked.', (call, _event, around) => {
    const [after, effects] = parkAll({ ...call, resumesByItself: false }, ['citizen', 'agent']);
    return go(after, 'holding', around, effects);
  }),
  row(['holding'], 'citizenParked', 'Music for the citizen.', (call, _event, around) => {
    const [playing, effects] = music(call);
    return call.agent?.place === 'parked' ? go(playing, 'held', around, effects) : stay(playing, effects);
  }),
  row(['holding'], 'agentParked', 'The agent is parked; held once the citizen is, too.', (call, _event, around) =>
    call.citizenPlace === 'parked' ? go(call, 'held', around) : stay(call),
  ),
  row(
    ['holding'],
    'timer',
    'A park was not told: take both back together rather than leave them apart.',
    (call, _event, around) =>
      connectAgent(
        { ...call, citizenPlace: 'parked', agent: call.agent && { ...call.agent, place: 'parked' } },
        around,
      ),
    { timer: 'step' },
  ),
  row(
    ['holding'],
    'resume',
    'Asked before both parks were told: back together as soon as they are.',
    (call, _event, around) => connectAgent(call, around),
  ),
  row(['held'], 'resume', 'Back together.', (call, _event, around) => connectAgent(call, around)),
  row(
    ['held'],
    'timer',
    'The consultation failed and the agent did nothing: the citizen comes back by himself.',
    (call, _event, around) => connectAgent(call, around),
    { timer: 'autoResume' },
  ),
  row(['held'], 'citizenParked', 'The last leg of an opened conference: music.', (call) => {
    const [playing, effects] = music(call);
    return stay(playing, effects);
  }),
  row(['held'], 'agentParked', 'Parked later than the rest; the agent may resume now.', 'ignore'),
  row(
    ['held'],
    'citizenPlayEnded',
    'Music that ended goes on.',
    (call) => {
      const [playing, effects] = music(call);
      return stay(playing, effects);
    },
    { when: (call, event) => event.playId === call.playId && !event.failed },
  ),
  row(['talking', 'holding', 'held'], 'citizenPlayEnded', 'Cut off by the bridge, or late.', 'ignore'),
  row(['talking', 'holding', 'held'], 'citizenDigit', 'Digits belong to the conversation.', 'ignore'),
  row(['talking'], 'bridged', 'Told by both legs.', 'ignore'),
  row(['talking'], 'joined', 'Late news of a conference that shrank to two.', 'ignore'),
  row(['talking', 'held', 'holding'], 'subcentreEnded', 'The dropped sub-centre has gone.', (call) =>
    stay({ ...call, consult: null }),
  ),
  row(
    ['talking'],
    'commandFailed',
    'The recording failed: the conversation matters more; the log and the record say so.',
    'ignore',
  ),
  row(['holding', 'held'], 'commandFailed', 'A gone leg tells its end; else the timers decide.', 'ignore'),
  row([...together], 'hangup', 'The agent ends his part.', (call, _event, around) =>
    go(call, 'separated', around, hangup(call, 'agent')),
  ),
  row(['talking', 'holding', 'held'], 'citizenEnded', 'The citizen hung up first.', (call, event, around) =>
    endAll({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around),
  ),
  row(
    ['talking'],
    'citizenParked',
    'The bridge broke: the agent’s end is about to be told, or was lost.',
    (call, _event, around) => go(call, 'separated', around),
  ),
  row(['talking'], 'agentParked', 'The bridge broke: the citizen’s end is about to be told.', (call, _event, around) =>
    go(call, 'separated', around),
  ),
  row(
    ['held'],
    'agentEnded',
    'He has not hung up: his phone was lost, or the switch let him go because nobody was there to bring the two together.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(call, 'talked');
      return requeue(after, around, [
        { do: 'cancelTimer', timer: 'autoResume' },
        ...effects,
        { do: 'startTimer', timer: 'queueMax', delayMs: around.settings.queueMaxWaitMs },
      ]);
    },
    { when: (_call, event) => event.end.endedBy !== 'phone' },
  ),
  row(['talking', 'holding', 'held'], 'agentEnded', 'The agent hung up first.', (call, event, around) => {
    const [after, effects] = releaseAgent(
      because(call, 'success', `agent-${event.end.endedBy === 'switch' ? 'ended' : 'hung-up'}`),
      'talked',
    );
    const separated = go(after, 'separated', around, [{ do: 'cancelTimer', timer: 'autoResume' }, ...effects]);
    if (after.citizenPlace === 'parked') return afterAgent(separated, around);
    if (after.citizenPlace !== 'conference') return separated;
    const [parking, park] = parkAll(separated.call, ['citizen']);
    return { call: parking, effects: [...separated.effects, ...park] };
  }),

  row(['separated'], 'agentEnded', 'Now it is known: the agent has gone.', (call, _event, around) => {
    const [after, effects] = releaseAgent(because(call, 'success', 'agent-hung-up'), 'talked');
    if (after.citizenPlace === 'conference') {
      const [parking, park] = parkAll(after, ['citizen']);
      return stay(parking, [...effects, ...park]);
    }
    return after.citizenPlace === 'parked' ? afterAgent(stay(after, effects), around) : stay(after, effects);
  }),
  row(
    ['separated'],
    'citizenParked',
    'The citizen is parked; if the agent has gone, the rating follows.',
    (call, _event, around) =>
      call.agent === null && call.consult === null ? afterAgent(stay(call), around) : stay(call),
  ),
  row(['separated'], 'subcentreEnded', 'Now it is known: the sub-centre has gone.', (call, _event, around) => {
    const after = { ...because(call, 'success', 'subcentre-hung-up'), consult: null };
    return after.citizenPlace === 'parked' && after.agent === null ? afterAgent(stay(after), around) : stay(after);
  }),
  row(['separated'], 'agentParked', 'The agent is still there; the citizen’s end is about to be told.', 'ignore'),
  row(
    ['separated'],
    'subcentreParked',
    'The sub-centre is still there; the citizen’s end is about to be told.',
    'ignore',
  ),
  row(['separated'], 'citizenEnded', 'Now it is known: the citizen has gone.', (call, event, around) =>
    endAll({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around),
  ),
  row(['separated'], 'bridged', 'Late.', 'ignore'),
  row(['separated'], 'citizenPlayEnded', 'Late.', 'ignore'),
  row(['separated'], 'citizenDigit', 'Pressed a moment too early for the rating.', 'ignore'),
  row(['separated'], 'hangup', 'Asked again.', 'ignore'),
  row(['separated'], 'commandFailed', 'The step timer decides.', 'ignore'),
  row(
    ['separated'],
    'timer',
    'Nobody’s end was told. Agent and citizen both there: together again; else the citizen is not left alone.',
    (call, _event, around) => {
      if (call.agent !== null && call.agent.place === 'parked' && call.citizenPlace === 'parked')
        return connectAgent(call, around);
      if (call.agent !== null || call.consult !== null) {
        const [after, effects] = releaseAgent(call, 'talked');
        return endAll(because(after, 'unknown', 'end-not-told'), around, [...hangup(call, 'agent'), ...effects]);
      }
      return endAll(because(call, 'success', 'agent-hung-up'), around);
    },
    { timer: 'step' },
  ),

  row(['rating'], 'citizenDigit', 'A rating, or a key that means nothing.', (call, event, around) => {
    if (!/^[1-3]$/.test(event.digit)) return askRating(call, ['rating-invalid', 'rating-ask'], around);
    return closeWith({ ...call, rating: Number(event.digit) }, ['rating-thanks', 'goodbye'], around);
  }),
  row(
    ['rating'],
    'timer',
    'No rating is an answer as well.',
    (call, _event, around) => closeWith(call, ['goodbye'], around),
    {
      timer: 'rating',
    },
  ),
  row(
    ['rating'],
    'citizenPlayEnded',
    'Asked; now the time for a key begins.',
    (call, _event, around) => waitForRating(call, around),
    { when: (call, event) => event.playId === call.playId },
  ),
  row(['rating'], 'citizenPlayEnded', 'Of a question that a wrong key has cut off.', 'ignore'),
  row(['rating'], 'commandFailed', 'The question could not be played.', (call, _event, around) => endAll(call, around)),
  row(['rating', 'closing'], 'citizenEnded', 'Hung up without waiting for more.', (call, event, around) =>
    endAll({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around),
  ),
  row(['rating', 'closing'], 'citizenParked', 'Told again.', 'ignore'),
  row(['closing'], 'citizenPlayEnded', 'Said; now hang up.', (call, _event, around) => endAll(call, around), {
    when: (call, event) => event.playId === call.playId,
  }),
  row(['closing'], 'citizenPlayEnded', 'Of an earlier prompt.', 'ignore'),
  row(['closing'], 'citizenDigit', 'Too late.', 'ignore'),
  row(['closing'], 'commandFailed', 'What can’t be said is not waited for.', (call, _event, around) =>
    endAll(call, around),
  ),
  row(['closing'], 'timer', 'The end of the prompt was not told.', (call, _event, around) => endAll(call, around), {
    timer: 'step',
  }),
];
