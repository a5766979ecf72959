/** What every conformance test needs: the switch, an ESL connection, phones, and the ways to get them talking. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { EslTestClient } from './esl-test-client.ts';
import { freePort } from './free-ports.ts';
import type { Waiting } from './phone/call.ts';
import type { IncomingCall } from './phone/incoming-call.ts';
import type { OutgoingCall } from './phone/outgoing-call.ts';
import { type CallOptions, createPhone, type PhoneOptions, type TestPhone } from './phone/phone.ts';
import { type SwitchUnderTest, type SwitchUnderTestOptions, startSwitchUnderTest } from './switch.ts';

const emptyMs = 10_000;

/** A citizen's call and its leg in the switch. */
export interface Citizen {
  readonly phone: TestPhone;
  readonly call: OutgoingCall;
  readonly leg: string;
}

/** A phone that the switch rings, and its leg. */
export interface Callee {
  readonly phone: TestPhone;
  readonly call: IncomingCall;
  readonly leg: string;
  /** Resolves with the originate's own result: `+OK <uuid>` or `-ERR CAUSE`. */
  readonly originated: Promise<string>;
}

export type OwnPhoneOptions = Partial<PhoneOptions>;

/** What is there once the switch runs. */
interface Parts {
  readonly sut: SwitchUnderTest;
  esl: EslTestClient;
  readonly passwords: ReadonlyMap<string, string>;
  readonly gatewayPort: number;
}

export class Bench {
  readonly #phones = new Set<TestPhone>();
  #parts: Parts | undefined;

  /** Starts the switch with the users 1001 to 1004 and a gateway `subcentre`. */
  static async open(options: SwitchUnderTestOptions = {}): Promise<Bench> {
    const bench = new Bench();
    await bench.start(options);
    return bench;
  }

  /** For a bench that a test file has from its first line on; before that it can't be used. */
  async start(options: SwitchUnderTestOptions = {}): Promise<void> {
    const passwords = new Map(
      ['1001', '1002', '1003', '1004'].map((user) => [user, randomBytes(9).toString('base64url')]),
    );
    const users = [...passwords].map(([user, password]) => ({ user, password }));
    const gatewayPort = await freePort();
    const gateways = [{ name: 'subcentre', host: '127.0.0.1', port: gatewayPort, transport: 'udp' as const }];
    const sut = await startSwitchUnderTest({ users, gateways, ...options });
    this.#parts = { sut, esl: await EslTestClient.open(sut.esl), passwords, gatewayPort };
  }

  get #started(): Parts {
    if (this.#parts === undefined) throw new Error('the bench has not been started');
    return this.#parts;
  }

  get sut(): SwitchUnderTest {
    return this.#started.sut;
  }

  get esl(): EslTestClient {
    return this.#started.esl;
  }

  /** Where the phone behind the gateway `subcentre` must listen. */
  get gatewayPort(): number {
    return this.#started.gatewayPort;
  }

  /** Connects anew, for a test that has ended the connection. */
  async reconnect(): Promise<void> {
    await eventually(() =>
      EslTestClient.open(this.sut.esl).then(
        (esl) => {
          this.#started.esl = esl;
          return true;
        },
        // The switch does not listen yet.
        () => false,
      ),
    );
  }

  passwordOf(user: string): string {
    return this.#started.passwords.get(user) ?? '';
  }

  /** A phone at one of the two sides. It is closed by `settle`. */
  async phone(side: 'trunk' | 'agents', options: OwnPhoneOptions & Pick<PhoneOptions, 'user'>): Promise<TestPhone> {
    const phone = await createPhone({ server: this.sut[side], ...options });
    this.#phones.add(phone);
    return phone;
  }

  /** A registered softphone. */
  async agent(user: string, options: OwnPhoneOptions = {}): Promise<TestPhone> {
    const phone = await this.phone('agents', {
      user,
      password: this.passwordOf(user),
      domain: this.sut.domain,
      ...options,
    });
    await phone.register();
    return phone;
  }

  /** A citizen rings; resolves when the leg is parked. The dialplan's fallback stays armed. */
  async rings(options: OwnPhoneOptions & CallOptions & { readonly number?: string } = {}): Promise<Citizen> {
    const phone = await this.phone('trunk', { user: '13800000001', ...options });
    const call = await phone.call(options.number ?? '12345', options);
    const parked = await this.esl.event('CHANNEL_PARK', { variable_sip_call_id: call.callId });
    return { phone, call, leg: parked.headers['Unique-ID'] ?? '' };
  }

