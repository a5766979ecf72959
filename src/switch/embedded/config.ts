/** The settings of the embedded switch: one JSON file, checked once. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { errorChain, SetupError } from '../../kernel/errors.ts';
import { parseCidr } from './core/acl.ts';

const port = z.int().min(0).max(65_535);
const address = z.string().refine((value) => isIP(value) !== 0, 'must be an IP address');
/** Names that end up in SIP URIs and variables. */
const word = z.string().regex(/^[A-Za-z0-9._+*#-]{1,64}$/, 'must be 1 to 64 letters, digits or ._+*#-');
const cidr = z.string().refine((value) => parseCidr(value) !== undefined, 'must be an address or CIDR block');

const userSchema = z.strictObject({
  user: word,
  /** MD5 of `user:domain:password`, lower-case hex (RFC 7616 A1). */
  ha1Md5: z.string().regex(/^[0-9a-fA-F]{32}$/),
  /** SHA-256 of the same; with it the phone may choose the stronger algorithm (RFC 8760). */
  ha1Sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/)
    .optional(),
});

const gatewaySchema = z.strictObject({
  name: word,
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).default(5060),
  transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
  /** Dialled instead of what the command names, where a sub-centre answers to one number only. */
  number: word.optional(),
});

export const embeddedSwitchConfigSchema = z.strictObject({
  bindAddress: address.default('127.0.0.1'),
  /** The ESL port stays on this machine unless it is told otherwise. */
  eslBindAddress: address.default('127.0.0.1'),
  /** 0 takes any free port; the launcher is told which. */
  trunkPort: port.default(5080),
  agentsPort: port.default(5060),
  eslPort: port.default(8021),
  /** TLS on both sides, with the key and the certificates of this folder. */
  tls: z.strictObject({ folder: z.string().min(1), trunkPort: port, agentsPort: port }).optional(),
  eslPassword: z.string().min(8).max(200),
  domain: z.string().regex(/^[A-Za-z0-9.-]{1,253}$/),
  /** Addresses and CIDR blocks that may call in on the trunk side. */
  carriers: z.array(cidr).max(1_000),
  hotlineNumbers: z.array(word).max(1_000),
  users: z.array(userSchema).max(10_000).default([]),
  gateways: z.array(gatewaySchema).max(1_000).default([]),
  rtpPortMin: z.int().min(1024).max(65_534).default(16_384),
  rtpPortMax: z.int().min(1025).max(65_535).default(32_768),
  /** A phone that should send sound and sends none for this long is hung up (MEDIA_TIMEOUT); 0 never. */
  rtpTimeoutMs: z.int().min(0).max(86_400_000).default(300_000),
  /** How long a session lives without a refresh (RFC 4028), and the least that a far end may ask for. */
  sessionExpiresS: z.int().min(1).max(86_400).default(1_800),
  minSessionExpiresS: z.int().min(1).max(86_400).default(90),
  /** Whether phones may transfer calls by REFER. */
  phoneTransfer: z.boolean().default(true),
  recordingsFolder: z.string().min(1),
  /** Holds `music.wav` and `fallback.wav`. */
  promptsFolder: z.string().min(1),
  heartbeatMs: z.int().min(100).max(3_600_000).default(20_000),
  /** How long a new citizen, and any leg that is parked again, waits for control before the dialplan treats it. */
  citizenFallbackMs: z.int().min(100).max(600_000).default(4_000),
  parkedFallbackMs: z.int().min(100).max(600_000).default(20_000),
  /** How long a citizen is left alone in a conference before he is parked. */
  aloneInConferenceMs: z.int().min(100).max(600_000).default(5_000),
  limits: z
    .strictObject({
      /** Callers who come in at so many channels are answered 503; legs with `no_throttle_limits` are made all the same. */
      maxCalls: z.int().min(1).max(50_000).default(3_000),
      maxEslClients: z.int().min(1).max(100).default(16),
    })
    .prefault({}),
  /** False: the switch ends when the launcher is gone and nobody needs it any more. */
  standAlone: z.boolean().default(false),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type EmbeddedSwitchConfig = z.infer<typeof embeddedSwitchConfigSchema>;
/** What a caller writes: everything that has a default may be left out. */
export type EmbeddedSwitchSettings = z.input<typeof embeddedSwitchConfigSchema>;

/**
 * Reads and checks the settings file.
 * @throws SetupError naming the file and the setting.
 */
export function readConfigFile(path: string): EmbeddedSwitchConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new SetupError(`The embedded switch's settings file ${path} can't be read: ${errorChain(error)}`, {
      cause: error,
    });
  }
  const parsed = embeddedSwitchConfigSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new SetupError(`The embedded switch's settings file ${path} is wrong at "${where}": ${issue?.message ?? ''}`);
}
