import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Citizen } from '../../support/bench.ts';
import type { TestCall } from '../../support/phone/call.ts';
import { header, type SipMessage } from '../../support/phone/sip-message.ts';
import { startBench } from '../../support/start-bench.ts';
import { switchKind } from '../../support/switch.ts';

/** FreeSWITCH takes no interval below the RFC's 90 s, so there these rows take their time. */
const minimumS = switchKind === 'embedded' ? 2 : 90;
const intervalMs = minimumS * 1000;
const testMs = intervalMs * 2 + 20_000;

const bench = startBench({ minSessionExpiresS: minimumS });

const supported = ['Supported', 'timer'] as const;
const finalOf = (call: { readonly responses: readonly SipMessage[] }): SipMessage =>
  call.responses.find((response) => (response.status ?? 0) >= 200) ?? { headers: [], body: '' };

/** A citizen who speaks RFC 4028, answered. */
const citizenWith = (user: string, sessionExpires: string): Promise<Citizen> =>
  bench.answeredCitizen({ user, headers: [supported, ['Session-Expires', sessionExpires]] });

/** The re-INVITEs that the switch has sent in this call. */
const refreshes = (call: TestCall): SipMessage[] => call.requests.filter((request) => request.method === 'INVITE');

describe('what is agreed (RFC 4028 sections 7 to 9)', () => {
  it('too short an interval gets 422 with Min-SE, and the caller who takes that is served', async () => {
    const phone = await bench.phone('trunk', { user: '13800000001' });
    const refused = await phone.call('12345', { headers: [supported, ['Session-Expires', '1']] });
    expect((await refused.ended()).sipStatus).toBe(422);
    const minSe = header(finalOf(refused), 'Min-SE');
    expect(Number(minSe)).toBe(minimumS);

    const served = await citizenWith('13800000002', minSe);
    expect(header(finalOf(served.call), 'Session-Expires')).toBe(`${minSe};refresher=uac`);
    expect(header(finalOf(served.call), 'Require')).toBe('timer');
  });

  it.each([
    ['names nobody: he refreshes', '600', '600;refresher=uac'],
    ['wants the switch to refresh: it does', '600;refresher=uas', '600;refresher=uas'],
    ['wants more than half an hour: gets that', '7200', '1800;refresher=uac'],
  ])('a caller who %s', async (_what, asked, agreed) => {
    const { call } = await citizenWith('13800000003', asked);
    expect(header(finalOf(call), 'Session-Expires')).toBe(agreed);
  });

  it('a caller who knows nothing of timers is refreshed by the switch', async () => {
    const { call } = await bench.answeredCitizen();
    expect(header(finalOf(call), 'Session-Expires')).toBe('1800;refresher=uas');
    expect(header(finalOf(call), 'Require')).toBe('');
  });

  it('a rung phone is offered half an hour', async () => {
    const phone = await bench.agent('1001');
    const { call } = await bench.ringsAgent(phone, '1001');
    expect(call.header('Session-Expires')).toBe('1800;refresher=uac');
    expect(Number(call.header('Min-SE'))).toBe(minimumS);
    expect(call.header('Supported').split(/\s*,\s*/)).toContain('timer');
    call.reject(486);
  });

  it('a rung phone that wants more (422) is rung again with what it wants', async () => {
    const phone = await bench.agent('1001');
    const first = await bench.ringsAgent(phone, '1001');
    first.call.reject(422, [['Min-SE', '3600']]);
    const second = await phone.nextInvite();
    expect(second.header('Session-Expires')).toBe('3600;refresher=uac');
    expect(Number(second.header('Min-SE'))).toBe(3600);
    expect(second.callId).toBe(first.call.callId);
    second.answer([['Session-Expires', '3600;refresher=uac'], supported]);
    expect(await first.originated).toContain('+OK');
  });
});

/** A refresh as the phone says it. */
const refreshHeaders = [supported, ['Session-Expires', `${minimumS};refresher=uac`]] as const;

describe('keeping it alive, and letting it end (RFC 4028 section 10)', () => {
  it(
    'whoever is to refresh does, and who does not is let go',
    async () => {
      const [ours, reinviter, updater, silent, lost] = await Promise.all([
        citizenWith('13800000011', `${minimumS};refresher=uas`),
        citizenWith('13800000012', `${minimumS};refresher=uac`),
        citizenWith('13800000013', `${minimumS};refresher=uac`),
        citizenWith('13800000014', `${minimumS};refresher=uac`),
        citizenWith('13800000015', `${minimumS};refresher=uas`),
      ]);
      // A phone that was started anew in the middle of the call knows nothing of it.
      lost.call.forgetsDialog();
      await pause(intervalMs / 3);
      const reinvited = await reinviter.call.reinvite(reinviter.call.localSdp(), refreshHeaders);
      expect(header(reinvited, 'Session-Expires')).toBe(`${minimumS};refresher=uac`);
      const updated = await updater.call.request('UPDATE', refreshHeaders);
      expect(updated.status).toBe(200);
      expect(header(updated, 'Session-Expires')).toBe(`${minimumS};refresher=uac`);

      const refresh = await ours.call.parts.watch.until('a refresh', intervalMs, () => refreshes(ours.call)[0]);
      expect(header(refresh, 'Session-Expires')).toMatch(/;refresher=uac$/);
      expect(refresh.body).toContain('m=audio');

      const end = await silent.call.ended({ withinMs: intervalMs });
      expect(end.method).toBe('BYE');
      expect(end.reason).toMatch(/^SIP\s*;\s*cause=408\s*;\s*text="Session timeout"$/);
      const last = await bench.ended(silent.leg);
      expect(last['Hangup-Cause']).toBe('NORMAL_CLEARING');
      expect(last.variable_sip_hangup_disposition ?? 'none').toBe('none');
      const lostLast = await bench.ended(lost.leg);
      expect(lostLast['Hangup-Cause']).toBe('NORMAL_TEMPORARY_FAILURE');
      expect(lostLast.variable_sip_term_status).toBe('481');
      expect(lostLast.variable_sip_hangup_disposition).toBe('recv_refuse');
      for (const { call } of [ours, reinviter, updater]) expect(call.isEnded).toBe(false);
    },
    testMs,
  );

  it('what is said between the two goes on over a refresh', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await agent.call.request('UPDATE', [supported, ['Session-Expires', '600;refresher=uac']]);
    await agent.call.reinvite(agent.call.localSdp(), [supported, ['Session-Expires', '600;refresher=uac']]);
    await citizen.call.hearsOnly([650]);
    await agent.call.hearsOnly([400]);
  });

  it('a refresh with too short an interval gets 422, and the call goes on', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    const short = [supported, ['Session-Expires', '1']] as const;
    const answer = await agent.call.tryReinvite(agent.call.localSdp(), short);
    expect(answer.status).toBe(422);
    expect(Number(header(answer, 'Min-SE'))).toBe(minimumS);
    await citizen.call.hearsOnly([650]);
    await agent.call.hearsOnly([400]);
  });
});
