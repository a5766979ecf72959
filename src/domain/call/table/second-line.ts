/**
 * The agent's phone calls a sub-centre on a second line: a consultation as by the desk, in which the second line is the
 * agent's leg and the first one waits (docs/adr/0025). While both talk, the phone may put the citizen through by REFER
 * with Replaces (RFC 3891), which the switch carries out and ends the second line with.
 */
import { type Call, type CallEvent, callStates, type Effect, type LegEnd } from '../call.ts';
import { type Decision, type Row, row, type Surroundings, stay } from '../decision.ts';
import { connectAgent, hangup, legOf, parkAll } from '../moves.ts';
import { ringSubcentre } from './consult.ts';

type SecondLine = Extract<CallEvent, { type: 'secondLine' }>;

const consultingStates = ['consultRinging', 'consultConnecting', 'consulting'] as const;

/** What FreeSWITCH ends the second line with when the phone has put the two together that it talked to. */
const putThrough = (end: LegEnd): boolean => end.cause === 'ATTENDED_TRANSFER';

const hasOtherLine = (call: Call): boolean => (call.agent?.otherLine ?? null) !== null;

/** He talks with the citizen on one line, and with nobody else. */
function mayConsult(call: Call): boolean {
  const { agent, consult, citizenPlace } = call;
  const apart = (place: string): boolean => place === 'bridged' || place === 'parked';
  return consult === null && agent !== null && agent.otherLine === null && apart(agent.place) && apart(citizenPlace);
}

function consultOnLine(call: Call, event: SecondLine, around: Surroundings): Decision {
  const { agent } = call;
  if (agent === null || event.target.to !== 'subcentre') return refuse(call, event);
  const [parked, effects] = parkAll(call, ['citizen', 'agent']);
  const otherLine = { leg: agent.leg, place: parked.agent?.place ?? agent.place };
  const consult = { ...event.target.consult, mode: 'consult', referred: false } as const;
  const onSecond: Call = { ...parked, consult, agent: { ...agent, leg: event.leg, place: 'parked', otherLine } };
  return ringSubcentre(onSecond, around, [...effects, { do: 'takeLine' }]);
}

/** The phone hears that it may not (403), and the desk why. */
function refuse(call: Call, event: SecondLine): Decision {
  const text = `话机拨打 ${event.number} 未被接受，通话不受影响`;
  return stay(call, [
    { do: 'hangup', leg: event.leg, cause: 'OUTGOING_CALL_BARRED' },
    { do: 'notice', text },
  ]);
}

export const secondLineRows: readonly Row[] = [
  row(
    ['talking', 'held'],
    'secondLine',
    'A number of the directory: citizen and first line wait, the sub-centre is rung for the second one.',
    consultOnLine,
    { when: (call, event) => event.target.to === 'subcentre' && mayConsult(call) },
  ),
  row([...callStates], 'secondLine', 'Not a number that may be called, or not the moment for it: refused.', refuse),
  row(
    [...consultingStates],
    'agentEnded',
    'The phone has hung up its second line: the consultation is over, and the citizen is on the first one.',
    (call, _event, around) =>
      connectAgent({ ...call, consult: null }, around, [
        { do: 'cancelTimer', timer: 'consultRing' },
        ...hangup(call, 'subcentre'),
      ]),
    { when: (call, event) => hasOtherLine(call) && !putThrough(event.end) },
  ),
  row(
    [...consultingStates],
    'otherLineBridged',
    'The order to part them did not reach the switch, or a REFER of the first line was refused: given again.',
    (call) => stay(call, [{ do: 'park', role: 'citizen', both: true }]),
  ),
  row([...callStates], 'otherLineBridged', 'Late.', 'ignore'),
  row([...callStates], 'otherLineParked', 'It waits.', 'ignore'),
  row([...callStates], 'otherLineEnded', 'The phone has hung the first line up, or put the citizen through.', (call) =>
    stay(call.agent === null ? call : { ...call, agent: { ...call.agent, otherLine: null } }),
  ),
];

/** The legs whose phones may put citizen and sub-centre together; none but while the two on the second line talk. */
function transferable(call: Call): readonly string[] {
  if (call.state !== 'consulting' || !hasOtherLine(call)) return [];
  return (['otherLine', 'agent', 'subcentre'] as const).flatMap((part) => legOf(call, part) ?? []);
}

/**
 * What holds after every step, whichever row it was: the phone may put citizen and sub-centre together exactly while both
 * its lines are where that is right. Forbidden before anything else is done, allowed last.
 */
export function guardAttendedTransfer(before: Call, next: Decision): Decision {
  const [was, is] = [transferable(before), transferable(next.call)];
  if (was.join() === is.join()) return next;
  const forbid: Effect[] = was.length === 0 ? [] : [{ do: 'attendedTransfer', legs: was, allowed: false }];
  const allow: Effect[] = is.length === 0 ? [] : [{ do: 'attendedTransfer', legs: is, allowed: true }];
  return { call: next.call, effects: [...forbid, ...next.effects, ...allow] };
}
