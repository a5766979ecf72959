import { z } from 'zod';
import { err, ok, type Result } from '../../kernel/result.ts';
import type { LegId, LegSnapshot, Registration, SwitchFailure, SwitchSnapshot } from '../port.ts';
import { contactUri, readCaller, readDirection, readMode, readReferred, readRole } from './translate-event.ts';

/** Runs one `api` command and gives its text. */
export type RunApi = (line: string) => Promise<Result<string, SwitchFailure>>;

/** The switch's own lists, and what only the adapter wants to know. */
export interface FullSnapshot {
  readonly snapshot: SwitchSnapshot;
  /** For each leg whether an application that control started is playing on it. */
  readonly playing: ReadonlyMap<LegId, boolean>;
}

/** Lets some milliseconds pass. */
export type Wait = (ms: number) => Promise<void>;

const BETWEEN_ROUNDS_MS = 100;
const MAX_ROUNDS = 15;
/** `uuid_dump` requests on the way at the same time. */
const PARALLEL_DUMPS = 32;

/** `rows` is absent when there are none. */
const channelList = z.object({ rows: z.array(z.object({ uuid: z.string() })).default([]) });
const registrationList = z.object({
  rows: z
    .array(z.object({ reg_user: z.string(), url: z.string().default(''), expires: z.string().optional() }))
    .default([]),
});
const legDump = z.record(z.string(), z.unknown());

function readJson<T>(schema: z.ZodType<T>, text: string, what: string): Result<T, SwitchFailure> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err({ kind: 'refused', message: `${what}: not JSON: ${text.slice(0, 120)}` });
  }
  const parsed = schema.safeParse(value);
  return parsed.success
    ? ok(parsed.data)
    : err({ kind: 'refused', message: `${what}: ${z.prettifyError(parsed.error)}` });
}

/** Header names and values of one leg; absent and empty values are undefined. */
type Dump = (name: string) => string | undefined;

function reader(values: Record<string, unknown>): Dump {
  return (name) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return typeof value === 'string' && value !== '' && value !== '_undef_' ? value : undefined;
  };
}

/**
 * The leg that this one talks to. `bridge_uuid` stays behind after the bridge, so it counts only while the leg is out
 * of CS_EXECUTE, where parked legs and conference members are.
 */
function bridgedToOf(get: Dump): string | undefined {
  // A phone that waits for what becomes of its REFER is in CS_PARK.
  const state = get('Channel-State');
  if (state === 'CS_EXECUTE' || state === 'CS_PARK') return undefined;
  return get('variable_signal_bond') ?? get('variable_bridge_uuid');
}

/** The conference that a leg is in: the `conference` application is given `<name>@<profile>` and runs as long. */
function conferenceOf(get: Dump): string | undefined {
  if (get('variable_current_application') !== 'conference') return undefined;
  return get('variable_current_application_data')?.split('@', 1)[0];
}

/** At which agent's leg a supervisor's leg is: `eavesdrop` runs as long, and the place says in which mode. */
function supervisingOf(get: Dump): LegSnapshot['supervising'] {
  if (get('variable_current_application') !== 'eavesdrop') return undefined;
  const agentLeg = get('variable_current_application_data');
  const mode = readMode(get('Caller-Destination-Number')?.split('-', 1)[0]);
  return agentLeg === undefined || mode === undefined ? undefined : { agentLeg, mode };
}

/** Whether an application that `sendmsg` started runs: FreeSWITCH sets `total_loops` for just as long. */
function isPlaying(get: Dump): boolean {
  if (get('variable_total_loops') !== undefined) return true;
  return (
    get('variable_current_application') === 'playback' && get('variable_current_application_response') === undefined
  );
}

/** Whether the leg waits for control: it executes, alone, and not the dialplan's own fallback. */
function isParked(get: Dump, elsewhere: boolean): boolean {
  if (elsewhere) return false;
  if (get('Caller-Destination-Number')?.startsWith('fallback-')) return false;
  if (get('Channel-State') === 'CS_PARK') return true;
  return get('Channel-State') === 'CS_EXECUTE' && get('variable_current_application') !== undefined;
}

/** Says `uuid_dump` in the words of the house. */
function readLegDump(leg: LegId, values: Record<string, unknown>): LegSnapshot & { readonly playing: boolean } {
  const get = reader(values);
  const bridgedTo = bridgedToOf(get);
  const conference = conferenceOf(get);
  const supervising = supervisingOf(get);
  const createdMicros = Number(get('Caller-Channel-Created-Time') ?? 0);
  return {
    leg,
    direction: readDirection(get('Call-Direction')),
    role: readRole(get('variable_yht_role')),
    callId: get('variable_yht_call'),
    answered: get('Answer-State') === 'answered',
    parked: isParked(get, bridgedTo !== undefined || conference !== undefined || supervising !== undefined),
    bridgedTo,
    conference,
    supervising,
    referred: readReferred(get),
    ...readCaller(get),
    dialledNumber: get('variable_yht_dialled') ?? get('Caller-Destination-Number') ?? '',
    createdAtMs: Number.isFinite(createdMicros) ? Math.floor(createdMicros / 1000) : 0,
    playing: isPlaying(get),
  };
}

