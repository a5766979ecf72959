/**
 * The whole hotline for end-to-end tests: the real service on a database of the test's own, the switch under test,
 * phones and desks. Everything is closed at the end, and what was left over fails the file.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { createLog, type RunningApp, startApp } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { projectFolder } from '../../../src/config/project.ts';
import { Secret } from '../../../src/config/secret.ts';
import { randomIds } from '../../../src/kernel/ids.ts';
import { hashPassword, sipHa1Md5 } from '../../../src/store/passwords.ts';
import { createPerson } from '../../../src/store/people.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { EslTestClient } from '../esl-test-client.ts';
import { freePort } from '../free-ports.ts';
import { Kamailio } from '../kamailio.ts';
import { createPhone, type PhoneOptions, type TestPhone } from '../phone/phone.ts';
import type { SocketAddress } from '../phone/transport.ts';
import { type SwitchUnderTest, type SwitchUnderTestOptions, startSwitchUnderTest, testDomain } from '../switch.ts';
import { TcpProxy } from '../tcp-proxy.ts';
import { Watch } from '../watch.ts';
import { type CityOptions, writeCity } from './city.ts';
import { DeskClient } from './desk-client.ts';
import { ServiceProcess } from './service-process.ts';

export const demoPassword = 'secret-for-tests-only';

export interface TestPerson {
  readonly login: string;
  readonly name: string;
  readonly role: 'agent' | 'supervisor' | 'subcentre';
  readonly extension: string | null;
  readonly hotlineNumber: string | null;
}

export const people: readonly TestPerson[] = [
  { login: '1001', name: '王敏', role: 'agent', extension: '1001', hotlineNumber: null },
  { login: '1002', name: '李强', role: 'agent', extension: '1002', hotlineNumber: null },
  { login: 'banzhang', name: '班长', role: 'supervisor', extension: '1009', hotlineNumber: null },
  { login: '12366', name: '税务分中心', role: 'subcentre', extension: null, hotlineNumber: '12366' },
];

export interface HotlineOptions extends CityOptions {
  /** The service runs as a process of its own, so that it can be killed; `app` is not there then. */
  readonly ownProcess?: boolean;
  /** The service reaches its database through a hop that `cutDatabase` cuts. */
  readonly databaseProxy?: boolean;
  /** The service reaches its switch through a hop that `cutSwitch` cuts. */
  readonly switchProxy?: boolean;
  /** Two switch nodes with Kamailio in front of them; phones go to Kamailio. */
  readonly nodes?: boolean;
  /** With `nodes`: the service reaches the second one through a hop that `cutNode` cuts. */
  readonly nodeProxy?: boolean;
  /** Control keeps the phones in FreeSWITCH's configuration folder. */
  readonly keepsPhones?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly people?: readonly TestPerson[];
}

/** What a test works with. */
export interface Hotline {
  readonly app: RunningApp;
  readonly process: ServiceProcess;
  readonly database: TestDatabase;
  readonly switch: SwitchUnderTest;
  /** With `nodes`: the second node, and what stands in front of both. */
  readonly otherSwitch: SwitchUnderTest;
  readonly kamailio: Kamailio;
  /** Where the service reaches the second node. */
  readonly otherEsl: SocketAddress;
  readonly subcentrePort: number;
  readonly webUrl: string;
  /** An agent's phone, registered. */
  agentPhone(extension: string, options?: Partial<PhoneOptions>): Promise<TestPhone>;
  /** A citizen's phone on the trunk side. */
  citizen(number: string, options?: Partial<PhoneOptions>): Promise<TestPhone>;
  /** The sub-centre's exchange behind the gateway of 12366. */
  subcentre(options?: Partial<PhoneOptions>): Promise<TestPhone>;
  /** A desk that is signed in and connected. */
  desk(login: string): Promise<DeskClient>;
  /** Resolves when this call is over and forgotten by the service. */
  callOver(callId: string): Promise<void>;
  /** Cuts the service off from its database, or lets it through again. */
  cutDatabase(cut: boolean): void;
  /** Cuts the service off from its switch, or lets it through again. */
  cutSwitch(cut: boolean): void;
  /** Cuts all services off from the second node, or lets them through again. */
  cutNode(cut: boolean): void;
  /**
   * A second service on the same database and switch, with a data folder of its own; it stands by. `cutDatabase` does not
   * touch it. With `leads` it is waited for until it leads.
   */
  standby(options?: { readonly leads?: boolean }): Promise<ServiceProcess>;
  /** Stops and starts the service on the same data and switch, as a restart does. */
  restart(): Promise<void>;
}

const testLogLevel = process.env.TEST_LOG_LEVEL ?? 'silent';
/** Set to look at a failed test's folders afterwards. */
const keepFolders = process.env.TEST_KEEP_FOLDERS !== undefined;

