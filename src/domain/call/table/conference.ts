/** All three on their way into one conference. Whoever goes or gets lost on the way, those who are left meet in it. */
import type { Call, CallState, Effect } from '../call.ts';
import { type Decision, go, type Row, row, type Surroundings, stay } from '../decision.ts';
import { because, citizenEndReason, endAll, parkAll, placeOf, presentRoles, releaseAgent } from '../moves.ts';

/** What the conversation is with those who are left. */
function stateOf(call: Call): CallState {
  if (call.citizenPlace === 'gone') return 'agentWithSubcentre';
  if (call.agent === null) return 'withSubcentre';
  return call.consult === null ? 'talking' : 'threeWay';
}

/** Each of those who are not in yet by himself: the pair's way in may have ended with the other one. */
function joinTheRest(call: Call): Effect[] {
  return presentRoles(call)
    .filter((role) => placeOf(call, role) !== 'conference')
    .map((role) => ({ do: 'join', role, both: false }));
}

function onceAllAreIn(call: Call, around: Surroundings): Decision {
  return joinTheRest(call).length === 0 ? go(call, stateOf(call), around) : stay(call);
}

/** Somebody has gone: two go on together, one alone has nobody to talk to. */
function withoutOne(call: Call, around: Surroundings, effects: readonly Effect[]): Decision {
  if (presentRoles(call).length > 1) {
    const rest = joinTheRest(call);
    return rest.length > 0 ? stay(call, [...effects, ...rest]) : go(call, stateOf(call), around, effects);
  }
  if (call.citizenPlace === 'gone') return endAll(call, around, effects);
  const [parking, park] = parkAll(call, ['citizen']);
  return go(because(parking, 'success', 'agent-hung-up'), 'separated', around, [...effects, ...park]);
}

export const conferenceRows: readonly Row[] = [
  row(['joining'], 'joined', 'The conversation goes on once all are in.', (call, _event, around) =>
    onceAllAreIn(call, around),
  ),
  row(
    ['consulting'],
    'joined',
    'Control died after it had sent them in; what the switch shows of the others comes next, else the timer decides.',
    (call, _event, around) => go({ ...call, playId: null }, 'joining', around),
  ),
  row(
    ['joining'],
    'timer',
    'Somebody did not get in: asked once more, and who is in stays, so that nobody is cut off.',
    (call, _event, around) => go(call, stateOf(call), around, joinTheRest(call)),
    { timer: 'step' },
  ),
  row(['joining'], 'subcentreEnded', 'The sub-centre left on the way; the others go on.', (call, _event, around) =>
    withoutOne({ ...call, consult: null }, around, [{ do: 'notice', text: `${call.consult?.name ?? '分中心'}已退出` }]),
  ),
  row(['joining'], 'agentEnded', 'The agent left on the way; citizen and sub-centre go on.', (call, _event, around) => {
    const [after, effects] = releaseAgent(call, 'talked');
    return withoutOne(after, around, effects);
  }),
  row(['joining'], 'citizenEnded', 'The citizen left; the other two may finish their words.', (call, event, around) =>
    withoutOne({ ...citizenEndReason(call, event.end.cause), citizenPlace: 'gone' }, around, []),
  ),
];
