import type { DeskCall } from '../../../src/desk/protocol.ts';
import type { IncomingCall } from '../phone/incoming-call.ts';
import type { OutgoingCall } from '../phone/outgoing-call.ts';
import type { TestPhone } from '../phone/phone.ts';
import type { DeskClient } from './desk-client.ts';
import type { Hotline } from './hotline.ts';

/** The tones by which everybody is known; none is a harmonic of another. */
export const tones = { citizen: 1000, agent: 440, subcentre: 1633 } as const;

/** A tone for each prompt that a test wants to recognise; none is one of `tones`. */
export const promptTones = {
  greeting: 350,
  'recording-notice': 550,
  'greeting-menu': 650,
  'info-menu': 750,
  'no-input': 850,
  'wrong-input': 950,
  'info-policy': 1150,
  'info-hours': 1250,
  transferring: 1350,
  music: 1450,
  'queue-full-busy': 1550,
  'busy-callback': 2650,
  'all-busy-wait': 1750,
  'position-before': 1850,
  d1: 1950,
  'position-after': 2050,
  'no-agent-sorry': 2150,
  goodbye: 2250,
  'rating-ask': 2350,
  'rating-thanks': 2450,
  'rating-invalid': 2550,
} as const;

export interface Talk {
  readonly callId: string;
  readonly citizen: OutgoingCall;
  readonly agent: IncomingCall;
  readonly offer: DeskCall;
}

/** A ready agent with desk and phone. */
export async function readyAgent(hotline: Hotline, login = '1001'): Promise<{ desk: DeskClient; phone: TestPhone }> {
  const desk = await hotline.desk(login);
  const phone = await hotline.agentPhone(login, { toneHz: tones.agent });
  await desk.seatIs('with a phone', (seat) => seat.phoneRegistered);
  await desk.do({ do: 'ready' });
  return { desk, phone };
}

/** A citizen calls, this agent answers, both hear each other. */
export async function talk(
  hotline: Hotline,
  agent: { desk: DeskClient; phone: TestPhone },
  number = '13800001234',
): Promise<Talk> {
  const shown = agent.desk.pushes.filter((push) => push.type === 'offer').length;
  const phone = await hotline.citizen(number, { toneHz: tones.citizen });
  const citizen = await phone.call('12345');
  const ringing = await agent.phone.nextInvite();
  ringing.ring();
  const { call: offer } = await agent.desk.push(
    'offer',
    () => agent.desk.pushes.filter((push) => push.type === 'offer').length > shown,
  );
  ringing.answer();
  await citizen.hears(tones.agent);
  await ringing.hears(tones.citizen);
  await agent.desk.callState('talking');
  return { callId: offer.callId, citizen, agent: ringing, offer };
}

/** Hangs the citizen up and makes the agent ready again. */
export async function finish(talk: Talk, desk: DeskClient): Promise<void> {
  if (!talk.citizen.isEnded) await talk.citizen.hangup();
  await talk.agent.ended();
  await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
  await desk.do({ do: 'endWrapUp' });
}
