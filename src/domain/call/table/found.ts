/**
 * After a crash or a broken link the switch may show more, or less, than was stored: legs that talk to each other
 * although their call knows nothing of it. What people hear is the truth, and the call follows.
 */
import type { Call, CallEvent, Role } from '../call.ts';
import { go, type Row, row, stay } from '../decision.ts';
import { hangup, parkAll } from '../moves.ts';

const pair = (one: Role, other: Role) => (_call: Call, event: Extract<CallEvent, { type: 'bridged' }>) =>
  (event.a === one && event.b === other) || (event.a === other && event.b === one);

export const foundRows: readonly Row[] = [
  row(
    ['consultRinging', 'consultConnecting', 'consulting'],
    'bridged',
    'The citizen was put through before it was noted; the agent is free.',
    (call, _event, around) =>
      go(subcentreAnswered(call, around.nowMs), 'withSubcentre', around, [
        { do: 'cancelTimer', timer: 'consultRing' },
        ...hangup(call, 'agent'),
      ]),
    { when: pair('citizen', 'subcentre') },
  ),
  row(
    ['consultRinging'],
    'bridged',
    'Agent and sub-centre talked before it was noted.',
    (call, _event, around) =>
      go(subcentreAnswered(call, around.nowMs), 'consulting', around, [{ do: 'cancelTimer', timer: 'consultRing' }]),
    { when: pair('agent', 'subcentre') },
  ),
  row(
    ['consultRinging'],
    'bridged',
    'The order to part them did not reach the switch: given again.',
    (call) => {
      const [parting, effects] = parkAll(call, ['citizen', 'agent']);
      return stay(parting, effects);
    },
    { when: pair('citizen', 'agent') },
  ),
  row(
    ['holding', 'held'],
    'bridged',
    'The order to part them did not reach the switch, and nobody waits for it any more: they talk.',
    (call, _event, around) =>
      go({ ...call, playId: null }, 'talking', around, [{ do: 'cancelTimer', timer: 'autoResume' }]),
    { when: pair('citizen', 'agent') },
  ),
];

function subcentreAnswered(call: Call, nowMs: number): Call {
  if (call.consult === null) return call;
  return { ...call, consult: { ...call.consult, answeredAtMs: call.consult.answeredAtMs ?? nowMs } };
}
