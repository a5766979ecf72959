/** The switch is killed with a crowd of calls on it. */
import { sql } from 'kysely';
import { until } from '../../until.ts';
import { allInPlace, type Census, takeCensus } from '../census.ts';
import { type Crowd, draftOf } from '../crowd.ts';
import { each } from '../each.ts';
import { freeAgent } from '../serve.ts';
import { newCaller } from '../strangers.ts';
import type { Figures } from './figures.ts';

const stepMs = 30_000;
const seatsAtOnce = 20;

/**
 * All calls are over, by the network's fault; the citizens are on the call-back list, the seats are free, work orders and
 * drafts are as they were, and the next citizen is served. Times count from the moment in which the switch is back.
 */
export async function killSwitch(crowd: Crowd): Promise<Figures> {
  const { stage } = crowd;
  const before = await allInPlace(crowd);
  const live = crowd.calls.filter(({ citizen }) => !citizen.isEnded);
  await stage.switch.crash();
  await stage.switch.startAgain();
  const backAtMs = performance.now();
  await until(
    'the end of all calls',
    () =>
      allAreOwedACall(
        crowd,
        live.map(({ number }) => number),
      ),
    stepMs,
  );
  const endedMs = performance.now() - backAtMs;
  await until('free seats', async () => {
    const { rows } = await sql`select from seat_reservations`.execute(stage.db);
    return rows.length === 0;
  });
  for (const { desk } of crowd.agents) {
    await desk.seatIs('free', ({ status }) => status !== 'busy' && status !== 'reserved');
  }
  const after = await takeCensus(crowd);
  for (const [number, { draft, draftVersion, orders }] of before) {
    const kept = after.get(number);
    if (kept?.draft === draft && kept.draftVersion === draftVersion && kept.orders === orders) continue;
    throw new Error(`what was typed for ${number} was ${draft} (${orders} orders), is ${JSON.stringify(kept)}`);
  }
  await ordersCanBeSaved(crowd, before);
  await each(crowd.agents, seatsAtOnce, async ({ phone }) => phone.register({ expiresS: 3600 }));
  await nextIsServed(crowd);
  return { endedMs, servedMs: performance.now() - backAtMs };
}

/** Every one of them ended as `upstream` / `switch-died` and is on the list, once. */
async function allAreOwedACall({ stage }: Crowd, numbers: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ owed: string; others: string; live: string }>`
    select (select count(*) from callbacks b join calls c on c.id = b.call_id
             where c.end_class = 'upstream' and c.end_reason = 'switch-died' and b.reason = 'switch-died'
               and c.caller_number in (${sql.join(numbers)})) as owed,
           (select count(*) from callbacks where reason = 'switch-died'
               and caller_number not in (${sql.join(numbers)})) as others,
           (select count(*) from calls where ended_at is null) as live`.execute(stage.db);
  return rows[0]?.owed === String(numbers.length) && rows[0].others === '0' && rows[0].live === '0';
}

/** Agents who were cut off finish their work orders. */
async function ordersCanBeSaved(crowd: Crowd, census: Census): Promise<void> {
  await each(crowd.attended, seatsAtOnce, async (call) => {
    const { callId, agent } = call;
    if (callId === undefined) return;
    const baseVersion = census.get(call.number)?.draftVersion ?? 0;
    await agent?.seat.desk.do({ do: 'saveOrder', callId, baseVersion, body: draftOf(call) });
  });
}

async function nextIsServed(crowd: Crowd): Promise<void> {
  const { desk } = freeAgent(crowd);
  await desk.seatIs('with a phone', ({ phoneRegistered }) => phoneRegistered, stepMs);
  await desk.do({ do: 'endWrapUp' });
  const call = await crowd.bring({ ...newCaller(), state: 'talking' });
  await call.citizen.hangup();
  await call.agent?.call.ended();
}
