import { join, resolve } from 'node:path';
import { z } from 'zod';
import { SetupError } from '../kernel/errors.ts';
import { projectFolder } from './project.ts';
import { Secret } from './secret.ts';
import {
  domainName,
  hostsAndPorts,
  listenAddress,
  networks,
  onOff,
  plainName,
  port,
  postgresUrl,
  whole,
  wholeIfGiven,
} from './settings.ts';

/** Settings whose wrong values are not repeated in messages, because there may be a password in them. */
const secretSettings: ReadonlySet<string> = new Set(['DATABASE_URL', 'FREESWITCH_ESL_PASSWORD']);

const folder = z.string().optional();
const folders = z.string().transform((text) => text.split(',').map((part) => resolve(part.trim())));

/** Citizen, agent, sub-centre and supervisor; and one caller who is told that he can't be served now. */
const legsPerCall = 5;
const defaultLiveCalls = 500;

/** How many calls the RTP ports are enough for, whatever becomes of each of them. */
function callsWithPorts({
  RTP_PORT_MIN: min,
  RTP_PORT_MAX: max,
}: {
  RTP_PORT_MIN: number;
  RTP_PORT_MAX: number;
}): number {
  return Math.floor((max - min + 1) / 2 / legsPerCall);
}

/** Every environment variable that the service reads. */
const environmentSchema = z
  .object({
    DATABASE_URL: postgresUrl.optional(),
    DATA_FOLDER: folder,
    POSTGRES_OS_USER: plainName('postgres'),
    HTTP_HOST: listenAddress('127.0.0.1'),
    HTTP_PORT: port(8045),
    COOKIE_SECURE: onOff,
    PHONE_TRANSFER: onOff,
    SESSION_HOURS: whole(1, 168, 12),
    FREESWITCH_ESL: hostsAndPorts.optional(),
    FREESWITCH_ESL_PASSWORD: z.string().optional(),
    FREESWITCH_CONF: folders.optional(),
    SWITCH_NODE_LOST_MS: whole(1_000, 600_000, 5_000),
    ESL_PORT: port(8021),
    SIP_HOST: listenAddress('127.0.0.1'),
    SIP_TRUNK_PORT: port(5080),
    SIP_AGENTS_PORT: port(5060),
    SIP_DOMAIN: domainName('yihaotong.local'),
    SIP_TLS_FOLDER: folder,
    SIP_TRUNK_TLS_PORT: whole(1, 65_535, 5081),
    SIP_AGENTS_TLS_PORT: whole(1, 65_535, 5061),
    PHONE_BAN_MS: whole(1_000, 86_400_000, 60_000),
    RTP_PORT_MIN: whole(1024, 65_534, 20_000),
    RTP_PORT_MAX: whole(1025, 65_535, 24_999),
    CARRIER_ADDRESSES: networks('127.0.0.1/32'),
    CITY: plainName('kaifeng'),
    CITIES_FOLDER: folder,
    FLOWS_FOLDER: folder,
    FLOW: plainName('direct'),
    PROMPTS_FOLDER: folder,
    RECORDINGS_FOLDER: folder,
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent')
      .default('info'),
    RING_TIMEOUT_MS: whole(1_000, 120_000, 20_000),
    CONSULT_RING_TIMEOUT_MS: whole(1_000, 120_000, 30_000),
    WRAP_UP_MS: whole(0, 3_600_000, 30_000),
    WAY_OUT_AFTER_S: whole(5, 3_600, 90),
    MAX_LIVE_CALLS: wholeIfGiven(1, 10_000).optional(),
    SWITCH_MAX_CHANNELS: whole(5, 50_000, 3_000),
    QUEUE_MAX_WAITING: whole(0, 10_000, 200),
    QUEUE_MAX_WAIT_MS: whole(1_000, 7_200_000, 600_000),
    RATING: onOff,
    DEMO: onOff,
  })
  .superRefine((settings, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (settings.RTP_PORT_MAX - settings.RTP_PORT_MIN < 9) {
      wrong('RTP_PORT_MAX', 'must be at least 9 above RTP_PORT_MIN: every call needs ports of its own');
    }
    const { MAX_LIVE_CALLS: calls } = settings;
    if (calls !== undefined && calls > callsWithPorts(settings)) {
      wrong('RTP_PORT_MAX', `must leave ${legsPerCall} ports in use for each of MAX_LIVE_CALLS (every second one is)`);
    }
    if (calls !== undefined && calls * legsPerCall > settings.SWITCH_MAX_CHANNELS) {
      wrong('SWITCH_MAX_CHANNELS', `must be at least ${legsPerCall} times MAX_LIVE_CALLS: so many legs may they need`);
    }
    if (settings.FREESWITCH_ESL && settings.FREESWITCH_ESL_PASSWORD === undefined) {
      wrong('FREESWITCH_ESL_PASSWORD', 'must be set together with FREESWITCH_ESL');
    }
    const { FREESWITCH_CONF: confs, FREESWITCH_ESL: nodes = [] } = settings;
    if (confs !== undefined && confs.length !== nodes.length) {
      wrong('FREESWITCH_CONF', 'must name one folder for each node of FREESWITCH_ESL, by commas');
    }
    const same = (a: number, b: number) => a === b && a !== 0;
    if (!settings.FREESWITCH_ESL && same(settings.SIP_TRUNK_PORT, settings.SIP_AGENTS_PORT)) {
      wrong('SIP_AGENTS_PORT', 'must differ from SIP_TRUNK_PORT');
    }
    const sipPorts = [settings.SIP_TRUNK_PORT, settings.SIP_AGENTS_PORT].filter((number) => number !== 0);
    if (settings.SIP_TLS_FOLDER !== undefined) sipPorts.push(settings.SIP_TRUNK_TLS_PORT, settings.SIP_AGENTS_TLS_PORT);
    if (settings.SIP_TLS_FOLDER !== undefined && new Set(sipPorts).size < sipPorts.length) {
      wrong(
        'SIP_AGENTS_TLS_PORT',
        'must differ from SIP_TRUNK_TLS_PORT, and both from SIP_TRUNK_PORT and SIP_AGENTS_PORT',
      );
    }
    if (!settings.FREESWITCH_ESL && same(settings.ESL_PORT, settings.HTTP_PORT)) {
      wrong('ESL_PORT', 'must differ from HTTP_PORT');
    }
  });

