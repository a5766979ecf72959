import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { TestCall } from '../../support/phone/call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';
import { putTogether } from '../../support/phone/refer.ts';

/** docs/adr/0025, the rows about control's death. */
describe('control is killed while an agent consults on a second line of his phone', () => {
  const hotline = startHotline({ ownProcess: true });
  let agent: { desk: DeskClient; phone: TestPhone };
  let subcentre: TestPhone;
  let current: Talk;
  let line: TestCall;
  let third: TestCall;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
    subcentre = await hotline.subcentre({ toneHz: tones.subcentre });
  });

  async function consultAndDeath(): Promise<void> {
    current = await talk(hotline, agent);
    await current.agent.hold();
    line = await agent.phone.call('12366');
    const ringing = await subcentre.nextInvite();
    ringing.answer();
    third = ringing;
    await agent.desk.callState('consulting');
    await third.hearsOnly([tones.agent]);
    await hotline.process.kill();
    await line.hearsOnly([tones.subcentre]);
  }

  afterEach(() => finish(current, agent.desk));

  it('and comes back: he goes back to the citizen by hanging the second line up', async () => {
    await consultAndDeath();
    await hotline.process.start();
    await agent.desk.open();
    expect(agent.desk.call).toMatchObject({ callId: current.callId, state: 'consulting' });
    await third.hearsOnly([tones.agent]);
    await line.hangup();
    await third.ended();
    await current.agent.resume();
    await agent.desk.callState('talking');
    await current.citizen.hearsOnly([tones.agent]);
    await current.agent.hearsOnly([tones.citizen]);
  });

  it('and his phone puts the citizen through in that time: the next control does', async () => {
    await consultAndDeath();
    expect(await putTogether(current.agent, line)).toBe('SIP/2.0 200 OK');
    await current.agent.ended();
    await hotline.process.start();
    await current.citizen.hearsOnly([tones.subcentre]);
    await third.hearsOnly([tones.citizen]);
    await agent.desk.open();
    await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await current.citizen.hangup();
    await third.ended();
  });
});
