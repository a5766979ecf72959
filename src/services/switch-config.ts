import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { CityProfile } from '../config/city.ts';
import type { Config } from '../config/config.ts';
import { SetupError } from '../kernel/errors.ts';
import { listSipUsers } from '../store/people.ts';
import type { Database } from '../store/schema.ts';
import type { EmbeddedSwitchSettings } from '../switch/embedded/config.ts';
import type { SwitchUser } from '../switch/freeswitch/render-config.ts';
import type { SwitchPhone } from './ports.ts';

/** The numbers that the trunk side answers: the city's own and those whose seats were merged into it. */
export const answeredNumbers = (city: CityProfile): string[] =>
  city.hotlines.filter((hotline) => hotline.answeredHere).map((hotline) => hotline.number);

/** The phones in the embedded switch's words. */
export const embeddedUsers = (phones: readonly SwitchPhone[]): NonNullable<EmbeddedSwitchSettings['users']> =>
  phones.map(({ extension, ha1Md5 }) => ({ user: extension, ha1Md5: ha1Md5.reveal() }));

/** The phones in FreeSWITCH's words. */
export const freeSwitchUsers = (phones: readonly SwitchPhone[]): SwitchUser[] =>
  phones.map(({ extension, name, ha1Md5 }) => ({ user: extension, ha1: ha1Md5.reveal(), displayName: name }));

/** What the embedded switch is told: numbers, gateways and phones from the city's profile and the store. */
export async function embeddedSwitchSettings(
  config: Config,
  city: CityProfile,
  db: Kysely<Database>,
  eslPassword: string,
): Promise<EmbeddedSwitchSettings> {
  return {
    bindAddress: config.sip.host,
    trunkPort: config.sip.trunkPort,
    agentsPort: config.sip.agentsPort,
    eslPort: config.switch.kind === 'embedded' ? config.switch.eslPort : 0,
    eslPassword,
    domain: config.sip.domain,
    ...(config.sip.tls === undefined ? {} : { tls: config.sip.tls }),
    carriers: [...config.sip.carrierNetworks],
    hotlineNumbers: answeredNumbers(city),
    users: embeddedUsers(await listSipUsers(db)),
    gateways: city.gateways.map(({ name, host, port, transport }) => ({ name, host, port, transport })),
    rtpPortMin: config.sip.rtpPortMin,
    rtpPortMax: config.sip.rtpPortMax,
    phoneTransfer: config.sip.phoneTransfer,
    recordingsFolder: config.recordingsFolder,
    promptsFolder: config.promptsFolder,
    limits: { maxCalls: config.capacity.switchChannels },
    logLevel: config.logLevel,
  };
}

/**
 * The password between control and its embedded switch: made once, kept in the data folder for its owner's eyes, so
 * that a restarted control can reach a switch that is still running.
 * @throws SetupError naming DATA_FOLDER when it can't be kept.
 */
export async function eslPassword(dataFolder: string): Promise<string> {
  const path = join(dataFolder, 'esl-password');
  try {
    await mkdir(dataFolder, { recursive: true });
    const fresh = randomBytes(24).toString('base64url');
    await writeFile(path, fresh, { mode: 0o600, flag: 'wx' });
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new SetupError(`DATA_FOLDER: ${path} can't be written (${(error as Error).message})`, { cause: error });
    }
  }
  await chmod(path, 0o600);
  const kept = (await readFile(path, 'utf8')).trim();
  if (kept.length < 16) throw new SetupError(`DATA_FOLDER: ${path} is damaged; delete it to get a new password`);
  return kept;
}
