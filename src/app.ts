/** The composition root: every part is made here, wired by hand, and closed in the opposite order. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import pino, { type Logger as PinoLogger } from 'pino';
import { type CityProfile, loadCity } from './config/city.ts';
import type { Config } from './config/config.ts';
import { loadFlows, requireSoundFlows } from './config/flows.ts';
import { projectFolder } from './config/project.ts';
import { loadPrompts, type Prompts } from './config/prompts.ts';
import { Secret } from './config/secret.ts';
import { DeskHub } from './desk/hub.ts';
import { breakReasons, matterTypes } from './desk/protocol.ts';
import type { Flow } from './domain/ivr/flow.ts';
import { requiredPromptIds } from './domain/ivr/prompt-ids.ts';
import { buildHttp } from './http/app.ts';
import { personOf, sessionCookie } from './http/auth.ts';
import type { App as HttpApp } from './http/server.ts';
import { listenAsStandby, type StandbyHttp } from './http/standby.ts';
import { httpDeps } from './http/wiring.ts';
import { systemClock } from './kernel/clock.ts';
import { withDeadline } from './kernel/deadline.ts';
import { SetupError } from './kernel/errors.ts';
import { randomIds } from './kernel/ids.ts';
import { type Control, createControl } from './services/control.ts';
import { keepEmbeddedSwitch } from './services/embedded-switch.ts';
import { thisProcess } from './services/holder.ts';
import { becomeLeader, type Leadership } from './services/leadership.ts';
import { Metrics } from './services/metrics.ts';
import type { SwitchPhone } from './services/ports.ts';
import { SignIn } from './services/sign-in.ts';
import { embeddedSwitchSettings, embeddedUsers, eslPassword, freeSwitchUsers } from './services/switch-config.ts';
import { controlApplication, openDatabase } from './store/database.ts';
import { LeaderStore } from './store/leadership.ts';
import { migrate } from './store/migrate.ts';
import { startEmbeddedPostgres } from './store/postgres/embedded.ts';
import type { Database } from './store/schema.ts';
import { type DemoAccess, ensureDemoPeople, seedCity } from './store/seed.ts';
import { createCluster } from './switch/cluster/cluster.ts';
import { createFreeSwitch, type FreeSwitchOptions } from './switch/freeswitch/adapter.ts';
import { endOtherConnections } from './switch/freeswitch/end-others.ts';
import { PhoneFiles } from './switch/freeswitch/phone-files.ts';
import type { TelephoneSwitch } from './switch/port.ts';

const switchReadyWithinMs = 15_000;
/** A dead node must not keep control from the others. */
const nodeReadyWithinMs = 1_000;
const commandDeadlineMs = 3_000;

export interface RunningApp {
  readonly webUrl: string;
  readonly sip: { readonly host: string; readonly trunkPort: number; readonly agentsPort: number };
  readonly city: CityProfile;
  readonly demo: readonly DemoAccess[];
  readonly control: Control;
  readonly db: Kysely<Database>;
  readonly pids: { readonly switch: number | undefined; readonly postgres: number | undefined };
  /** Ends everything in order; safe to call twice. */
  close(): Promise<void>;
}

type Closer = () => Promise<void>;

/** What becomes of a service beside which there may be another one. */
export interface LeaderHooks {
  /** Another service leads: this one waits, for days perhaps. */
  readonly onStandby?: (leaderUrl: string) => void;
  /** Another service has taken over: this one must end at once. By default it closes its parts. */
  readonly onLost?: () => void;
  /** Ends the waiting; the start fails with `StoppedWhileWaiting`. */
  readonly stop?: AbortSignal;
}

/**
 * Starts the whole service as the configuration says. While another service leads on the same database it waits.
 * @throws SetupError in one clear line when a setting or the surroundings don't allow it; nothing is left running then.
 */
