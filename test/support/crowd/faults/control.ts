/** Control dies by `kill -9` under a crowd of calls: it comes back at once, or stays dead for a while. */
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { until } from '../../until.ts';
import { allInPlace, unchangedSince } from '../census.ts';
import { type Crowd, draftOf } from '../crowd.ts';
import { each } from '../each.ts';
import { promptTones } from '../stage.ts';
import { newCaller } from '../strangers.ts';
import { watchTalks } from '../talks.ts';
import { type Figures, heardThroughout } from './figures.ts';

const answerMs = 15_000;

/** A new citizen is answered by control itself: he hears the flow. */
async function newCallerIsGreeted(crowd: Crowd): Promise<void> {
  const phone = await crowd.citizen(newCaller().number);
  const call = await phone.call('12345');
  await call.answered({ withinMs: answerMs });
  await call.hears(promptTones['greeting-menu'], { withinMs: answerMs });
  await call.hangup();
}

/** Every agent's desk shows the call that he has, and what he had typed. */
export async function desksShow(crowd: Crowd): Promise<void> {
  for (const call of crowd.attended) {
    await call.agent?.seat.desk.push(
      'snapshot',
      (push) => push.call?.callId === call.callId && push.draft?.body.content === draftOf(call).content,
    );
  }
}

/**
 * Control is killed, and started again at once, as a service manager does. Times count from the start of its process:
 * until it says that it is ready, until a new caller hears the flow, until all desks show their calls again.
 */
export async function killControl(crowd: Crowd): Promise<Figures> {
  const before = await allInPlace(crowd);
  const talks = watchTalks(crowd);
  await crowd.stage.service.kill();
  const startedAtMs = performance.now();
  const since = (): number => performance.now() - startedAtMs;
  const readyMs = await crowd.stage.service.start();
  const greeted = newCallerIsGreeted(crowd).then(since);
  const desks = crowd.reopenDesks().then(since);
  const [greetedMs, desksMs] = await Promise.all([greeted, desks]);
  await unchangedSince(crowd, before);
  await desksShow(crowd);
  return { readyMs, greetedMs, desksMs, gapMs: heardThroughout(talks.end()) };
}

/**
 * Control is killed and stays dead while new citizens call: the dialplan answers each, and when control is back each is
 * on the call-back list, once, with a recording.
 */
export async function newCallsWithoutControl(crowd: Crowd, count: number): Promise<Figures> {
  const before = await allInPlace(crowd);
  const talks = watchTalks(crowd);
  await crowd.stage.service.kill();
  const callers = Array.from({ length: count }, () => newCaller().number);
  const answered: number[] = [];
  await each(callers, count, async (number) => {
    const phone = await crowd.citizen(number);
    const startedAtMs = performance.now();
    const call = await phone.call('12345');
    await call.answered({ withinMs: answerMs });
    answered.push(performance.now() - startedAtMs);
    await call.hearsSomething();
    // What is shorter than about a second may leave no recording (docs/switch-contract.md).
    await pause(1_500);
    await call.hangup();
  });
  const startedAtMs = performance.now();
  await crowd.stage.service.start();
  await crowd.reopenDesks();
  await until('everybody who called on the call-back list', async () => {
    const { rows } = await sql<{ n: string; files: string }>`
      select count(*) as n, count(recording_path) as files from callbacks
       where caller_number in (${sql.join(callers)}) and dialled_number = '12345' group by caller_number`.execute(
      crowd.stage.db,
    );
    return rows.length === count && rows.every(({ n, files }) => n === '1' && files === '1');
  });
  const listedMs = performance.now() - startedAtMs;
  await unchangedSince(crowd, before);
  return { answeredMs: Math.max(...answered), listedMs, gapMs: heardThroughout(talks.end()) };
}
