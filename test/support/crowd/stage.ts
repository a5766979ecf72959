/**
 * Everything that a crowd of calls needs, as real processes: a PostgreSQL of its own, the switch under test, and one or
 * two controls. It knows nothing of vitest, so that a benchmark can use it.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { projectFolder } from '../../../src/config/project.ts';
import { Secret } from '../../../src/config/secret.ts';
import { sessionCookie } from '../../../src/http/auth.ts';
import { randomIds } from '../../../src/kernel/ids.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { hashPassword, sipHa1Md5 } from '../../../src/store/passwords.ts';
import { createPerson } from '../../../src/store/people.ts';
import type { Database } from '../../../src/store/schema.ts';
import { createSession } from '../../../src/store/sessions.ts';
import { freePort } from '../free-ports.ts';
import { writeCity } from '../hotline/city.ts';
import { ServiceProcess } from '../hotline/service-process.ts';
import { OwnPostgres } from '../own-postgres.ts';
import { silentLog } from '../postgres-server.ts';
import { type SwitchUnderTest, startSwitchUnderTest, testDomain } from '../switch.ts';
import type { PlannedPerson } from './plan.ts';

const sessionMs = 24 * 3_600_000;
/** Two for each leg: a three-way call has three, and there must be room for new calls. */
const rtpPorts = 1200;
/** A caller stays in it as long as he presses a key from time to time. */
const menuTo = (other: string): string => `
    kind: menu
    prompts: [greeting-menu]
    choices: { "1": person, "2": ${other} }
    timeoutMs: 30000
    maxTries: 5
    noInput: [no-input]
    wrongInput: [wrong-input]
    giveUp: person`;
const flow = `id: two-menus
title: 两个菜单
start: first
operatorQueue: citizen
steps:
  first:${menuTo('second')}
  second:${menuTo('first')}
  person:
    kind: queue
    queue: citizen
`;
/** What the callers of the flow hear, by prompt id. */
export const promptTones = { music: 1450, 'greeting-menu': 650, 'no-input': 850, 'wrong-input': 950 } as const;
/** Long enough to be heard by a phone that is busy with the others. */
const promptMs = 3_000;

export interface StageOptions {
  readonly people: readonly PlannedPerson[];
  /** Runs this program in place of the sources. */
  readonly builtService?: string | undefined;
}

export interface StagePerson extends PlannedPerson {
  readonly id: string;
  /** Of the SIP phone. */
  readonly password: string;
  readonly cookie: string;
}

export class Stage {
  readonly people: readonly StagePerson[];
  readonly folder: string;
  readonly postgres: OwnPostgres;
  readonly switch: SwitchUnderTest;
  readonly subcentrePort: number;
  readonly db: Kysely<Database>;
  /** The one that leads, or was started last. */
  service: ServiceProcess;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #builtService: string | undefined;
  readonly #services: ServiceProcess[] = [];

  private constructor(parts: {
    people: readonly StagePerson[];
    folder: string;
    postgres: OwnPostgres;
    telephoneSwitch: SwitchUnderTest;
    subcentrePort: number;
    db: Kysely<Database>;
    service: ServiceProcess;
    environment: Readonly<Record<string, string>>;
    builtService: string | undefined;
  }) {
    this.people = parts.people;
    this.folder = parts.folder;
    this.postgres = parts.postgres;
    this.switch = parts.telephoneSwitch;
    this.subcentrePort = parts.subcentrePort;
    this.db = parts.db;
    this.service = parts.service;
    this.#environment = parts.environment;
    this.#builtService = parts.builtService;
    this.#services.push(parts.service);
  }

  /** Starts everything; the service leads when this resolves. What was started is closed again when it fails. */
  static async open(options: StageOptions): Promise<Stage> {
    const closers: (() => Promise<void>)[] = [];
    try {
      return await Stage.#open(options, closers);
    } catch (error) {
      for (const close of closers.reverse()) await close();
      throw error;
    }
  }

