import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startBaresip } from '../../support/baresip.ts';
import { originateCommand } from '../../support/bench.ts';
import { hasTone } from '../../support/phone/hearing.ts';
import { startBench } from '../../support/start-bench.ts';
import { switchKind } from '../../support/switch.ts';
import { readWavFile } from '../../support/wav.ts';

const bench = startBench();

/** What FreeSWITCH must be told when it shall offer SRTP to a phone that it rings. */
const secure = { rtp_secure_media: 'mandatory' };

/** Issue 3, section 1 (media: SRTP on FreeSWITCH). */
describe.runIf(switchKind === 'freeswitch')('SRTP (needs FreeSWITCH)', () => {
  it('is spoken with a caller who offers it, and the other party speaks plain', async () => {
    const citizen = await bench.answeredCitizen({ srtp: true, toneHz: 400 });
    expect(citizen.call.responses.at(-1)?.body).toMatch(/^m=audio \d+ RTP\/SAVP /m);
    const agent = await bench.answeredAgent('1001', { toneHz: 700 });
    await bench.bridge(citizen.leg, agent.leg);
    await Promise.all([citizen.call.hearsOnly([700]), agent.call.hearsOnly([400])]);
    expect(await bench.esl.api(`uuid_getvar ${citizen.leg} rtp_has_crypto`)).toContain('AES_CM_128_HMAC_SHA1_80');
  });

  it('is spoken with a phone that is rung with it, through a hold, and its keys are told', async () => {
    const phone = await bench.agent('1001', { srtp: true, toneHz: 700 });
    const agent = await bench.ringsAgent(phone, '1001', secure);
    expect(agent.call.invite.body).toMatch(/^m=audio \d+ RTP\/SAVP /m);
    agent.call.answer();
    await bench.parked(agent.leg);
    const citizen = await bench.answeredCitizen({ toneHz: 400 });
    await bench.bridge(citizen.leg, agent.leg);
    await Promise.all([citizen.call.hearsOnly([700]), agent.call.hearsOnly([400])]);
    await agent.call.hold();
    await bench.esl.event('CHANNEL_HOLD', { 'Unique-ID': agent.leg });
    await agent.call.resume();
    await citizen.call.hearsOnly([700]);
    await agent.call.sendDigit('5');
    await bench.esl.event('DTMF', { 'Unique-ID': agent.leg, 'DTMF-Digit': '5' });
  });

  it('is recorded in plain', async () => {
    const citizen = await bench.answeredCitizen({ srtp: true, toneHz: 400 });
    const file = join(bench.sut.recordingsFolder, 'secure.wav');
    await bench.ok(`uuid_record ${citizen.leg} start ${file}`);
    await pause(1000);
    await bench.ok(`uuid_record ${citizen.leg} stop ${file}`);
    await bench.esl.event('RECORD_STOP', { 'Record-File-Path': file });
    const [said] = (await readWavFile(file)).channels;
    expect(said && hasTone(said.subarray(2400, 5600), 400)).toBe(true);
  });

  it('is offered to nobody unasked, and a phone that insists refuses the plain offer', async () => {
    const phone = await bench.agent('1002');
    const plain = await bench.ringsAgent(phone, '1002');
    expect(plain.call.invite.body).toMatch(/^m=audio \d+ RTP\/AVP /m);
    expect(plain.call.invite.body).not.toContain('a=crypto');
    plain.call.reject(488);
    expect(await plain.originated).toBe('-ERR INCOMPATIBLE_DESTINATION');
  });

  it('is spoken with baresip, which insists on it', async () => {
    const softphone = await startBaresip({
      ...{ server: bench.sut.agents, domain: bench.sut.domain, user: '1003', password: bench.passwordOf('1003') },
      ...{ transport: 'udp', toneHz: 650, srtp: true },
    });
    try {
      await softphone.says(/200 OK .*binding/);
      const citizen = await bench.answeredCitizen({ toneHz: 400 });
      const leg = randomUUID();
      const dial = `sofia/agents/1003%${bench.sut.domain}`;
      const originated = bench.esl.bgapi(originateCommand(leg, dial, secure));
      await bench.parked(leg, 1, { withinMs: 10_000 });
      expect(await originated).toBe(`+OK ${leg}`);
      await bench.bridge(citizen.leg, leg);
      await citizen.call.hears(650);
      await bench.ok(`uuid_kill ${leg}`);
      await softphone.says('session closed');
    } finally {
      await softphone.stop();
    }
  });
});
