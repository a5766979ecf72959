/**
 * A supervisor at the agent's leg: rung, listening, whispering, barging, gone. He is beside the conversation: whatever
 * its state is, these rows are the same, and nothing that becomes of him touches citizen or agent.
 */
import { type Call, type CallState, callStates, type Effect, type SupervisorPart } from '../call.ts';
import { type Decision, type Row, row, type Surroundings, stay } from '../decision.ts';
import { endingOfCause } from '../ending.ts';

/** States with an agent who has answered and stays. */
const withAgent: readonly CallState[] = [
  ...(['connecting', 'talking', 'holding', 'held'] as const),
  ...(['consultRinging', 'consultConnecting', 'consulting', 'joining', 'threeWay', 'agentWithSubcentre'] as const),
  'rejoining',
];

const anywhere = callStates;
const cancelTimer: Effect = { do: 'cancelTimer', timer: 'supervise' };

const failureTexts: Readonly<Record<string, string>> = {
  busy: '您的话机忙，未能开始监听',
  rejected: '您的话机拒接，未能开始监听',
  'no-answer': '您的话机无人应答，未能开始监听',
  'phone-not-registered': '您的话机未上线，未能开始监听',
};
const failedText = '未能开始监听，请重试';
const brokenText = '监听已中断';

const isDialled = (part: SupervisorPart) => part.place === 'dialling' || part.place === 'ringing';

function withPart(call: Call, change: Partial<SupervisorPart>): Call {
  return call.supervisor === null ? call : { ...call, supervisor: { ...call.supervisor, ...change } };
}

/** To the agent's leg in the mode that is wanted; the switch tells when he is there. */
function goThere(call: Call, effects: readonly Effect[] = []): Decision {
  return stay(withPart(call, { place: 'moving' }), [...effects, { do: 'supervise' }]);
}

function startTimer(around: Surroundings): Effect {
  return { do: 'startTimer', timer: 'supervise', delayMs: around.settings.stepTimeoutMs };
}

/** His leg is hung up and nothing more is expected of it. */
function letGo(call: Call, text?: string): Decision {
  const { supervisor } = call;
  if (supervisor === null) return stay(call);
  return stay({ ...call, supervisor: null }, [
    cancelTimer,
    { do: 'hangup', leg: supervisor.leg, cause: 'NORMAL_CLEARING' },
    ...(text === undefined ? [] : [{ do: 'notice', text, to: supervisor.personId } as const]),
  ]);
}

const isHis = (call: Call, event: { readonly personId: string }) => call.supervisor?.personId === event.personId;

export const superviseRows: readonly Row[] = [
  row(
    withAgent,
    'supervise',
    'His phone is rung; citizen and agent notice nothing.',
    (call, event, around) =>
      stay({ ...call, supervisor: event.supervisor }, [
        { do: 'originateSupervisor' },
        { do: 'startTimer', timer: 'supervise', delayMs: around.settings.ringTimeoutMs + 3000 },
      ]),
    {
      when: (call, event) =>
        call.supervisor === null &&
        call.agent !== null &&
        call.agent.answeredAtMs !== null &&
        call.agent.leg === event.supervisor.agentLeg,
    },
  ),
  row(
    anywhere,
    'superviseMode',
    'The switch is asked at once; who is on the way gets there in the newest mode.',
    (call, event, around) => {
      const wanted = withPart(call, { mode: event.mode });
      const isThere = call.supervisor?.place === 'supervising' && call.supervisor.mode !== event.mode;
      return isThere ? goThere(wanted, [startTimer(around)]) : stay(wanted);
    },
    { when: isHis },
  ),
  row(anywhere, 'superviseLeave', 'He leaves; the others notice nothing.', (call) => letGo(call), { when: isHis }),
  row(anywhere, 'supervisorRinging', 'Shown on his desk.', (call) => stay(call)),
  row(
    anywhere,
    'supervisorParked',
    'He is no longer at the leg: the agent’s end is about to be told, else the timer decides.',
    (call, _event, around) => stay(withPart(call, { place: 'parked' }), [startTimer(around)]),
    { when: (call) => call.supervisor?.place === 'supervising' },
  ),
  row(anywhere, 'supervisorParked', 'Told twice; the timer runs.', 'ignore', {
    when: (call) => call.supervisor?.place === 'parked',
  }),
  row(
    anywhere,
    'supervisorParked',
    'He has answered, or was found waiting after a broken link: to the agent’s leg.',
    (call, _event, around) => goThere(call, call.supervisor?.place === 'moving' ? [] : [startTimer(around)]),
    { when: (call) => call.supervisor !== null },
  ),
  row(
    anywhere,
    'supervisorThere',
    'There, in a mode that is not wanted any more: once more. Nobody may be heard who believes that he is not.',
    (call) => goThere(call),
    { when: (call, event) => call.supervisor !== null && event.mode !== call.supervisor.mode },
  ),
  row(anywhere, 'supervisorThere', 'There.', (call) => stay(withPart(call, { place: 'supervising' }), [cancelTimer]), {
    when: (call) => call.supervisor !== null,
  }),
  row(anywhere, 'supervisorEnded', 'He has hung up, or his phone was not to be had.', (call, event) => {
    const { supervisor } = call;
    if (supervisor === null) return stay(call);
    const text = failureTexts[endingOfCause(event.end.cause).reason] ?? failedText;
    return stay({ ...call, supervisor: null }, [
      cancelTimer,
      ...(isDialled(supervisor) ? [{ do: 'notice', text, to: supervisor.personId } as const] : []),
    ]);
  }),
  row(
    anywhere,
    'timer',
    'Not answered, not told, or parted from a leg that is still there: he may begin anew.',
    (call) => letGo(call, call.supervisor !== null && isDialled(call.supervisor) ? failedText : brokenText),
    { timer: 'supervise', when: (call) => call.supervisor !== null && call.supervisor.place !== 'supervising' },
  ),
  row(anywhere, 'timer', 'He is there, or gone, by now.', 'ignore', { timer: 'supervise' }),
  row(
    anywhere,
    'commandFailed',
    'The switch refused or gave no answer: in which mode he is nobody knows, so he is let go.',
    (call) => letGo(call, failedText),
    { when: (_call, event) => event.command === 'originateSupervisor' || event.command === 'supervise' },
  ),
  row(anywhere, 'supervisorParked', 'Not ours any more.', 'ignore'),
  row(anywhere, 'supervisorThere', 'Not ours any more.', 'ignore'),
];

/**
 * What holds after every step, whichever row it was: the supervisor goes with the agent at whose leg he is, so that he is
 * never found with another one. After a return of control his place is what the switch says, within a time-out.
 */
export function followAgent(decision: Decision, restored: boolean, around: Surroundings): Decision {
  const { supervisor, agent, state } = decision.call;
  if (supervisor === null) return decision;
  const goes = agent?.leg !== supervisor.agentLeg || state === 'ending' || state === 'ended';
  if (!goes && !restored) return decision;
  const next = goes ? letGo(decision.call) : stay(withPart(decision.call, { place: 'moving' }), [startTimer(around)]);
  return { call: next.call, effects: [...decision.effects, ...next.effects] };
}
