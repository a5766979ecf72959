/** PostgreSQL is killed under a crowd of calls and stays away for a while. */
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { until } from '../../until.ts';
import { allInPlace, type Census, type CensusRow, unchangedSince } from '../census.ts';
import { type Crowd, type CrowdCall, draftOf } from '../crowd.ts';
import { endTalk, firstWaiting, serveNext, takeNext } from '../serve.ts';
import { newCaller } from '../strangers.ts';
import { watchTalks } from '../talks.ts';
import { type Figures, heardThroughout } from './figures.ts';

/** A backlog of 50 000 lines, the writer's limit, is below it. */
const storedWithinMs = 30_000;
const spoolLimitBytes = 64 * 1024 * 1024;

/**
 * While PostgreSQL is away a talk ends, its agent serves two who wait, one of whom talks on, a new citizen calls and waits,
 * and saving says that it can't be promised. When it is back, everything that happened is stored, once.
 */
export async function killPostgres(crowd: Crowd, absentMs: number): Promise<Figures> {
  const { stage } = crowd;
  const [writer, ...others] = crowd.in('talking');
  const ending = others.at(-1);
  if (writer === undefined || ending?.agent === undefined) throw new Error('too few talk');
  const changing = [ending, ...crowd.in('waiting').slice(0, 2)];
  const before = new Map(await allInPlace(crowd));
  for (const { number } of changing) before.delete(number);
  crowd.forget(ending);
  const talks = watchTalks(crowd);
  await stage.postgres.kill();
  const goneAtMs = performance.now();
  await savingIsRefused(writer, before);
  const { seat } = ending.agent;
  await endTalk(crowd, ending);
  const served = firstWaiting(crowd);
  await serveNext(crowd, seat);
  const kept = await takeNext(crowd, seat);
  const newcomer = await crowd.bring({ ...newCaller(), state: 'waiting' });
  const workedMs = performance.now() - goneAtMs;
  await newcomer.citizen.hangup();
  crowd.forget(newcomer);
  const spool = join(stage.dataFolder, 'call-records.spool');
  await until('the spool', () => isThere(spool));
  const spoolBytes = (await stat(spool)).size;
  if (spoolBytes > spoolLimitBytes) throw new Error(`the spool has grown to ${spoolBytes} bytes`);
  await pause(Math.max(0, absentMs - (performance.now() - goneAtMs)));
  await stage.postgres.startAgain();
  const backAtMs = performance.now();
  await allStored(crowd, [ending, served, newcomer]);
  const storedMs = performance.now() - backAtMs;
  await until('the end of the spool', async () => !(await isThere(spool)));
  await seatsAreHeldBy(crowd, before);
  await savingWorksAgain(writer, before);
  await unchangedSince(crowd, before);
  const gapMs = heardThroughout(talks.end());
  await seat.desk.do({ do: 'saveDraft', callId: kept.callId ?? '', baseVersion: 0, body: draftOf(kept) });
  // Others wait in the places of the two who were served.
  for (let count = 0; count < 2; count += 1) await crowd.bring({ ...newCaller(), state: 'waiting' });
  return { absentMs: backAtMs - goneAtMs, workedMs, storedMs, spoolBytes, gapMs };
}

/** No seat stays reserved for a call that is over. */
async function seatsAreHeldBy(crowd: Crowd, census: ReadonlyMap<string, CensusRow>): Promise<void> {
  const held = new Set([...census.values()].flatMap(({ fencingToken }) => fencingToken ?? []));
  await until('the release of the seats that were given back', async () => {
    const { rows } = await sql<{ token: string }>`select fencing_token::text as token from seat_reservations`.execute(
      crowd.stage.db,
    );
    return rows.length === held.size && rows.every(({ token }) => held.has(token));
  });
}

async function savingIsRefused(call: CrowdCall, census: Census): Promise<void> {
  const { callId, agent } = call;
  if (callId === undefined || agent === undefined) throw new Error(`${call.number} has no agent`);
  const body = { ...draftOf(call), content: '数据库中断时补充' };
  const baseVersion = census.get(call.number)?.draftVersion ?? 0;
  for (const request of ['saveDraft', 'saveOrder'] as const) {
    const reply = await agent.seat.desk.request({ do: request, callId, baseVersion, body });
    if (reply.ok || reply.code !== 'store-unavailable') {
      throw new Error(`${request} without PostgreSQL said ${JSON.stringify(reply)}`);
    }
  }
}

/** On the version that the page saw last: what was refused has not been stored behind its back. */
async function savingWorksAgain(call: CrowdCall, census: Map<string, CensusRow>): Promise<void> {
  const { callId, agent, number } = call;
  if (callId === undefined || agent === undefined) throw new Error(`${number} has no agent`);
  const row = census.get(number);
  const version = row?.draftVersion ?? 0;
  await agent.seat.desk.do({ do: 'saveDraft', callId, baseVersion: version, body: draftOf(call) });
  if (row !== undefined) census.set(number, { ...row, draftVersion: version + 1 });
}

/** Waits until both calls have ended in the store, and no call's journal has a hole or a line twice. */
async function allStored(crowd: Crowd, calls: readonly CrowdCall[]): Promise<void> {
  const numbers = calls.map(({ number }) => number);
  let missing: string[] = [];
  const complete = async (): Promise<boolean> => {
    const { rows } = await sql<{ what: string }>`
      select 'the end of ' || caller_number as what from calls
       where ended_at is null and caller_number in (${sql.join(numbers)})
      union all
      select 'lines of ' || c.caller_number || ': has ' || string_agg(position || ' ' || event, ', ' order by position)
        from call_journal j join calls c on c.id = j.call_id
       group by c.id having count(*) <> max(position) + 1
      union all
      select 'the call of ' || number from unnest(array[${sql.join(numbers)}]) as number
       where not exists (select from calls where caller_number = number)`.execute(crowd.stage.db);
    missing = rows.map(({ what }) => what);
    return missing.length === 0;
  };
  await until('all records in the store', complete, storedWithinMs).catch((cause: unknown) => {
    throw new Error(`not in the store:\n${missing.join('\n')}`, { cause });
  });
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
