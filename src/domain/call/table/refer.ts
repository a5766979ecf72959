/**
 * Transfer by the agent's phone (REFER, RFC 3515): the same as the desk's transfer, and the phone hears what became of it
 * (docs/adr/0020). While it waits both legs are parked. Whatever may not be, is refused, and the two talk on.
 */
import { type Call, type CallEvent, type ConsultPart, callStates, type Effect } from '../call.ts';
import { type Decision, go, type Row, row, type Surroundings, stay } from '../decision.ts';
import {
  afterAgent,
  because,
  citizenEndReason,
  connectAgent,
  endAll,
  hangup,
  music,
  placed,
  releaseAgent,
  requeue,
} from '../moves.ts';

type Referred = Extract<CallEvent, { type: 'referred' }>;

/** The bridge that the phone's REFER opened has told of its legs, or is about to. */
const apart = ['talking', 'separated'] as const;

/** Two of the three talk, or hear each other ring. */
const inConversation = [
  'connecting',
  'consultRinging',
  'consultConnecting',
  'consulting',
  'transferConnecting',
  'withSubcentre',
  'agentWithSubcentre',
] as const;

const answer = (event: Referred, accepted: boolean): Effect => ({
  do: 'answerRefer',
  role: event.role,
  by: event.byLeg,
  accepted,
});

const byAgent = (call: Call, event: Referred): boolean => event.by === 'agent' && event.byLeg === call.agent?.leg;
/** Phones that hang up at once are quicker than the news of their REFER. */
const hasJustGone = (call: Call, event: Referred): boolean =>
  event.by === null && call.agent === null && call.consult === null && call.endReason?.startsWith('agent-') === true;
const citizenByAgent = (call: Call, event: Referred): boolean =>
  event.role === 'citizen' && (byAgent(call, event) || hasJustGone(call, event));

/** As the desk's transfer; both are parked already. */
function transferTo(call: Call, consult: ConsultPart, around: Surroundings): Decision {
  // The call does not end with the agent's part.
  const [playing, effects] = music({ ...call, consult, endClass: null, endReason: null });
  const ringback: Effect[] = call.agent === null ? [] : [{ do: 'ringback' }];
  return go(playing, 'consultRinging', around, [
    ...effects,
    ...ringback,
    { do: 'startTimer', timer: 'consultRing', delayMs: around.settings.consultRingTimeoutMs + 3000 },
    { do: 'originateSubcentre' },
  ]);
}

/** The switch puts the two together, which `bridged` tells. */
function refuse(call: Call, event: Referred): [Call, readonly Effect[]] {
  const moving = placed(call, event.role, 'moving');
  const after = event.by === null ? moving : placed(moving, event.by, 'moving');
  const text = `话机转接到 ${event.number} 未被接受，通话继续`;
  return [after, [answer(event, false), ...(event.by === 'agent' ? [{ do: 'notice', text } as const] : [])]];
}

export const referRows: readonly Row[] = [
  row(
    [...apart],
    'referred',
    'A number of the directory: rung as by the desk’s transfer.',
    (call, event, around) =>
      event.target.to === 'subcentre' ? transferTo(call, event.target.consult, around) : stay(call),
    { when: (call, event) => citizenByAgent(call, event) && event.target.to === 'subcentre' },
  ),
  row(
    [...apart],
    'referred',
    'The hotline itself: back to the queue, and the agent’s part is over.',
    (call, event, around) => {
      const [after, effects] = releaseAgent({ ...call, endClass: null, endReason: null }, 'talked');
      return requeue(after, around, [answer(event, true), ...hangup(call, 'agent'), ...effects]);
    },
    { when: (call, event) => citizenByAgent(call, event) && event.target.to === 'queue' },
  ),
  row(
    ['separated'],
    'referred',
    'Not a number that may be called, and the phone has gone: nobody is left to talk on with.',
    (call, _event, around) => afterAgent(stay(call), around),
    { when: (call, event) => event.role === 'citizen' && call.agent === null && call.consult === null },
  ),
  row(
    [...apart],
    'referred',
    'Not a number that may be called, or not the agent’s own phone: refused, they talk on.',
    (call, event, around) => {
      const [after, effects] = refuse(call, event);
      return go(after, 'rejoining', around, effects);
    },
  ),
  row(['rejoining'], 'bridged', 'They talk on.', (call, _event, around) =>
    go({ ...call, playId: null }, 'talking', around),
  ),
  row(['rejoining'], 'referred', 'Told again, as after a broken link: whoever waits still is refused.', (call, event) =>
    stay(...refuse(call, event)),
  ),
  row(
    ['rejoining'],
    'agentEnded',
    'The phone went without waiting for its answer, and the switch may not say what it did: the citizen is parked anew.',
    (call, _event, around) => {
      const [after, effects] = releaseAgent(because(call, 'success', 'agent-hung-up'), 'talked');
      return go(placed(after, 'citizen', 'moving'), 'separated', around, [
        ...effects,
        { do: 'park', role: 'citizen', both: false },
      ]);
    },
  ),
  row(['rejoining'], 'citizenEnded', 'The citizen hung up first.', (call, event, around) =>
    endAll({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around),
  ),
  row(
    ['rejoining'],
    'timer',
    'The switch did not put them together: control does.',
    (call, _event, around) => connectAgent(placed(placed(call, 'citizen', 'parked'), 'agent', 'parked'), around),
    { timer: 'step' },
  ),
  row(['rejoining'], 'commandFailed', 'A gone leg tells its end; else the step timer decides.', 'ignore'),
  row(['rejoining'], 'hangup', 'The agent ends his part.', (call) => stay(call, hangup(call, 'agent'))),
  row(
    ['consulting'],
    'referred',
    'To the number that is being consulted: the agent puts the citizen through.',
    (call, _event, around) => {
      const moving = placed(placed(call, 'citizen', 'moving'), 'subcentre', 'moving');
      return go({ ...moving, playId: null }, 'transferConnecting', around, [
        { do: 'bridge', a: 'citizen', b: 'subcentre' },
      ]);
    },
    {
      when: (call, event) =>
        byAgent(call, event) && event.role === 'subcentre' && event.number === call.consult?.number,
    },
  ),
  row(['consultRinging', 'consultConnecting', 'transferConnecting'], 'referred', 'Told again.', 'ignore', {
    when: (call, event) => event.role === 'citizen' && call.consult?.referred === true,
  }),
  row(['transferConnecting'], 'referred', 'Told again: he is being put through.', 'ignore', {
    when: (call, event) => event.role === 'subcentre' && event.number === call.consult?.number,
  }),
  row(
    [...inConversation],
    'referred',
    'Whoever is sent away in any other moment, or by any other phone: refused, the two stay together.',
    (call, event) => stay(...refuse(call, event)),
  ),
  row(
    [...callStates],
    'referred',
    'Late, or told again: nobody is in a conversation that it could be about.',
    'ignore',
  ),
];
