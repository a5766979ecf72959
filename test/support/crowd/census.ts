/** What is known of every call of a crowd, in the store and at the phones, so that two moments can be compared. */
import { sql } from 'kysely';
import { until } from '../until.ts';
import type { Crowd, CrowdCall } from './crowd.ts';

/** One call. What a fault may not change is here; when the last change was is not. */
export interface CensusRow {
  readonly state: string;
  /** When the citizen joined the queue first; it decides his place. */
  readonly queuedAt: string | null;
  readonly agent: string | null;
  readonly fencingToken: string | null;
  readonly supervisorPlace: string | null;
  readonly draft: string | null;
  readonly draftVersion: number | null;
  readonly orders: number;
  /** How often agents' phones have rung for it. */
  readonly rings: number;
  readonly phonesGone: readonly string[];
}
export type Census = ReadonlyMap<string, CensusRow>;

interface StoredRow {
  readonly number: string;
  readonly state: string;
  readonly queued_at: Date | null;
  readonly agent: string | null;
  readonly token: string | null;
  readonly supervisor_place: string | null;
  readonly draft: string | null;
  readonly draft_version: number | null;
  readonly orders: string;
}

async function stored(crowd: Crowd): Promise<Map<string, StoredRow>> {
  const { rows } = await sql<StoredRow>`
    select c.caller_number as number, c.state, c.queued_at, c.context->'agent'->>'extension' as agent,
           r.fencing_token::text as token, c.context->'supervisor'->>'place' as supervisor_place,
           d.body->>'content' as draft, d.version as draft_version,
           (select count(*) from work_orders w where w.call_id = c.id) as orders
      from calls c
      left join seat_reservations r on r.call_id = c.id
      left join work_order_drafts d on d.call_id = c.id
     order by c.started_at`.execute(crowd.stage.db);
  return new Map(rows.map((row) => [row.number, row]));
}

export async function takeCensus(crowd: Crowd): Promise<Census> {
  const rows = await stored(crowd);
  return new Map(
    crowd.calls.map((call) => {
      const row = rows.get(call.number);
      return [
        call.number,
        {
          state: row?.state ?? 'not stored',
          queuedAt: row?.queued_at?.toISOString() ?? null,
          agent: row?.agent ?? null,
          fencingToken: row?.token ?? null,
          supervisorPlace: row?.supervisor_place ?? null,
          draft: row?.draft ?? null,
          draftVersion: row?.draft_version ?? null,
          orders: Number(row?.orders ?? 0),
          rings: crowd.ringsOf(call.number).length,
          phonesGone: phonesGone(call),
        },
      ];
    }),
  );
}

function phonesGone(call: CrowdCall): string[] {
  const phones = {
    citizen: call.citizen,
    agent: call.agent?.call,
    subcentre: call.subcentre,
    supervisor: call.supervisor?.call,
  };
  return Object.entries(phones).flatMap(([role, phone]) => (phone?.isEnded === true ? [role] : []));
}

/** The calls that are not as they were, each in one line. */
export function differences(before: Census, after: Census): string[] {
  return [...before].flatMap(([number, row]) => {
    const now = after.get(number);
    const [was, is] = [JSON.stringify(row), JSON.stringify(now)];
    return was === is ? [] : [`${number} was ${was}, is ${is}`];
  });
}

const settledWithinMs = 20_000;

const stateInStore: Readonly<Record<CrowdCall['state'], string>> = {
  talking: 'talking',
  held: 'held',
  consulting: 'consulting',
  threeWay: 'threeWay',
  supervised: 'talking',
  wrapUp: 'ended',
  offered: 'offering',
  waiting: 'waiting',
  flow: 'flow',
};

/**
 * Waits until the store has every call in the state that it was brought into. The store is written behind the calls, so
 * what a fault is compared with must be what has arrived there, not what is on its way.
 */
export async function allInPlace(crowd: Crowd): Promise<Census> {
  let wrong: string[] = [];
  let census: Census = new Map();
  const inPlace = async (): Promise<boolean> => {
    census = await takeCensus(crowd);
    wrong = crowd.calls.flatMap(({ number, state }) => {
      const row = census.get(number);
      const right =
        row?.state === stateInStore[state] && (state !== 'supervised' || row.supervisorPlace === 'supervising');
      return right ? [] : [`${number} should be ${state}: ${JSON.stringify(row)}`];
    });
    return wrong.length === 0;
  };
  await until('every call in its state', inPlace, settledWithinMs).catch((cause: unknown) => {
    throw new Error(`not in place:\n${wrong.join('\n')}`, { cause });
  });
  return census;
}

/** Waits until every call is as it was, after control has told the store that it has taken it up. */
export async function unchangedSince(crowd: Crowd, before: Census, withinMs = settledWithinMs): Promise<void> {
  let changed: string[] = [];
  const same = async (): Promise<boolean> => {
    changed = differences(before, await takeCensus(crowd));
    return changed.length === 0;
  };
  await until('every call as it was', same, withinMs).catch((cause: unknown) => {
    throw new Error(`${changed.length} calls are not as they were:\n${changed.join('\n')}`, { cause });
  });
}
