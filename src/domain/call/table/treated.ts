/**
 * Nobody put the citizen's way out off in time (control was frozen, or cut off from the switch), so the dialplan treats
 * him: a message, a recording. Control lives all the same, and takes him back to where he waited.
 */
import { type CallState, callStates } from '../call.ts';
import { type Row, row, stay } from '../decision.ts';
import { placed } from '../moves.ts';

const over: readonly CallState[] = ['agentWithSubcentre', 'ending', 'ended'];
const live = callStates.filter((state) => !over.includes(state));
const onTheWay = ['connecting', 'transferConnecting', 'joining', 'rejoining'] as const;

export const treatedRows: readonly Row[] = [
  row(
    [...onTheWay],
    'citizenTreated',
    'It went off in the very moment in which he was sent to somebody: that takes him out of it, else the step timer does.',
    'ignore',
    { when: (call, event) => call.citizenPlace === 'moving' && !event.found },
  ),
  row(
    live,
    'citizenTreated',
    'Parked again, he is told of as after any other way there: music, the flow, or together again.',
    (call) => stay(placed(call, 'citizen', 'moving'), [{ do: 'park', role: 'citizen', both: false }]),
  ),
  row([...over], 'citizenTreated', 'He is being hung up, or has gone.', 'ignore'),
];