/** Registers set-up and clean-up with vitest; the result is usable inside tests. */
export function startHotline(options: HotlineOptions = {}): Hotline {
  const database = testDatabase();
  const phones: TestPhone[] = [];
  const desks: DeskClient[] = [];
  let folder: string;
  let app: RunningApp | undefined;
  let process: ServiceProcess | undefined;
  const standbys: ServiceProcess[] = [];
  let proxy: TcpProxy | undefined;
  let switchProxy: TcpProxy | undefined;
  let nodeProxy: TcpProxy | undefined;
  let otherEsl: SocketAddress | undefined;
  let telephoneSwitch: SwitchUnderTest | undefined;
  let otherSwitch: SwitchUnderTest | undefined;
  let kamailio: Kamailio | undefined;
  let subcentrePort = 0;
  let environment: Record<string, string> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yht-hotline-'));
    subcentrePort = await freePort('127.0.0.1');
    await writeCity(folder, subcentrePort, options);
    const who = options.people ?? people;
    const switchOptions: SwitchUnderTestOptions = {
      users: who.flatMap(({ extension }) => (extension === null ? [] : [{ user: extension, password: demoPassword }])),
      gateways: [{ name: 'subcentre-12366', host: '127.0.0.1', port: subcentrePort, transport: 'udp' }],
      hotlineNumbers: ['12345', '12348'],
      promptsFolder: join(projectFolder, 'prompts'),
    };
    telephoneSwitch = await startSwitchUnderTest(switchOptions);
    if (options.nodes === true) {
      otherSwitch = await startSwitchUnderTest({ ...switchOptions, beside: telephoneSwitch });
      kamailio = await Kamailio.start([telephoneSwitch, otherSwitch]);
      otherEsl = otherSwitch.esl;
      if (options.nodeProxy === true) {
        nodeProxy = new TcpProxy(otherEsl);
        otherEsl = { host: '127.0.0.1', port: await nodeProxy.listen() };
      }
    }
    const passwordHash = await hashPassword(new Secret(demoPassword));
    for (const person of who) {
      const sipHa1 =
        person.extension === null ? null : sipHa1Md5(person.extension, testDomain, new Secret(demoPassword));
      await createPerson(database.db, {
        ...person,
        id: randomIds.uuid(),
        passwordHash,
        sipHa1Md5: sipHa1,
        createdAtMs: Date.now(),
      });
    }
    let { esl } = telephoneSwitch;
    if (options.switchProxy === true) {
      switchProxy = new TcpProxy(esl);
      esl = { ...esl, port: await switchProxy.listen() };
    }
    let databaseUrl = database.url;
    if (options.databaseProxy === true) {
      const url = new URL(database.url);
      proxy = new TcpProxy({ host: url.hostname, port: Number(url.port) });
      url.port = String(await proxy.listen());
      databaseUrl = url.toString();
    }
    environment = {
      DATABASE_URL: databaseUrl,
      DATA_FOLDER: join(folder, 'data'),
      CITIES_FOLDER: join(folder, 'cities'),
      FLOWS_FOLDER: join(folder, 'ivr-flows'),
      FREESWITCH_ESL: [esl, ...(otherEsl === undefined ? [] : [otherEsl])]
        .map(({ host, port }) => `${host}:${port}`)
        .join(','),
      FREESWITCH_ESL_PASSWORD: esl.password,
      ...(options.keepsPhones === true ? { FREESWITCH_CONF: telephoneSwitch.confFolder } : {}),
      RECORDINGS_FOLDER: telephoneSwitch.recordingsFolder,
      PROMPTS_FOLDER: telephoneSwitch.promptsFolder,
      HTTP_PORT: '0',
      FLOW: 'straight',
      LOG_LEVEL: testLogLevel,
      WRAP_UP_MS: '60000',
      RATING: 'off',
      ...options.environment,
    };
    if (options.ownProcess === true) process = await ServiceProcess.start(environment, folder);
    else app = await startApp(loadConfig(environment), createLog(loadConfig(environment).logLevel));
  });

  afterAll(async () => {
    for (const desk of desks) desk.close();
    await Promise.all(phones.map((phone) => phone.close()));
    const switches = [telephoneSwitch, otherSwitch].filter((one) => one !== undefined);
    // A switch that a failed test left dead can't be asked; everything must be stopped all the same.
    const left = await Promise.all(switches.map((one) => legsLeft(one))).then((lists) => lists.join(''), String);
    await app?.close();
    await process?.stop();
    for (const standby of standbys) await standby.stop();
    await proxy?.close();
    await switchProxy?.close();
    await nodeProxy?.close();
    await kamailio?.stop();
    await otherSwitch?.stop();
    await telephoneSwitch?.stop();
    if (keepFolders) console.log(`kept ${folder}`);
    else await rm(folder, { recursive: true, force: true });
    expect(left, 'legs left over on the switch').toBe('');
  });

  const running = (): { app: RunningApp; switch: SwitchUnderTest } => {
    if (app === undefined || telephoneSwitch === undefined) throw new Error('The hotline runs only while tests run.');
    return { app, switch: telephoneSwitch };
  };
  const theSwitch = (): SwitchUnderTest => {
    if (telephoneSwitch === undefined) throw new Error('The hotline runs only while tests run.');
    return telephoneSwitch;
  };
  const inFront = (): { trunk: SocketAddress; agents: SocketAddress } => kamailio ?? theSwitch();
  const webUrl = (): string => process?.webUrl ?? running().app.webUrl;
  const keep = async (options: PhoneOptions): Promise<TestPhone> => {
    const phone = await createPhone(options);
    phones.push(phone);
    return phone;
  };
  return {
    get app() {
      return running().app;
    },
    get process() {
      if (process === undefined) throw new Error('The service does not run as a process of its own.');
      return process;
    },
    get database() {
      return database;
    },
    get switch() {
      return theSwitch();
    },
    get otherSwitch() {
      if (otherSwitch === undefined) throw new Error('The hotline was started with one switch.');
      return otherSwitch;
    },
    get kamailio() {
      if (kamailio === undefined) throw new Error('The hotline was started without Kamailio.');
      return kamailio;
    },
    get webUrl() {
      return webUrl();
    },
    get otherEsl() {
      if (otherEsl === undefined) throw new Error('The hotline was started with one switch.');
      return otherEsl;
    },
    get subcentrePort() {
      return subcentrePort;
    },
    async agentPhone(extension, options = {}) {
      const phone = await keep({
        server: inFront().agents,
        user: extension,
        password: demoPassword,
        domain: testDomain,
        ...options,
      });
      await phone.register();
      return phone;
    },
    citizen: (number, options = {}) => keep({ server: inFront().trunk, user: number, ...options }),
    subcentre: (options = {}) =>
      keep({ server: theSwitch().trunk, user: '12366', localPort: subcentrePort, ...options }),
    async desk(login) {
      const desk = await DeskClient.signIn(webUrl(), login, demoPassword);
      await desk.open();
      desks.push(desk);
      return desk;
    },
    async callOver(callId) {
      const { runtime } = running().app.control;
      const watch = new Watch(`call ${callId}`);
      const nothing = () => undefined;
      runtime.observe({
        onCall: (_before, after) => watch.note(`${after.id} ${after.state}`),
        onOffer: nothing,
        onOfferGone: nothing,
        onConsult: nothing,
        onNotice: nothing,
      });
      await watch.until('the end', 15_000, () => {
        const call = runtime.get(callId);
        return call === undefined || call.state === 'ended' ? true : undefined;
      });
    },
    cutDatabase(cut) {
      if (proxy === undefined) throw new Error('The hotline was started without a hop to its database.');
      proxy.cut(cut);
    },
    cutSwitch(cut) {
      if (switchProxy === undefined) throw new Error('The hotline was started without a hop to its switch.');
      switchProxy.cut(cut);
    },
    cutNode(cut) {
      if (nodeProxy === undefined) throw new Error('The hotline was started without a hop to its second node.');
      nodeProxy.cut(cut);
    },
    async standby({ leads = false } = {}) {
      const number = standbys.length + 1;
      const own = { ...environment, DATABASE_URL: database.url, DATA_FOLDER: join(folder, `standby-${number}`) };
      const service = await ServiceProcess.prepare(own, join(folder, `standby-${number}.log`));
      standbys.push(service);
      if (leads) await service.start();
      else await service.startAsStandby();
      return service;
    },
    async restart() {
      await running().app.close();
      app = await startApp(loadConfig(environment), createLog(loadConfig(environment).logLevel));
    },
  };
}

/** How many legs are still there, after those that are going have had a moment to go. */
export async function legsLeft(telephoneSwitch: SwitchUnderTest): Promise<string> {
  const esl = await EslTestClient.open(telephoneSwitch.esl, '');
  try {
    for (let tries = 0; ; tries += 1) {
      const { rows = [] } = JSON.parse(await esl.api('show channels as json')) as { rows?: { uuid: string }[] };
      // FreeSWITCH's list keeps the row of a leg that hung up while it was being bridged.
      const left: string[] = [];
      for (const row of rows) if ((await esl.api(`uuid_exists ${row.uuid}`)) === 'true') left.push(JSON.stringify(row));
      if (left.length === 0) return '';
      if (tries >= 20) return left.join('\n');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await esl.close();
  }
}
