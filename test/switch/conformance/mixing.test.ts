import { expect, it } from 'vitest';
import type { TestCall } from '../../support/phone/call.ts';
import { startBench } from '../../support/start-bench.ts';

/** Whole periods in 20 ms each, so that one frame is enough to tell them apart. */
const tones = [400, 650, 900, 1150, 1400] as const;
/** The bound for joining; leaving is held to the same. */
const changeMs = 200;

interface Party {
  readonly call: TestCall;
  readonly leg: string;
  readonly hz: number;
}

const bench = startBench();

/** The moment of a member's coming or going by the switch's own clock, as `performance.now` of this process. */
async function changeAt(action: string, room: string, leg: string): Promise<number> {
  const about = { 'Event-Subclass': 'conference::maintenance', Action: action, 'Conference-Name': room };
  const event = await bench.esl.event('CUSTOM', { ...about, 'Unique-ID': leg });
  return Number(event.headers['Event-Date-Timestamp']) / 1000 - performance.timeOrigin;
}

async function eachHearsExactlyTheOthers(parties: readonly Party[]): Promise<void> {
  await Promise.all(
    parties.map(({ call, hz }) => {
      const others = parties.map((party) => party.hz).filter((other) => other !== hz);
      return others.length === 0 ? call.hearsNothing() : call.hearsOnly(others);
    }),
  );
}

async function join(room: string, parties: readonly Party[], newcomer: Party): Promise<void> {
  await bench.ok(`uuid_transfer ${newcomer.leg} conf-${room} XML yihaotong`);
  const joinedAt = await changeAt('add-member', room, newcomer.leg);
  await eachHearsExactlyTheOthers([...parties, newcomer]);
  for (const party of parties) {
    const [heard = Number.POSITIVE_INFINITY] = party.call.parts.media.arrivalsOf(newcomer.hz, 0);
    expect(heard - joinedAt).toBeLessThan(changeMs);
    const [hears = Number.POSITIVE_INFINITY] = newcomer.call.parts.media.arrivalsOf(party.hz, 0);
    expect(hears - joinedAt).toBeLessThan(changeMs);
  }
}

async function leave(room: string, stay: readonly Party[], leaver: Party): Promise<void> {
  await bench.ok(`uuid_transfer ${leaver.leg} parked XML yihaotong`);
  const leftAt = await changeAt('del-member', room, leaver.leg);
  await eachHearsExactlyTheOthers(stay);
  await leaver.call.hearsNothing();
  for (const { call } of stay) {
    expect((call.parts.media.arrivalsOf(leaver.hz, 0).at(-1) ?? 0) - leftAt).toBeLessThan(changeMs);
  }
}

it.each([2, 3, 5])(
  '%i parties hear exactly the others, soon after joining, and not after leaving',
  async (count) => {
    const room = `of${count}`;
    const citizen = await bench.answeredCitizen({ toneHz: tones[0] });
    const all: Party[] = [{ call: citizen.call, leg: citizen.leg, hz: tones[0] }];
    for (const [at, hz] of tones.slice(1, count).entries()) {
      const callee = await bench.answeredAgent(`100${at + 1}`, { toneHz: hz });
      all.push({ call: callee.call, leg: callee.leg, hz });
    }
    for (const [at, party] of all.entries()) await join(room, all.slice(0, at), party);
    for (let last = all.length - 1; last > 0; last -= 1) {
      const leaver = all[last];
      if (leaver !== undefined) await leave(room, all.slice(0, last), leaver);
    }
  },
  30_000,
);
