import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { randomIds } from '../../../src/kernel/ids.ts';
import { type Baresip, startBaresip } from '../../support/baresip.ts';
import { nothingLeft, recordOf } from '../../support/hotline/calls.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { demoPassword, startHotline } from '../../support/hotline/hotline.ts';
import { hasOnlyTones } from '../../support/phone/hearing.ts';
import { runSipp } from '../../support/sipp/sipp.ts';
import { readWavFile } from '../../support/wav.ts';

/** Of two programs that are not ours: what one says the other must hear. */
const tones = { sipp: 1000, baresip: 650 } as const;

/** How many pieces of 100 ms hold the tone and nothing else. */
function piecesWith(sound: Int16Array, hz: number): number {
  let pieces = 0;
  for (let at = 0; at + 800 <= sound.length; at += 800) {
    if (hasOnlyTones(sound.subarray(at, at + 800), [hz])) pieces += 1;
  }
  return pieces;
}

/** Seed rows A01, A19, A22 (the trunk); issue 2, «the call that must work», 1, 3, 5 and 8. */
describe('SIPp dials 12345 and baresip answers as the agent’s softphone', () => {
  const hotline = startHotline();
  const file = join(tmpdir(), `yht-sipp-${randomIds.uuid()}.wav`);
  let desk: DeskClient;
  let softphone: Baresip | undefined;

  beforeAll(async () => {
    desk = await hotline.desk('1001');
  });

  afterEach(async () => {
    await softphone?.stop();
    softphone = undefined;
  });

  afterAll(() => rm(file, { force: true }));

  it.each([
    ['udp', 'PCMA', 'udp'],
    ['udp', 'PCMU', 'tcp'],
    ['tcp', 'PCMA', 'udp'],
    ['tcp', 'PCMU', 'tcp'],
  ] as const)('SIPp by %s with %s, baresip by %s', async (transport, codec, agentTransport) => {
    softphone = await startBaresip({
      server: hotline.switch.agents,
      domain: hotline.switch.domain,
      user: '1001',
      password: demoPassword,
      transport: agentTransport,
      toneHz: tones.baresip,
    });
    await softphone.says(/200 OK .*binding/);
    await desk.seatIs('with a phone', (seat) => seat.phoneRegistered);
    await desk.do({ do: 'ready' });
    const offers = () => desk.pushes.filter((push) => push.type === 'offer').length;
    const before = offers();
    const sipp = runSipp({
      ...{ server: hotline.switch.trunk, number: '12345', transport, codec },
      ...{ calls: 1, callsPerSecond: 1, withinMs: 20_000, toneHz: tones.sipp },
    });
    const talk = async () => {
      const { call: offer } = await desk.push('offer', () => offers() > before);
      expect(offer.card).toMatchObject({ number: '137****0000', callerName: 'SIPp', dialledNumber: '12345' });
      await desk.callState('talking');
      // Neither program can be asked what it hears now, so they talk for a while.
      await pause(1500);
      await desk.do({ do: 'hangup', callId: offer.callId });
      await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
      return offer.callId;
    };
    // SIPp fails the run when its call ends otherwise than by the service's BYE.
    const [callId] = await Promise.all([talk(), sipp]);
    await softphone.says('session closed');
    await expect
      .poll(async () => piecesWith((await softphone?.heard()) ?? new Int16Array(), tones.sipp), { timeout: 5000 })
      .toBeGreaterThan(5);

    const record = await recordOf(hotline, desk, callId);
    expect(record).toMatchObject({ endClass: 'success', endReason: 'agent-hung-up' });
    expect(record.legs.map((leg) => leg.role)).toEqual(['citizen', 'agent']);
    const { status, body } = await desk.api(`/api/calls/${callId}/recording`);
    expect(status).toBe(200);
    await writeFile(file, body as Buffer);
    const [left, right] = (await readWavFile(file)).channels as [Int16Array, Int16Array];
    expect(piecesWith(left, tones.sipp)).toBeGreaterThan(5);
    expect(piecesWith(right, tones.baresip)).toBeGreaterThan(5);
    await desk.do({ do: 'endWrapUp' });
    await desk.do({ do: 'signOff' });
    await nothingLeft(hotline);
  });
});
