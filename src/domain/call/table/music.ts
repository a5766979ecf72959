/** Whoever waits hears something, also when the switch did not play it at the first asking. */
import type { Call } from '../call.ts';
import { type Row, row, type Surroundings, stay } from '../decision.ts';
import { music } from '../moves.ts';

/** States in which a parked citizen hears music; the queue has announcements besides. */
const consulting = ['consultRinging', 'consultConnecting', 'consulting'] as const;
const onMusic = ['held', ...consulting] as const;

/** Tried again by the clock, so that failures can't loop. */
const retryMs = 4_000;

const silent = (call: Call) => call.citizenPlace === 'parked' && call.playId === null;

function playAgain(call: Call) {
  const [playing, effects] = music(call);
  return stay(playing, effects);
}

function retryLater(call: Call, _event: unknown, _around: Surroundings) {
  return stay({ ...call, playId: null }, [{ do: 'startTimer', timer: 'announce', delayMs: retryMs }]);
}

export const musicRows: readonly Row[] = [
  row(
    ['waiting', 'offering', ...onMusic],
    'commandFailed',
    'Music is tried again in a moment. A gone leg tells its end, unless its node is back that counted as lost.',
    retryLater,
    { when: (_call, event) => event.command === 'playCitizen' },
  ),
  row([...onMusic], 'timer', 'Now is that moment.', playAgain, { timer: 'announce', when: silent }),
  row(['consulting'], 'citizenParked', 'Told late, or again after a broken link: music.', playAgain),
];
