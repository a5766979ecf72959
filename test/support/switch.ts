/**
 * The switch that the conformance and end-to-end tests run on: the embedded one, or real FreeSWITCH where
 * SWITCH_UNDER_TEST=freeswitch. Options and result are the same, so a test can't tell them apart.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SwitchGateway } from '../../src/switch/freeswitch/render-config.ts';
import { type TestCertificate, writeCertificate } from './certificate.ts';
import { embeddedSettings, embeddedSettingsFile, startEmbeddedSwitch } from './embedded-switch.ts';
import type { EslAddress } from './esl-test-client.ts';
import { freePort, rtpPortBlock } from './free-ports.ts';
import { startFreeswitch } from './freeswitch.ts';
import { writeGeneratedFiles } from './freeswitch-config.ts';
import { ha1Of } from './phone/digest.ts';
import type { SocketAddress } from './phone/transport.ts';

export const testDomain = 'yihaotong.local';

export interface SwitchUnderTestOptions {
  readonly users?: readonly { readonly user: string; readonly password: string; readonly displayName?: string }[];
  readonly gateways?: readonly SwitchGateway[];
  /** Default: 12345. */
  readonly hotlineNumbers?: readonly string[];
  /** Default: 127.0.0.1 alone. */
  readonly carriers?: readonly string[];
  /** Folder with `fallback.wav`, `music.wav` and the other prompts; an empty one of its own when left out. */
  readonly promptsFolder?: string;
  readonly mediaTimeoutMs?: number;
  /** How many ports there are for sound. */
  readonly rtpPorts?: number;
  /** SIP over TLS on both sides, with a certificate for 127.0.0.1. */
  readonly tls?: TestCertificate;
  /** Callers who come in at so many legs get 503. Default: 3000. */
  readonly maxChannels?: number;
  /** Whether phones may send REFER. Default: true. */
  readonly phoneTransfer?: boolean;
  /** The shortest session interval (RFC 4028); FreeSWITCH takes none below 90 s. */
  readonly minSessionExpiresS?: number;
  /** A second node beside this one: with the same password, recordings and prompts. */
  readonly beside?: SwitchUnderTest;
}

export interface SwitchUnderTest {
  readonly kind: 'embedded' | 'freeswitch';
  readonly domain: string;
  readonly trunk: SocketAddress;
  readonly agents: SocketAddress;
  /** Where TLS is spoken, with the option `tls`. */
  readonly trunkTls: SocketAddress;
  readonly agentsTls: SocketAddress;
  readonly esl: EslAddress;
  readonly recordingsFolder: string;
  readonly promptsFolder: string;
  /** FreeSWITCH's configuration folder, where it is one of the test's own. */
  readonly confFolder: string;
  /** What the switch reads its phones from. */
  readonly phonesFile: string;
  /** Writes these phones where the switch reads them, as control does. */
  writePhones(users: NonNullable<SwitchUnderTestOptions['users']>): Promise<void>;
  /** Kills the process with its calls, as a crash does. */
  crash(): Promise<void>;
  /** Starts it once more on the same ports and folders. */
  startAgain(): Promise<void>;
  /** Resolves when the process has gone; it was still alive before, or this throws. */
  stop(): Promise<void>;
}

/** Everything a switch needs to start; made from the options. */
export interface SwitchPlan {
  readonly folder: string;
  readonly users: readonly { readonly user: string; readonly ha1: string; readonly displayName?: string }[];
  readonly gateways: readonly SwitchGateway[];
  readonly hotlineNumbers: readonly string[];
  readonly carriers: readonly string[];
  readonly trunk: SocketAddress;
  readonly agents: SocketAddress;
  readonly esl: EslAddress;
  readonly tls?: { readonly folder: string; readonly trunkPort: number; readonly agentsPort: number };
  readonly rtp: { readonly host: string; readonly portMin: number; readonly portMax: number };
  readonly recordingsFolder: string;
  readonly promptsFolder: string;
  readonly mediaTimeoutMs: number;
  readonly maxChannels: number;
  readonly minSessionExpiresS: number;
  readonly phoneTransfer: boolean;
}

