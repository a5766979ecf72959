/** Those who wait are served, and at the end everybody goes home. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { legsLeft } from '../hotline/hotline.ts';
import { until } from '../until.ts';
import type { Crowd, CrowdCall } from './crowd.ts';
import { each } from './each.ts';
import type { Seat } from './seat.ts';

const callsAtOnce = 20;
const stepMs = 30_000;

/** An agent whose call is over, and who still writes. */
export function freeAgent(crowd: Crowd): Seat {
  const seat = crowd.in('wrapUp')[0]?.agent?.seat;
  if (seat === undefined) throw new Error('no agent is in wrap-up');
  return seat;
}

/** The one whose turn it is. */
export function firstWaiting(crowd: Crowd): CrowdCall {
  const [first] = crowd.in('waiting');
  if (first === undefined) throw new Error('nobody waits');
  return first;
}

/** An agent becomes free: his phone must ring for the one whose turn it is, and they talk. */
export async function takeNext(crowd: Crowd, seat: Seat): Promise<CrowdCall> {
  const call = firstWaiting(crowd);
  const known = crowd.rings.length;
  await seat.desk.do({ do: 'endWrapUp' });
  const ring = await crowd.watch.until('a phone for the next who waits', stepMs, () => crowd.rings[known]);
  if (ring.call.callerNumber !== call.number || ring.seat !== seat) {
    throw new Error(
      `it was the turn of ${call.number}, but ${ring.seat.person.login} rang for ${ring.call.callerNumber}`,
    );
  }
  await crowd.talk(call, ring);
  call.state = 'talking';
  return call;
}

/** A citizen who talks hangs up, and his agent is in wrap-up. The call counts no more. */
export async function endTalk(crowd: Crowd, call: CrowdCall): Promise<void> {
  crowd.forget(call);
  await call.citizen.hangup();
  await call.agent?.seat.desk.seatIs('in wrap-up', ({ status }) => status === 'wrapUp', stepMs);
}

/** The next who waits is served, and hangs up; the agent is in wrap-up again. */
export async function serveNext(crowd: Crowd, seat: Seat): Promise<void> {
  const call = await takeNext(crowd, seat);
  await endTalk(crowd, call);
}

/** All who wait are served in their order, then everybody hangs up. */
export async function sendHome(crowd: Crowd): Promise<void> {
  const seat = freeAgent(crowd);
  while (crowd.in('waiting').length > 0) await serveNext(crowd, seat);
  const live = crowd.calls.filter(({ citizen }) => !citizen.isEnded);
  await each(live, callsAtOnce, async ({ citizen, agent, state }) => {
    await citizen.hangup();
    // Two of three who talk may go on; somebody has to hang up.
    if ((state === 'threeWay' || state === 'consulting') && agent?.call.isEnded === false) await agent.call.hangup();
  });
  await nothingLeft(crowd);
}

/** No live call, no reserved seat, no leg on the switch, no recording that belongs to nobody. */
export async function nothingLeft(crowd: Crowd): Promise<void> {
  const { stage } = crowd;
  let left = '';
  const gone = async (): Promise<boolean> => {
    const { rows } = await sql<{ calls: string; seats: string; legs: string }>`
      select (select count(*) from calls where ended_at is null) as calls,
             (select count(*) from call_legs where ended_at is null) as legs,
             (select count(*) from seat_reservations) as seats`.execute(stage.db);
    left = JSON.stringify(rows[0]);
    return left === '{"calls":"0","legs":"0","seats":"0"}';
  };
  await until('nothing left', gone).catch((cause: unknown) => {
    throw new Error(`left over in the store: ${left}`, { cause });
  });
  const legs = await legsLeft(stage.switch);
  if (legs !== '') throw new Error(`legs left over on the switch:\n${legs}`);
  const stray = await strayRecordings(crowd);
  if (stray.length > 0) throw new Error(`recordings that belong to nobody:\n${stray.join('\n')}`);
}

/** Files of no call and of no message, calls without their file, and files that hold nothing. */
async function strayRecordings({ stage }: Crowd): Promise<string[]> {
  const { rows } = await sql<{ path: string }>`
    select recording_path as path from calls where recording_path is not null
    union select recording_path from callbacks where recording_path is not null`.execute(stage.db);
  const known = new Set(rows.map(({ path }) => path));
  const entries = await readdir(stage.switch.recordingsFolder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const empty: string[] = [];
  for (const file of files) if ((await stat(file)).size <= 44) empty.push(`${file} is empty`);
  return [
    ...files.filter((file) => !known.has(file)),
    ...[...known].filter((path) => !files.includes(path)).map((path) => `${path} is missing`),
    ...empty,
  ];
}