export async function startApp(config: Config, log: PinoLogger, hooks: LeaderHooks = {}): Promise<RunningApp> {
  const closers: Closer[] = [];
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= closeAll(closers, log);
    return closing;
  };
  try {
    const onLost = hooks.onLost ?? (() => void close());
    const app = await start(config, log, closers, { ...hooks, onLost });
    return { ...app, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function closeAll(closers: Closer[], log: PinoLogger): Promise<void> {
  for (const closer of closers.splice(0).reverse()) {
    try {
      await closer();
    } catch (error) {
      // The others must still be closed.
      log.error({ err: error }, 'a part did not close in order');
    }
  }
}

async function start(
  config: Config,
  log: PinoLogger,
  closers: Closer[],
  hooks: LeaderHooks & { onLost: () => void },
): Promise<Omit<RunningApp, 'close'>> {
  // What can be wrong without any other process is looked at before the first one is started.
  const city = await loadCity(config.citiesFolder, config.city);
  const { prompts, flow } = loadVoice(config, city);
  const database = await openStore(config, log, closers, hooks);
  const { leadership } = database;
  await seedCity(database.db, city);
  const demo = config.demo
    ? await ensureDemoPeople(database.db, {
        dataFolder: config.dataFolder,
        sipDomain: config.sip.domain,
        ids: randomIds,
        nowMs: Date.now(),
      })
    : [];
  const telephone = await openSwitch(config, city, database, log, closers);

  let hub: DeskHub | undefined;
  const control = createControl({
    config,
    city,
    prompts,
    flow,
    db: database.db,
    epoch: leadership.epoch,
    telephone: telephone.port,
    writePhones: telephone.writePhones,
    clock: systemClock,
    ids: randomIds,
    log,
    push: (personId, push) => hub?.push(personId, push),
  });
  closers.push(() => control.close());
  database.store.onPeople = () => control.directory.changed();

  const signIn = new SignIn(database.db, systemClock, config.sessionMs);
  const metrics = new Metrics({
    ...control,
    sockets: () => hub?.sockets ?? 0,
    linkUp: () => telephone.port.connected,
    leads: () => leadership.leads,
  });
  control.runtime.observe(metrics);
  const deps = httpDeps({
    db: database.db,
    signIn,
    city,
    control,
    metrics,
    telephone: telephone.port,
    closeDesks: (personId) => hub?.closePerson(personId),
    breakReasons,
    matterTypes,
  });
  const webFolder = join(projectFolder, 'web', 'dist');
  const http = await buildHttp(
    deps,
    { cookieSecure: config.http.cookieSecure, webFolder: existsSync(webFolder) ? webFolder : undefined },
    log,
  );
  hub = new DeskHub({
    handler: {
      snapshot: (personId) => control.desk.snapshot(personId),
      request: (personId, request) => control.desk.request(personId, request),
      presence: (personId, change) => control.desk.presence(personId, change),
    },
    authenticate: async (request) => (await personOf(deps, cookieOf(request.headers.cookie)))?.id,
    clock: systemClock,
    log,
    epoch: randomUUID(),
  });
  const webUrl = await listen(http, hub, config, log, closers);
  await withDeadline('the link to the switch', switchReadyWithinMs, control.start()).catch((error: unknown) => {
    throw noSwitch(config, error);
  });
  return {
    webUrl,
    sip: { host: config.sip.host, trunkPort: telephone.trunkPort, agentsPort: telephone.agentsPort },
    city,
    demo,
    control,
    db: database.db,
    pids: { switch: telephone.pid, postgres: database.pid },
  };
}

function noSwitch(config: Config, cause: unknown): SetupError {
  return new SetupError(
    config.switch.kind === 'freeswitch'
      ? `FREESWITCH_ESL: no link to FreeSWITCH at ${config.switch.nodes.map(nodeName).join(' or ')}; is it running, and is FREESWITCH_ESL_PASSWORD right?`
      : 'ESL_PORT: the embedded switch does not answer',
    { cause },
  );
}

function loadVoice(config: Config, city: CityProfile): { prompts: Prompts; flow: Flow } {
  const cityFolder = join(config.citiesFolder, config.city);
  const prompts = loadPrompts([config.promptsFolder], requiredPromptIds, [join(cityFolder, 'prompts')]);
  const cityFlows = join(cityFolder, 'ivr-flows');
  const flows = loadFlows([config.flowsFolder, ...(existsSync(cityFlows) ? [cityFlows] : [])]);
  requireSoundFlows(flows, { knownPrompts: prompts.known, knownQueues: new Set(city.queues.map((queue) => queue.id)) });
  const flow = flows.get(config.flow);
  if (flow === undefined)
    throw new SetupError(`FLOW: there is no flow "${config.flow}"; known are ${[...flows.keys()].join(', ')}`);
  return { prompts, flow };
}

/** The database, as soon as this control leads on it. */
async function openStore(
  config: Config,
  log: PinoLogger,
  closers: Closer[],
  hooks: LeaderHooks & { onLost: () => void },
) {
  let url: Secret;
  let pid: number | undefined;
  if (config.database.kind === 'embedded') {
    const postgres = await startEmbeddedPostgres({
      folder: config.database.folder,
      osUserName: config.database.osUserName,
      log,
    });
    closers.push(() => postgres.stop());
    url = new Secret(postgres.url);
    pid = postgres.pid;
  } else {
    url = config.database.url;
  }
  await migrate({ url, log });
  const store = new LeaderStore(url, log);
  closers.push(() => store.close());
  const leadership = await lead(config, store, log, closers, hooks);
  const db = openDatabase({ url, applicationName: controlApplication, log, controlEpoch: leadership.epoch });
  closers.push(() => db.destroy());
  return { db, pid, leadership, store };
}

/** Waits until this control leads; until then it answers at its web address that it only waits. */
async function lead(
  config: Config,
  store: LeaderStore,
  log: PinoLogger,
  closers: Closer[],
  hooks: LeaderHooks & { onLost: () => void },
): Promise<Leadership> {
  const { host, port } = config.http;
  let waiting: StandbyHttp | undefined;
  const leadership = await becomeLeader({
    store,
    holder: await thisProcess(),
    webUrl: `http://${host}:${port}`,
    sole: config.database.kind === 'embedded',
    log,
    onStandby: async (leader) => {
      waiting = await listenAsStandby(host, port, leader.webUrl).catch((error: unknown) => {
        throw portProblem(config, error);
      });
      log.info({ epoch: leader.epoch, leader: leader.webUrl }, 'another control leads: this one stands by');
      hooks.onStandby?.(leader.webUrl);
    },
    onLost: hooks.onLost,
    stop: hooks.stop,
  }).finally(() => waiting?.close());
  closers.push(() => leadership.release());
  log.info({ epoch: leadership.epoch, orderly: leadership.orderly }, 'this control leads');
  if (!leadership.orderly) await leadership.endOthers();
  return leadership;
}

async function openSwitch(
  config: Config,
  city: CityProfile,
  { db, leadership }: { db: Kysely<Database>; leadership: Leadership },
  log: PinoLogger,
  closers: Closer[],
) {
  await mkdir(config.recordingsFolder, { recursive: true }).catch((error: unknown) => {
    throw new SetupError(`RECORDINGS_FOLDER: ${config.recordingsFolder} can't be made`, { cause: error });
  });
  const link = {
    domain: config.sip.domain,
    recordingsFolder: config.recordingsFolder,
    commandDeadlineMs,
    wayOutAfterS: config.calls.wayOutAfterS,
    log,
    clock: systemClock,
    ids: randomIds,
    gate: leadership,
  };
  // An earlier control that did not leave in order may be frozen and wake up: its connection must be gone by then.
  const endOthers = async (
    address: { host: string; port: number; password: string },
    oneOfSeveral = false,
  ): Promise<void> => {
    if (leadership.orderly) return;
    await endOtherConnections(
      { ...address, clock: systemClock, log },
      oneOfSeveral ? nodeReadyWithinMs : switchReadyWithinMs,
    ).catch((error: unknown) => {
      throw noSwitch(config, error);
    });
  };
  if (config.switch.kind === 'freeswitch') {
    const { trunkPort, agentsPort } = config.sip;
    const { nodes, password, confFolders } = config.switch;
    const files = confFolders.length === 0 ? undefined : new PhoneFiles(confFolders, config.sip.domain);
    await files?.check();
    const ended = await Promise.allSettled(
      nodes.map((node) => endOthers({ ...node, password: password.reveal() }, nodes.length > 1)),
    );
    // Of several nodes one may be down, with whatever was connected to it; without any there is no switch.
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed !== undefined && ended.every((one) => one.status === 'rejected')) throw failed.reason;
    return {
      port: freeSwitchPort(config.switch, link),
      writePhones: files && whileLeading(leadership, (phones) => files.write(freeSwitchUsers(phones))),
      pid: undefined,
      trunkPort,
      agentsPort,
    };
  }
  const password = await eslPassword(config.dataFolder);
  const settings = await embeddedSwitchSettings(config, city, db, password);
  const launched = await keepEmbeddedSwitch(settings, config.dataFolder, log);
  closers.push(() => launched.stop());
  const { trunk, agents, esl } = launched.ports;
  if (launched.adopted) await endOthers({ host: '127.0.0.1', port: esl, password });
  return {
    port: createFreeSwitch({ host: '127.0.0.1', port: esl, password, ...link }),
    writePhones: (phones: readonly SwitchPhone[]) => launched.writePhones(embeddedUsers(phones)),
    pid: launched.pid,
    trunkPort: trunk,
    agentsPort: agents,
  };
}

/** One that was frozen while another took over must not write its old list over the newer one. */
function whileLeading(
  leadership: Leadership,
  write: (phones: readonly SwitchPhone[]) => Promise<void>,
): (phones: readonly SwitchPhone[]) => Promise<void> {
  return async (phones) => {
    if (await leadership.mayAct()) await write(phones);
  };
}

const nodeName = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;

/** One FreeSWITCH, or several nodes as one. */
function freeSwitchPort(
  { nodes, nodeLostMs, password }: Extract<Config['switch'], { kind: 'freeswitch' }>,
  link: Omit<FreeSwitchOptions, 'host' | 'port' | 'password'>,
): TelephoneSwitch {
  const adapters = nodes.map((node) => ({
    name: nodeName(node),
    telephone: createFreeSwitch({ ...node, password: password.reveal(), ...link }),
  }));
  const only = adapters.length === 1 ? adapters[0] : undefined;
  return only?.telephone ?? createCluster({ nodes: adapters, nodeLostMs, clock: link.clock, log: link.log });
}

async function listen(
  http: HttpApp,
  hub: DeskHub,
  config: Config,
  log: PinoLogger,
  closers: Closer[],
): Promise<string> {
  http.server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/desk' || !sameOrigin(request.headers)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    hub.upgrade(request, socket, head).catch((error: unknown) => {
      log.error({ err: error }, 'a desk socket could not be opened');
      socket.destroy();
    });
  });
  closers.push(async () => {
    await hub.close();
    await http.close();
  });
  const { host, port } = config.http;
  return http.listen({ host, port }).catch((error: unknown) => {
    throw portProblem(config, error);
  });
}

function portProblem({ http: { host, port } }: Config, cause: unknown): SetupError {
  const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  const words = cause instanceof Error ? cause.message : String(cause);
  return new SetupError(
    `HTTP_PORT: ${host}:${port} ${taken ? 'is taken by another program' : `can't be used (${words})`}`,
    { cause },
  );
}

/** A page of another site must not open a desk with the agent's cookie (cross-site WebSocket hijacking). */
function sameOrigin(headers: { origin?: string | undefined; host?: string | undefined }): boolean {
  if (headers.origin === undefined) return true;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
}

function cookieOf(header: string | undefined): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === sessionCookie)?.[1];
}

/** The service's logger: JSON lines, readable ones on a terminal. Secrets are wrapped, and headers that carry some are cut. */
export function createLog(level: Config['logLevel']): PinoLogger {
  const redact = {
    paths: ['req.headers.cookie', 'req.headers.authorization', 'password', '*.password'],
    censor: '[hidden]',
  };
  return pino({ level, redact }, pino.destination({ dest: 2, sync: false }));
}