  static async #open(options: StageOptions, closers: (() => Promise<void>)[]): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'yht-crowd-'));
    closers.push(() => removeFolder(folder));
    // As root, PostgreSQL runs as another user, who must be able to pass.
    await chmod(folder, 0o755);
    const passwords = new Map(options.people.map(({ login }) => [login, randomBytes(9).toString('base64url')]));
    const subcentrePort = await freePort('127.0.0.1');
    await writeCity(folder, subcentrePort, { prompts: promptTones, promptMs });
    await writeFlow(folder);
    const [telephoneSwitch, postgres] = await Promise.all([
      startSwitchUnderTest({
        users: options.people.map(({ login, extension }) => ({
          user: extension,
          password: passwords.get(login) ?? '',
        })),
        gateways: [{ name: 'subcentre-12366', host: '127.0.0.1', port: subcentrePort, transport: 'udp' }],
        hotlineNumbers: ['12345'],
        promptsFolder: join(projectFolder, 'prompts'),
        rtpPorts,
      }).then((started) => {
        closers.push(() => started.stop());
        return started;
      }),
      OwnPostgres.start(folder).then((started) => {
        closers.push(() => started.stop());
        return started;
      }),
    ]);
    const url = new Secret(postgres.url);
    await migrate({ url, log: silentLog });
    const db = openDatabase({ url, applicationName: 'yihaotong-test', log: silentLog });
    closers.push(() => db.destroy());
    const people = await storePeople(db, options.people, passwords);
    const environment = {
      DATABASE_URL: postgres.url,
      CITIES_FOLDER: join(folder, 'cities'),
      FLOWS_FOLDER: join(folder, 'ivr-flows'),
      FREESWITCH_ESL: `${telephoneSwitch.esl.host}:${telephoneSwitch.esl.port}`,
      FREESWITCH_ESL_PASSWORD: telephoneSwitch.esl.password,
      RECORDINGS_FOLDER: telephoneSwitch.recordingsFolder,
      PROMPTS_FOLDER: telephoneSwitch.promptsFolder,
      FLOW: 'two-menus',
      RING_TIMEOUT_MS: '120000',
      QUEUE_MAX_WAIT_MS: '7200000',
      WRAP_UP_MS: '3600000',
      RATING: 'off',
    };
    const service = await ServiceProcess.prepare(
      { ...environment, DATA_FOLDER: join(folder, 'data') },
      join(folder, 'service.log'),
      options.builtService,
    );
    closers.push(() => service.stop());
    await service.start();
    const { builtService } = options;
    return new Stage({
      people,
      folder,
      postgres,
      telephoneSwitch,
      subcentrePort,
      db,
      service,
      environment,
      builtService,
    });
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  /** A second service on the same database and switch, with a data folder of its own; it stands by. */
  async standby(): Promise<ServiceProcess> {
    const number = this.#services.length + 1;
    const own = { ...this.#environment, DATA_FOLDER: join(this.folder, `data-${number}`) };
    const service = await ServiceProcess.prepare(own, join(this.folder, `service-${number}.log`), this.#builtService);
    this.#services.push(service);
    await service.startAsStandby();
    return service;
  }

  /** Whether there are two services. */
  get hasOther(): boolean {
    return this.#services.length > 1;
  }

  /** The other one of two services. */
  other(one: ServiceProcess): ServiceProcess {
    const other = this.#services.find((service) => service !== one);
    if (other === undefined) throw new Error('there is one service alone');
    return other;
  }

  async close(): Promise<void> {
    // The one that leads goes last: another one would take over from it.
    for (const service of this.#services.toSorted((a, b) => Number(a === this.service) - Number(b === this.service)))
      await service.stop();
    await this.db.destroy();
    await this.postgres.stop();
    await this.switch.stop();
    await removeFolder(this.folder);
  }
}

async function removeFolder(folder: string): Promise<void> {
  if (process.env.TEST_KEEP_FOLDERS !== undefined) console.log(`kept ${folder}`);
  else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function writeFlow(folder: string): Promise<void> {
  await writeFile(join(folder, 'ivr-flows', 'two-menus.yaml'), flow);
}

/** Everybody is signed in already: hundreds of sign-ins by password would take longer than the test. */
async function storePeople(
  db: Kysely<Database>,
  people: readonly PlannedPerson[],
  passwords: ReadonlyMap<string, string>,
): Promise<StagePerson[]> {
  const passwordHash = await hashPassword(new Secret(randomBytes(18).toString('base64url')));
  const nowMs = Date.now();
  return await Promise.all(
    people.map(async (person) => {
      const id = randomIds.uuid();
      const password = passwords.get(person.login) ?? '';
      const session = randomBytes(32).toString('base64url');
      await createPerson(db, {
        ...person,
        id,
        name: `${person.role === 'agent' ? '话务员' : '班长'}${person.login}`,
        hotlineNumber: null,
        passwordHash,
        sipHa1Md5: sipHa1Md5(person.extension, testDomain, new Secret(password)),
        createdAtMs: nowMs,
      });
      await createSession(db, { token: new Secret(session), personId: id, nowMs, expiresAtMs: nowMs + sessionMs });
      return { ...person, id, password, cookie: `${sessionCookie}=${session}` };
    }),
  );
}