/** What is under test in this run; tests of one switch's own ways name themselves with it. */
export const switchKind: 'embedded' | 'freeswitch' =
  process.env.SWITCH_UNDER_TEST === 'freeswitch' ? 'freeswitch' : 'embedded';

/** Starts the switch with its own folders and ports. Stop it in the test's `afterAll`. */
export async function startSwitchUnderTest(options: SwitchUnderTestOptions = {}): Promise<SwitchUnderTest> {
  let plan = await planSwitch(options);
  const start = () => (switchKind === 'freeswitch' ? startFreeswitch(plan) : startEmbeddedSwitch(plan));
  let running = await start();
  return {
    kind: switchKind,
    domain: testDomain,
    trunk: running.trunk,
    agents: running.agents,
    trunkTls: { host: plan.trunk.host, port: plan.tls?.trunkPort ?? 0 },
    agentsTls: { host: plan.agents.host, port: plan.tls?.agentsPort ?? 0 },
    esl: running.esl,
    recordingsFolder: plan.recordingsFolder,
    promptsFolder: plan.promptsFolder,
    confFolder: join(plan.folder, 'conf'),
    phonesFile:
      switchKind === 'freeswitch'
        ? join(plan.folder, 'conf', 'generated', 'directory.xml')
        : embeddedSettingsFile(plan),
    writePhones: async (users) => {
      plan = { ...plan, users: withHashes(users) };
      if (switchKind === 'freeswitch') await writeGeneratedFiles(join(plan.folder, 'conf'), plan);
      else await writeFile(embeddedSettingsFile(plan), JSON.stringify(embeddedSettings(plan)));
    },
    crash: () => running.crash(),
    startAgain: async () => {
      running = await start();
    },
    stop: async () => {
      await running.stop();
      await rm(plan.folder, { recursive: true, force: true });
    },
  };
}

const withHashes = (users: NonNullable<SwitchUnderTestOptions['users']>): SwitchPlan['users'] =>
  users.map(({ user, password, displayName }) => ({
    user,
    ha1: ha1Of(user, testDomain, password),
    ...(displayName === undefined ? {} : { displayName }),
  }));

/** Folders and ports of its own for one switch. */
export async function planSwitch(options: SwitchUnderTestOptions): Promise<SwitchPlan> {
  const folder = await mkdtemp(join(tmpdir(), 'yht-switch-'));
  const recordingsFolder = options.beside?.recordingsFolder ?? join(folder, 'recordings');
  const promptsFolder = options.promptsFolder ?? options.beside?.promptsFolder ?? join(folder, 'prompts');
  await mkdir(join(recordingsFolder, 'fallback'), { recursive: true });
  await mkdir(promptsFolder, { recursive: true });
  const host = '127.0.0.1';
  const tlsFolder = join(folder, 'tls');
  if (options.tls !== undefined) await writeCertificate(tlsFolder, options.tls);
  const tls = { folder: tlsFolder, trunkPort: await freePort(host), agentsPort: await freePort(host) };
  return {
    ...(options.tls === undefined ? {} : { tls }),
    folder,
    users: withHashes(options.users ?? []),
    gateways: options.gateways ?? [],
    hotlineNumbers: options.hotlineNumbers ?? ['12345'],
    carriers: options.carriers ?? ['127.0.0.1'],
    trunk: { host, port: await freePort(host) },
    agents: { host, port: await freePort(host) },
    esl: {
      host,
      port: await freePort(host),
      password: options.beside?.esl.password ?? randomBytes(18).toString('base64url'),
    },
    rtp: { host, ...(await rtpPortBlock(host, options.rtpPorts)) },
    recordingsFolder,
    promptsFolder,
    mediaTimeoutMs: options.mediaTimeoutMs ?? 60_000,
    maxChannels: options.maxChannels ?? 3_000,
    minSessionExpiresS: options.minSessionExpiresS ?? 90,
    phoneTransfer: options.phoneTransfer ?? true,
  };
}
