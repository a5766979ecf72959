import type { Desks } from '../browser.ts';
import type { Hotline } from '../hotline/hotline.ts';
import { tones } from '../hotline/talking.ts';
import type { IncomingCall } from '../phone/incoming-call.ts';
import type { OutgoingCall } from '../phone/outgoing-call.ts';
import type { TestPhone } from '../phone/phone.ts';
import type { DeskPage } from './desk-page.ts';

export interface PageAgent {
  readonly desk: DeskPage;
  readonly phone: TestPhone;
}

export interface PageTalk {
  readonly citizen: OutgoingCall;
  readonly agent: IncomingCall;
}

/** An agent whose page is open, whose phone is registered, and who takes calls. */
export async function readyAtPage(hotline: Hotline, desks: Desks, login = '1001'): Promise<PageAgent> {
  const phone = await hotline.agentPhone(login, { toneHz: tones.agent });
  const desk = await desks.signedIn(login);
  await desk.phone('good');
  await desk.ready();
  return { desk, phone };
}

/** A citizen calls, this agent's phone rings. */
export async function ringing(
  hotline: Hotline,
  agent: PageAgent,
  number = '13800001234',
  fromName?: string,
): Promise<PageTalk> {
  const phone = await hotline.citizen(number, { toneHz: tones.citizen });
  const citizen = await phone.call('12345', fromName === undefined ? {} : { fromName });
  const incoming = await agent.phone.nextInvite();
  incoming.ring();
  await agent.desk.call('ringing');
  return { citizen, agent: incoming };
}

/** A citizen calls, this agent answers, both hear each other. */
export async function talkAtPage(hotline: Hotline, agent: PageAgent, number?: string): Promise<PageTalk> {
  const talk = await ringing(hotline, agent, number);
  talk.agent.answer();
  await agent.desk.call('talking');
  await talk.citizen.hears(tones.agent);
  await talk.agent.hears(tones.citizen);
  return talk;
}

/** Ends what is left of the call and the agent's part in the test. */
export async function goHome(agent: PageAgent, talk?: PageTalk): Promise<void> {
  if (talk !== undefined && !talk.citizen.isEnded) await talk.citizen.hangup();
  if (talk !== undefined) await talk.agent.ended();
  await agent.phone.close();
}
