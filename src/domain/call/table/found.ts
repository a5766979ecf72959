/**
 * After a crash or a broken link the switch may show more, or less, than was stored: legs that talk to each other
 * although their call knows nothing of it. What people hear is the truth, and the call follows.
 */
import type { Call, CallEvent, Role } from '../call.ts';
import { go, type Row, row, stay } from '../decision.ts';
import { bridgeWhenParked, hangup, parkAll, placed, placeOf, presentRoles } from '../moves.ts';

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
    // One that has not answered can be heard all the same: the agent hears how it rings.
    { when: (call, event) => call.consult?.answeredAtMs !== null && pair('agent', 'subcentre')(call, event) },
  ),
  row(
    ['consultRinging', 'consultConnecting', 'transferConnecting'],
    'bridged',
    'The order to part them did not reach the switch: given again.',
    (call) => {
      const [parting, effects] = parkAll(call, ['citizen', 'agent']);
      return stay(parting, effects);
    },
    { when: pair('citizen', 'agent') },
  ),
  row(
    ['transferConnecting'],
    'bridged',
    'The order to put the citizen through did not reach the switch: given again.',
    (call) => stay(call, [{ do: 'bridge', a: 'citizen', b: 'subcentre' }]),
    { when: pair('agent', 'subcentre') },
  ),
  row(
    ['holding', 'held'],
    'bridged',
    'The order to part them did not reach the switch, and nobody waits for it any more: they talk.',
    (call, _event, around) =>
      go({ ...call, playId: null }, 'talking', around, [{ do: 'cancelTimer', timer: 'autoResume' }]),
    { when: pair('citizen', 'agent') },
  ),
  row(
    ['consulting'],
    'bridged',
    'The consultation was ended before it was noted: the two talk again, and the sub-centre is not wanted any more.',
    (call, _event, around) => go({ ...call, playId: null }, 'talking', around, hangup(call, 'subcentre')),
    { when: pair('citizen', 'agent') },
  ),
  row(
    ['holding', 'held'],
    'joined',
    'The same for two who are in a conference.',
    (call, _event, around) =>
      go({ ...call, playId: null }, 'talking', around, [{ do: 'cancelTimer', timer: 'autoResume' }]),
    { when: (call) => call.citizenPlace === 'conference' && call.agent?.place === 'conference' },
  ),
  row(
    ['consultRinging', 'consultConnecting', 'transferConnecting'],
    'joined',
    'The order to take this one out of the conference did not reach the switch: given again.',
    (call, event) => {
      const [parting, effects] = parkAll(call, [event.role]);
      return stay(parting, effects);
    },
  ),

  row(
    ['flow', 'waiting', 'offering'],
    'joined',
    'He is in a conference of which nothing was stored, and whose others are let go: back to where he waits.',
    (call) => {
      const [parting, effects] = parkAll(call, ['citizen']);
      return stay(parting, effects);
    },
    { when: (_call, event) => event.role === 'citizen' },
  ),

  ...(['citizenParked', 'subcentreParked'] as const).map((parked) =>
    row(
      ['withSubcentre'],
      parked,
      'Both are parked and neither has gone: an order that came late has parted them. Together again.',
      (call, _event, around) => {
        const [bridging, effects] = bridgeWhenParked(call, 'citizen', 'subcentre');
        return go(bridging, 'transferConnecting', around, effects);
      },
      { when: (call) => call.citizenPlace === 'parked' && call.consult?.place === 'parked' },
    ),
  ),
  ...(['agentParked', 'subcentreParked'] as const).map((parked) =>
    row(
      ['consulting', 'agentWithSubcentre'],
      parked,
      'Both are parked and neither has gone: an order that came late has parted them. Together again.',
      (call, _event, around) => {
        const [bridging, effects] = bridgeWhenParked(call, 'agent', 'subcentre');
        return call.state === 'consulting'
          ? go(bridging, 'consultConnecting', around, effects)
          : stay(bridging, effects);
      },
      { when: (call) => call.agent?.place === 'parked' && call.consult?.place === 'parked' },
    ),
  ),
  ...(['citizen', 'agent', 'subcentre'] as const).map((role) =>
    row(
      ['talking', 'withSubcentre', 'agentWithSubcentre'],
      `${role}Parked`,
      'Two who are left of a conference, and one of them was taken out by an order that came late. In again.',
      (call) => stay(placed(call, role, 'moving'), [{ do: 'join', role, both: false }]),
      { when: (call) => presentRoles(call).some((other) => other !== role && placeOf(call, other) === 'conference') },
    ),
  ),
  ...(['citizen', 'agent', 'subcentre'] as const).map((role) =>
    row(
      ['threeWay'],
      `${role}Parked`,
      'Who hangs up is not parked first: an order that came late has taken this one out. In again.',
      (call) => stay(placed(call, role, 'moving'), [{ do: 'join', role, both: false }]),
    ),
  ),
];

function subcentreAnswered(call: Call, nowMs: number): Call {
  if (call.consult === null) return call;
  return { ...call, consult: { ...call.consult, answeredAtMs: call.consult.answeredAtMs ?? nowMs } };
}