type Environment = z.infer<typeof environmentSchema>;

/** Where the database is. */
type DatabaseConfig =
  | { readonly kind: 'external'; readonly url: Secret }
  | { readonly kind: 'embedded'; readonly folder: string; readonly osUserName: string };

/** Where the switch is. */
type SwitchConfig =
  | {
      readonly kind: 'freeswitch';
      /** One switch, or several nodes with the same password. */
      readonly nodes: readonly { readonly host: string; readonly port: number }[];
      readonly nodeLostMs: number;
      readonly password: Secret;
      /** Their configuration folders, where control keeps the phones; none: `switch-config` does, by hand. */
      readonly confFolders: readonly string[];
    }
  | { readonly kind: 'embedded'; readonly eslPort: number };

/** The settings of the whole service; made once, never changed. Folders are absolute paths. */
export interface Config {
  readonly dataFolder: string;
  readonly database: DatabaseConfig;
  readonly switch: SwitchConfig;
  readonly http: { readonly host: string; readonly port: number; readonly cookieSecure: boolean };
  readonly sessionMs: number;
  readonly sip: {
    readonly host: string;
    readonly trunkPort: number;
    readonly agentsPort: number;
    readonly domain: string;
    /** How long a phone that showed too many wrong passwords is refused at its address. */
    readonly phoneBanMs: number;
    /** SIP over TLS, where it is wanted; the folder is as the switch sees it. */
    readonly tls: { readonly folder: string; readonly trunkPort: number; readonly agentsPort: number } | undefined;
    readonly rtpPortMin: number;
    readonly rtpPortMax: number;
    /** Networks from which carriers may call, e.g. `192.0.2.0/24`. */
    readonly carrierNetworks: readonly string[];
    /** Whether phones may transfer by REFER: as a matter of course on the embedded switch alone (docs/adr/0020). */
    readonly phoneTransfer: boolean;
  };
  /** The name of the folder in `cities/`. */
  readonly city: string;
  readonly citiesFolder: string;
  /** The name of the flow that answers the calls. */
  readonly flow: string;
  readonly flowsFolder: string;
  readonly promptsFolder: string;
  readonly recordingsFolder: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly calls: {
    readonly ringTimeoutMs: number;
    readonly consultRingTimeoutMs: number;
    readonly wrapUpMs: number;
    /** Whoever waits is the dialplan's after so many whole seconds without a living control. */
    readonly wayOutAfterS: number;
    /** Undefined: the city's profile decides whether callers are asked for a rating. */
    readonly rating: boolean | undefined;
  };
  readonly queue: { readonly maxWaiting: number; readonly maxWaitMs: number };
  readonly capacity: {
    /** Calls beyond it are told that they will be called back. */
    readonly maxLiveCalls: number;
    /** Legs from which the switch refuses new callers; those that control rings are always made. */
    readonly switchChannels: number;
  };
  /** Whether demo people and phones are made and printed. */
  readonly demo: boolean;
}

