import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Bench, type Callee, type Citizen } from '../../support/bench.ts';
import { openRoughNetwork, type RoughNetwork } from '../../support/rough-network.ts';

const frameMs = 20;
const measuredMs = 4000;
/** 5 % are lost by the network; the rest of the allowance is for one that is too late to be played. */
const leastHeardShare = 0.85;
/** 40 ms of jitter, a jitter buffer, two frames, and a busy machine. */
const mostDelayMs = 400;

let bench: Bench;
let network: RoughNetwork | undefined;
beforeAll(async () => {
  bench = await Bench.open();
});
afterEach(async () => {
  await network?.close();
  network = undefined;
  await bench.settle();
});
afterAll(async () => {
  await bench.close();
});

/** Citizen (400 Hz) behind a hop that harms his packets both ways, agent (650 Hz) beside the switch. */
async function talkThrough(lossShare: number, jitterMs: number): Promise<[Citizen, Callee, RoughNetwork]> {
  const citizen = await bench.rings({ toneHz: 400 });
  const { media } = citizen.call.parts;
  const hop = await openRoughNetwork(media.port, { lossShare, jitterMs, seed: 20 });
  network = hop;
  media.passThrough(hop.via);
  await bench.ok(`sched_del ${citizen.leg}`);
  await bench.ok(`uuid_answer ${citizen.leg}`);
  await citizen.call.answered();
  const agent = await bench.answeredAgent('1001', { toneHz: 650 });
  await bench.bridge(citizen.leg, agent.leg);
  return [citizen, agent, hop];
}

it('answers a phone where its sound comes from, not where its SDP says', async () => {
  const [citizen, agent, hop] = await talkThrough(0, 0);
  await agent.call.hearsOnly([400]);
  await citizen.call.parts.watch.until('sound through the hop', 5000, () =>
    hop.counts.fromSwitch > 25 ? true : undefined,
  );
  await citizen.call.hearsOnly([650]);
  expect(hop.counts.lost).toBe(0);
});

it('keeps a talk going through 5 % loss and 40 ms jitter, without piling up delay', async () => {
  const [citizen, agent, hop] = await talkThrough(0.05, 40);
  await citizen.call.parts.watch.until('sound through the hop', 5000, () =>
    hop.counts.fromSwitch > 25 ? true : undefined,
  );
  await agent.call.hears(400);
  await citizen.call.hears(650);
  const since = performance.now();
  await pause(measuredMs);
  const lastedFrames = (performance.now() - since) / frameMs;
  expect(agent.call.parts.media.arrivalsOf(400, since).length / lastedFrames).toBeGreaterThan(leastHeardShare);
  expect(citizen.call.parts.media.arrivalsOf(650, since).length / lastedFrames).toBeGreaterThan(leastHeardShare);
  expect(hop.counts.lost).toBeGreaterThan(0);
  // What is said now is heard soon: nothing has queued up on either way.
  const spokenAt = performance.now();
  citizen.call.says(900);
  agent.call.says(1150);
  await agent.call.hears(900);
  await citizen.call.hears(1150);
  for (const [media, hz] of [
    [agent.call.parts.media, 900],
    [citizen.call.parts.media, 1150],
  ] as const) {
    const [first = Number.POSITIVE_INFINITY] = media.arrivalsOf(hz, spokenAt);
    expect(first - spokenAt).toBeLessThan(mostDelayMs);
  }
});
