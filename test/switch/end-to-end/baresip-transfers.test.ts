import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { type Baresip, startBaresip } from '../../support/baresip.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { demoPassword, startHotline } from '../../support/hotline/hotline.ts';
import { tones } from '../../support/hotline/talking.ts';
import type { OutgoingCall } from '../../support/phone/outgoing-call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

/**
 * A softphone that is not ours as the agent's: docs/adr/0020 and 0025. The transfer of two calls (REFER with Replaces) is
 * tried with our own phone, for Debian's baresip has no key for it (second-line.test.ts).
 */
describe('an agent with baresip', () => {
  const hotline = startHotline();
  let desk: DeskClient;
  let softphone: Baresip;
  let subcentre: TestPhone;
  let citizen: OutgoingCall;
  let callId: string;

  beforeAll(async () => {
    desk = await hotline.desk('1001');
    softphone = await startBaresip({
      server: hotline.switch.agents,
      domain: hotline.switch.domain,
      ...{ user: '1001', password: demoPassword, transport: 'udp', toneHz: tones.agent },
    });
    await softphone.says(/200 OK .*binding/);
    await desk.seatIs('with a phone', (seat) => seat.phoneRegistered);
    await desk.do({ do: 'ready' });
    subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
  });
  afterAll(() => softphone.stop());
  afterEach(async () => {
    if (!citizen.isEnded) await citizen.hangup();
    await hotline.callOver(callId);
    await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await desk.do({ do: 'endWrapUp' });
  });

  async function talks(): Promise<void> {
    citizen = await (await hotline.citizen('13800001234', { toneHz: tones.citizen })).call('12345');
    await citizen.hearsOnly([tones.agent]);
    ({ callId } = await desk.callState('talking'));
  }

  const uri = (number: string): string => `sip:${number}@${hotline.switch.domain}`;

  it('sends his citizen to a sub-centre with the transfer key', async () => {
    await talks();
    await softphone.press('transfer', uri('12366'));
    const third = await subcentre.nextInvite();
    third.answer();
    await citizen.hearsOnly([tones.subcentre]);
    await third.hearsOnly([tones.citizen]);
    await citizen.hangup();
    await third.ended();
  });

  it('holds, dials the sub-centre on a second line, hangs that up, and is with his citizen again', async () => {
    await talks();
    await softphone.press('hold');
    await softphone.press('dial', uri('12366'));
    const third = await subcentre.nextInvite();
    third.answer();
    await third.hearsOnly([tones.agent]);
    await desk.callState('consulting');
    await softphone.press('hangup');
    await third.ended();
    await desk.callState('talking');
    await softphone.press('resume');
    await citizen.hearsOnly([tones.agent]);
  });
});