/**
 * Reads the settings from environment variables; an empty one counts as not set.
 * @throws SetupError with one line per wrong setting, each beginning with its name.
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.keys(environmentSchema.shape).map((name) => [name, environment[name]?.trim() || undefined]),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) throw new SetupError(parsed.error.issues.map((issue) => complaint(issue, given)).join('\n'));
  return deepFreeze(arrange(parsed.data));
}

function complaint(issue: z.core.$ZodIssue, given: Readonly<Record<string, string | undefined>>): string {
  const name = String(issue.path[0]);
  const value = given[name];
  const shown = value === undefined || secretSettings.has(name) ? '' : `, but is "${value}"`;
  return `${name}: ${issue.message}${shown}`;
}

function arrange(settings: Environment): Config {
  const dataFolder = folderOf(settings.DATA_FOLDER, join(projectFolder, 'data'));
  const database = databaseOf(settings, dataFolder);
  const telephoneSwitch = switchOf(settings);
  return {
    dataFolder,
    database,
    switch: telephoneSwitch,
    http: { host: settings.HTTP_HOST, port: settings.HTTP_PORT, cookieSecure: settings.COOKIE_SECURE ?? false },
    sessionMs: settings.SESSION_HOURS * 3_600_000,
    sip: {
      host: settings.SIP_HOST,
      trunkPort: settings.SIP_TRUNK_PORT,
      agentsPort: settings.SIP_AGENTS_PORT,
      domain: settings.SIP_DOMAIN,
      phoneBanMs: settings.PHONE_BAN_MS,
      tls:
        settings.SIP_TLS_FOLDER === undefined
          ? undefined
          : {
              folder: resolve(settings.SIP_TLS_FOLDER),
              trunkPort: settings.SIP_TRUNK_TLS_PORT,
              agentsPort: settings.SIP_AGENTS_TLS_PORT,
            },
      rtpPortMin: settings.RTP_PORT_MIN,
      rtpPortMax: settings.RTP_PORT_MAX,
      carrierNetworks: settings.CARRIER_ADDRESSES,
      phoneTransfer: settings.PHONE_TRANSFER ?? !settings.FREESWITCH_ESL,
    },
    city: settings.CITY,
    citiesFolder: folderOf(settings.CITIES_FOLDER, join(projectFolder, 'cities')),
    flow: settings.FLOW,
    flowsFolder: folderOf(settings.FLOWS_FOLDER, join(projectFolder, 'ivr-flows')),
    promptsFolder: folderOf(settings.PROMPTS_FOLDER, join(projectFolder, 'prompts')),
    recordingsFolder: folderOf(settings.RECORDINGS_FOLDER, join(dataFolder, 'recordings')),
    logLevel: settings.LOG_LEVEL,
    calls: {
      ringTimeoutMs: settings.RING_TIMEOUT_MS,
      consultRingTimeoutMs: settings.CONSULT_RING_TIMEOUT_MS,
      wrapUpMs: settings.WRAP_UP_MS,
      wayOutAfterS: settings.WAY_OUT_AFTER_S,
      rating: settings.RATING,
    },
    capacity: capacityOf(settings),
    queue: { maxWaiting: settings.QUEUE_MAX_WAITING, maxWaitMs: settings.QUEUE_MAX_WAIT_MS },
    demo: settings.DEMO ?? (database.kind === 'embedded' && telephoneSwitch.kind === 'embedded'),
  };
}

function capacityOf(settings: Environment): Config['capacity'] {
  const { MAX_LIVE_CALLS: given, SWITCH_MAX_CHANNELS: switchChannels } = settings;
  const fitting = Math.max(
    1,
    Math.min(defaultLiveCalls, callsWithPorts(settings), Math.floor(switchChannels / legsPerCall)),
  );
  return { maxLiveCalls: given ?? fitting, switchChannels };
}

const folderOf = (given: string | undefined, fallback: string): string =>
  given === undefined ? fallback : resolve(given);

function databaseOf(settings: Environment, dataFolder: string): DatabaseConfig {
  if (settings.DATABASE_URL !== undefined) return { kind: 'external', url: new Secret(settings.DATABASE_URL) };
  return { kind: 'embedded', folder: join(dataFolder, 'postgres'), osUserName: settings.POSTGRES_OS_USER };
}

function switchOf(settings: Environment): SwitchConfig {
  const { FREESWITCH_ESL: nodes, FREESWITCH_ESL_PASSWORD: password } = settings;
  if (nodes === undefined || password === undefined) return { kind: 'embedded', eslPort: settings.ESL_PORT };
  return {
    kind: 'freeswitch',
    nodes,
    nodeLostMs: settings.SWITCH_NODE_LOST_MS,
    password: new Secret(password),
    confFolders: settings.FREESWITCH_CONF ?? [],
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