  /** A citizen rings, and control takes the call over and answers it. */
  async answeredCitizen(options: OwnPhoneOptions & CallOptions = {}): Promise<Citizen> {
    const citizen = await this.rings(options);
    await this.ok(`sched_del ${citizen.leg}`);
    await this.ok(`uuid_answer ${citizen.leg}`);
    await citizen.call.answered();
    return citizen;
  }

  /** Rings a registered phone; resolves when the INVITE is there. */
  async ringsAgent(phone: TestPhone, user: string, vars: Readonly<Record<string, string>> = {}): Promise<Callee> {
    return await this.originate(phone, `sofia/agents/${user}%${this.sut.domain}`, vars);
  }

  async originate(phone: TestPhone, dialString: string, vars: Readonly<Record<string, string>> = {}): Promise<Callee> {
    const leg = randomUUID();
    const originated = this.esl.bgapi(originateCommand(leg, dialString, vars));
    const call = await phone.nextInvite();
    return { phone, call, leg, originated };
  }

  /** An agent's phone rung and answered, its leg parked. */
  async answeredAgent(user: string, options: OwnPhoneOptions = {}): Promise<Callee> {
    const phone = await this.agent(user, options);
    const callee = await this.ringsAgent(phone, user);
    callee.call.answer();
    await this.parked(callee.leg);
    return callee;
  }

  /** Citizen and agent in a bridge. */
  async talk(tones: { readonly citizenHz: number; readonly agentHz: number }): Promise<[Citizen, Callee]> {
    const citizen = await this.answeredCitizen({ toneHz: tones.citizenHz });
    const agent = await this.answeredAgent('1001', { toneHz: tones.agentHz });
    await this.bridge(citizen.leg, agent.leg);
    return [citizen, agent];
  }

  /** Bridges two legs; resolves when they are, a moment after the command's +OK. */
  async bridge(a: string, b: string): Promise<void> {
    const ends = { 'Bridge-A-Unique-ID': a, 'Bridge-B-Unique-ID': b };
    const nth = this.esl.eventsSoFar('CHANNEL_BRIDGE', ends).length + 1;
    await this.ok(`uuid_bridge ${a} ${b}`);
    await this.esl.event('CHANNEL_BRIDGE', ends, { nth });
  }

  /** The `nth` time that the leg is parked. */
  async parked(leg: string, nth = 1, { withinMs = 5000 }: Waiting = {}): Promise<void> {
    await this.esl.event('CHANNEL_PARK', { 'Unique-ID': leg }, { nth, withinMs });
  }

  /** The headers of the leg's last event. */
  async ended(leg: string, { withinMs = 5000 }: Waiting = {}): Promise<Readonly<Record<string, string>>> {
    return (await this.esl.event('CHANNEL_HANGUP_COMPLETE', { 'Unique-ID': leg }, { withinMs })).headers;
  }

  /** An api command that must say +OK. */
  async ok(command: string): Promise<string> {
    const answer = await this.esl.api(command);
    if (!answer.startsWith('+OK')) throw new Error(`"api ${command}" said ${answer}`);
    return answer;
  }

  /** How many legs the switch has. */
  async legCount(): Promise<number> {
    const list: unknown = JSON.parse(await this.esl.api('show channels as json'));
    if (typeof list !== 'object' || list === null || !('row_count' in list)) throw new Error('no row_count');
    return Number(list.row_count);
  }

  /** Ends the phones of the last test and waits until the switch has no leg left. */
  async settle(): Promise<void> {
    for (const phone of this.#phones) await phone.close();
    this.#phones.clear();
    const deadline = performance.now() + emptyMs;
    while ((await this.legCount()) > 0) {
      if (performance.now() > deadline) {
        throw new Error(`legs are left over: ${await this.esl.api('show channels as json')}`);
      }
      await pause(50);
    }
  }

  async close(): Promise<void> {
    await this.esl.close();
    await this.sut.stop();
  }
}

/** Asks again until it holds, for what no event tells; at most 10 s. */
export async function eventually(holds: () => Promise<boolean>, withinMs = emptyMs): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`did not come to hold within ${withinMs} ms`);
    await pause(50);
  }
}

/** The `originate` of the contract, with the variables that control sends. */
export function originateCommand(leg: string, dialString: string, vars: Readonly<Record<string, string>> = {}): string {
  const all = {
    origination_uuid: leg,
    originate_timeout: '20',
    ignore_early_media: 'true',
    origination_caller_id_number: '13800000001',
    yht_role: 'agent',
    RECORD_STEREO: 'true',
    transfer_after_bridge: 'parked:XML:yihaotong',
    park_timeout: '20:NORMAL_CLEARING',
    ...vars,
  };
  const list = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  return `originate {${list.join(',')}}${dialString} &park()`;
}