async function takeRegistrations(api: RunApi): Promise<Result<Registration[], SwitchFailure>> {
  const text = await api('show registrations as json');
  if (!text.ok) return text;
  const list = readJson(registrationList, text.value, 'show registrations');
  if (!list.ok) return list;
  return ok(
    list.value.rows.map((row) => ({
      user: row.reg_user,
      contact: contactUri(row.url),
      // Seconds since the epoch.
      expiresAtMs: /^\d{1,12}$/.test(row.expires ?? '') ? Number(row.expires) * 1000 : undefined,
    })),
  );
}

/** Dumps one leg; undefined when it ended since it was listed. */
async function takeLeg(
  api: RunApi,
  leg: LegId,
): Promise<Result<ReturnType<typeof readLegDump> | undefined, SwitchFailure>> {
  const text = await api(`uuid_dump ${leg} json`);
  if (!text.ok) return text;
  if (text.value.startsWith('-ERR')) return ok(undefined);
  const dump = readJson(legDump, text.value, 'uuid_dump');
  return dump.ok ? ok(readLegDump(leg, dump.value)) : dump;
}

/** What `status` says; undefined where the switch does not say it. */
interface Status {
  /** The legs that FreeSWITCH has in memory. */
  readonly sessions: number | undefined;
  readonly upMs: number | undefined;
}

const upParts = ['years', 'days', 'hours', 'minutes', 'seconds', 'milliseconds'] as const;
const upLine = new RegExp(`^UP ${upParts.map((part) => `(\\d+) ${part.slice(0, -1)}s?`).join(', ')}`, 'm');
/** FreeSWITCH's years have 365 days. */
const msOfPart = [31_536_000_000, 86_400_000, 3_600_000, 60_000, 1_000, 1] as const;

function readStatus(text: string): Status {
  const count = /^(\d+) session\(s\) - peak/m.exec(text)?.[1];
  const up = upLine.exec(text)?.slice(1);
  return {
    sessions: count === undefined ? undefined : Number(count),
    upMs: up?.reduce((sum, part, index) => sum + Number(part) * (msOfPart[index] ?? 0), 0),
  };
}

async function takeLegs(api: RunApi): Promise<Result<ReturnType<typeof readLegDump>[], SwitchFailure>> {
  const text = await api('show channels as json');
  if (!text.ok) return text;
  const list = readJson(channelList, text.value, 'show channels');
  if (!list.ok) return list;
  const legs: ReturnType<typeof readLegDump>[] = [];
  const wanted = list.value.rows.map((row) => row.uuid);
  for (let from = 0; from < wanted.length; from += PARALLEL_DUMPS) {
    const batch = await Promise.all(wanted.slice(from, from + PARALLEL_DUMPS).map((leg) => takeLeg(api, leg)));
    for (const one of batch) {
      if (!one.ok) return one;
      if (one.value !== undefined) legs.push(one.value);
    }
  }
  return ok(legs);
}

/**
 * All legs. FreeSWITCH's list comes out of a database that is written behind the events, so a leg that has just come
 * is missing in it; its number of sessions comes out of memory. While fewer legs are found than there are sessions,
 * the list is asked for again, a few times: sessions that are being taken down count as well.
 */
async function takeAllLegs(
  api: RunApi,
  wait: Wait,
): Promise<Result<{ readonly legs: ReturnType<typeof readLegDump>[]; readonly status: Status }, SwitchFailure>> {
  for (let round = 1; ; round += 1) {
    const text = await api('status');
    if (!text.ok) return text;
    const status = readStatus(text.value);
    const legs = await takeLegs(api);
    if (!legs.ok) return legs;
    if (legs.value.length >= (status.sessions ?? 0) || round === MAX_ROUNDS) return ok({ legs: legs.value, status });
    await wait(BETWEEN_ROUNDS_MS);
  }
}

/**
 * Asks the switch for all its legs and registrations. Fails as a whole when one answer is missing: half a list would
 * look as if legs had ended.
 */
export async function takeSnapshot(
  api: RunApi,
  wait: Wait,
  nowMs: () => number,
): Promise<Result<FullSnapshot, SwitchFailure>> {
  const found = await takeAllLegs(api, wait);
  if (!found.ok) return found;
  const { upMs } = found.value.status;
  const startedAtMs = upMs === undefined ? undefined : nowMs() - upMs;
  const registrations = await takeRegistrations(api);
  if (!registrations.ok) return registrations;
  const playing = new Map(found.value.legs.map((leg) => [leg.leg, leg.playing]));
  const legs = found.value.legs.map(({ playing: _playing, ...leg }): LegSnapshot => leg);
  return ok({ snapshot: { startedAtMs, legs, registrations: registrations.value }, playing });
}
