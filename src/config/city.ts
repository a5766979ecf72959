import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { SetupError } from '../kernel/errors.ts';
import { type HotlineRow, readHotlines } from './hotlines.ts';

const hotlineNumber = z.string().regex(/^[0-9]{3,15}$/, 'must be a number in quotes');
const gatewayName = z.string().regex(/^[0-9A-Za-z._-]{1,64}$/);
const words = z.array(z.string().min(1).max(100));

const profileSchema = z.strictObject({
  name: z.string().min(1),
  orderNumberPrefix: z.string().regex(/^[A-Z]{1,6}$/),
  timeZone: z.string().refine((zone) => Intl.supportedValuesOf('timeZone').includes(zone), 'is not a time zone'),
  hotline: z.strictObject({ number: hotlineNumber, name: z.string(), owner: z.string() }),
  answeredHere: z.array(hotlineNumber),
  transferTargets: z.array(z.strictObject({ number: hotlineNumber, gateway: gatewayName })),
  gateways: z.array(
    z.strictObject({
      name: gatewayName,
      host: z.string().regex(/^[0-9A-Za-z.:-]+$/),
      port: z.number().int().min(1).max(65_535),
      transport: z.enum(['udp', 'tcp', 'tls']),
    }),
  ),
  queues: z.array(z.strictObject({ id: z.string().regex(/^[a-z][a-z0-9-]*$/), name: z.string().min(1) })).min(1),
  breakReasons: words.min(1),
  rating: z.boolean(),
  fullNumberRoles: z.array(z.enum(['agent', 'supervisor', 'subcentre'])),
  categories: words.min(1),
  moreUnits: words,
});
type Profile = z.infer<typeof profileSchema>;

/** A number at which citizens call, or to which they are put through. */
interface CityHotline {
  readonly number: string;
  readonly name: string;
  readonly owner: string;
  /** `city` is the number that everything stands behind; the others are the modes of the city's list. */
  readonly mode: 'city' | HotlineRow['mode'];
  readonly answeredHere: boolean;
  /** Where calls to it are put through. */
  readonly gateway: string | null;
  readonly note: string;
}

/** Everything about a city that is not code. */
export interface CityProfile extends Omit<Profile, 'hotline' | 'answeredHere' | 'transferTargets' | 'moreUnits'> {
  /** The city's own number first, then its list in the list's order. */
  readonly hotlines: readonly CityHotline[];
  /** Units that may get work orders. */
  readonly units: readonly string[];
}

/**
 * Reads `<citiesFolder>/<city>/profile.yaml` and the `hotlines.csv` beside it.
 * @throws SetupError with one line per mistake, naming the file.
 */
export async function loadCity(citiesFolder: string, city: string): Promise<CityProfile> {
  const profilePath = join(citiesFolder, city, 'profile.yaml');
  const listPath = join(citiesFolder, city, 'hotlines.csv');
  const [profileText, listText] = await Promise.all([readText(profilePath), readText(listPath)]);
  const rows = readHotlines(listText, listPath);
  const parsed = profileSchema.safeParse(readYaml(profileText, profilePath));
  if (!parsed.success) {
    throw new SetupError(
      parsed.error.issues.map((issue) => `CITY: ${profilePath}: ${issue.path.join('.')}: ${issue.message}`).join('\n'),
    );
  }
  const mistakes = contradictions(parsed.data, rows);
  if (mistakes.length > 0) {
    throw new SetupError(mistakes.map((mistake) => `CITY: ${profilePath}: ${mistake}`).join('\n'));
  }
  return combine(parsed.data, rows);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SetupError(`CITY: ${path} can't be read (${reason})`, { cause });
  }
}

function readYaml(text: string, path: string): unknown {
  try {
    return parseYaml(text);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new SetupError(`CITY: ${path}: ${reason}`, { cause });
  }
}

/** What the profile says about numbers and gateways that the list or the profile itself doesn't have. */
function contradictions(profile: Profile, rows: readonly HotlineRow[]): string[] {
  const listed = new Set(rows.map((row) => row.number));
  const gateways = new Set(profile.gateways.map((gateway) => gateway.name));
  const targets = new Set(profile.transferTargets.map((target) => target.number));
  return [
    ...profile.answeredHere.filter((n) => !listed.has(n)).map((n) => `answeredHere: ${n} is not in hotlines.csv`),
    ...[...targets].filter((n) => !listed.has(n)).map((n) => `transferTargets: ${n} is not in hotlines.csv`),
    ...profile.answeredHere.filter((n) => targets.has(n)).map((n) => `${n} is both answered here and put through`),
    ...profile.transferTargets
      .filter((target) => !gateways.has(target.gateway))
      .map((target) => `transferTargets: gateway ${target.gateway} is not in gateways`),
    ...(listed.has(profile.hotline.number) ? [`hotline: ${profile.hotline.number} is in hotlines.csv too`] : []),
  ];
}

function combine(profile: Profile, rows: readonly HotlineRow[]): CityProfile {
  const { hotline, answeredHere, transferTargets, moreUnits, ...rest } = profile;
  const gatewayOf = new Map(transferTargets.map((target) => [target.number, target.gateway]));
  const own: CityHotline = { ...hotline, mode: 'city', answeredHere: true, gateway: null, note: '' };
  const listed = rows.map(
    (row): CityHotline => ({
      ...row,
      answeredHere: answeredHere.includes(row.number),
      gateway: gatewayOf.get(row.number) ?? null,
    }),
  );
  const hotlines = [own, ...listed];
  return { ...rest, hotlines, units: [...new Set([...hotlines.map((line) => line.owner), ...moreUnits])] };
}
