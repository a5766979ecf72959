import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { startBaresip } from '../../support/baresip.ts';
import { eventually, originateCommand } from '../../support/bench.ts';
import { hasOnlyTones } from '../../support/phone/hearing.ts';
import { runSipp } from '../../support/sipp/sipp.ts';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

describe('SIPp calls 12345', () => {
  it.each([
    ['udp', 'PCMA'],
    ['udp', 'PCMU'],
    ['tcp', 'PCMA'],
    ['tcp', 'PCMU'],
  ] as const)('over %s with %s, ten times', async (transport, codec) => {
    const calls = 10;
    const before = bench.esl.eventsSoFar('CHANNEL_PARK').length;
    const run = runSipp({
      ...{ server: bench.sut.trunk, number: '12345', transport, codec },
      ...{ calls, callsPerSecond: 10, withinMs: 25_000 },
    });
    const answered = (async () => {
      for (let nth = before + 1; nth <= before + calls; nth += 1) {
        const parked = await bench.esl.event('CHANNEL_PARK', {}, { nth, withinMs: 10_000 });
        const leg = parked.headers['Unique-ID'] ?? '';
        await bench.ok(`sched_del ${leg}`);
        await bench.ok(`uuid_answer ${leg}`);
      }
    })();
    await Promise.all([run, answered]);
  });
});

describe('baresip as a seat’s phone', () => {
  it.each(['udp', 'tcp'] as const)(
    'registers over %s, rings, answers, talks both ways and is hung up',
    async (transport) => {
      const user = transport === 'udp' ? '1001' : '1002';
      const softphone = await startBaresip({
        ...{ server: bench.sut.agents, domain: bench.sut.domain, user, password: bench.passwordOf(user) },
        ...{ transport, toneHz: 650 },
      });
      try {
        // Asked first, because its own words say why where it can't.
        await softphone.says(/200 OK .*binding/);
        await bench.esl.event(
          'CUSTOM',
          { 'Event-Subclass': 'sofia::register', 'from-user': user },
          { withinMs: 10_000 },
        );
        const citizen = await bench.answeredCitizen({ toneHz: 400 });
        const leg = randomUUID();
        const originated = bench.esl.bgapi(originateCommand(leg, `sofia/agents/${user}%${bench.sut.domain}`));
        await bench.parked(leg, 1, { withinMs: 10_000 });
        await originated;
        await bench.bridge(citizen.leg, leg);
        await citizen.call.hears(650);
        await pause(500);
        await bench.ok(`uuid_kill ${leg}`);
        await bench.ended(leg);
        await softphone.says('session closed');
        await eventually(async () => somewhere(await softphone.heard(), 400));
        await bench.parked(citizen.leg, 2);
      } finally {
        await softphone.stop();
      }
    },
  );
});

/** Whether the tone is alone in some 200 ms of the sound. */
function somewhere(sound: Int16Array, hz: number): boolean {
  for (let at = 0; at + 1600 <= sound.length; at += 400) {
    if (hasOnlyTones(sound.subarray(at, at + 1600), [hz])) return true;
  }
  return false;
}
