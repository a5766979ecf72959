/** What only the embedded switch does, over its real sockets; what it shares with FreeSWITCH is in conformance/. */
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmbeddedSwitchSettings } from '../../src/switch/embedded/config.ts';
import { MAX_QUEUED_EVENTS, Outbox } from '../../src/switch/embedded/esl-server/outbox.ts';
import { type LaunchedSwitch, launchEmbeddedSwitch } from '../../src/switch/embedded/launch.ts';
import { digestHa1 } from '../../src/switch/embedded/sip/digest.ts';
import { contractEvents, EslTestClient } from '../support/esl-test-client.ts';
import { rtpPortBlock } from '../support/free-ports.ts';
import { createPhone, type TestPhone } from '../support/phone/phone.ts';
import { RecordedLog } from '../support/recorded-log.ts';
import { Watch } from '../support/watch.ts';

const host = '127.0.0.1';
const domain = 'yihaotong.local';
const password = 'a-password-for-tests';

let folder: string;
let settings: EmbeddedSwitchSettings;
let launched: LaunchedSwitch;
let esl: EslTestClient;
const phones: TestPhone[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yht-smoke-'));
  const { portMin, portMax } = await rtpPortBlock();
  settings = {
    trunkPort: 0,
    agentsPort: 0,
    eslPort: 0,
    eslPassword: password,
    domain,
    carriers: [host],
    hotlineNumbers: ['12345'],
    users: [{ user: '1001', ha1Md5: digestHa1('MD5', '1001', domain, 'right') }],
    rtpPortMin: portMin,
    rtpPortMax: portMax,
    recordingsFolder: join(folder, 'recordings'),
    promptsFolder: join(folder, 'prompts'),
    heartbeatMs: 100,
    limits: { maxCalls: 2 },
    logLevel: 'silent',
  };
  launched = await launchEmbeddedSwitch(settings, { log: new RecordedLog(), configFile: join(folder, 'switch.json') });
  esl = await EslTestClient.open({ host, port: launched.ports.esl, password });
});

afterAll(async () => {
  for (const phone of phones) await phone.close();
  await esl.close();
  await launched.stop();
  await rm(folder, { recursive: true });
});

async function phoneAt(side: 'trunk' | 'agents', user: string, secret?: string): Promise<TestPhone> {
  const phone = await createPhone({
    server: { host, port: launched.ports[side] },
    user,
    domain,
    ...(secret === undefined ? {} : { password: secret }),
  });
  phones.push(phone);
  return phone;
}

/** Sends raw text over UDP and gives the first line that comes back. */
async function tell(text: string): Promise<string> {
  const socket = createSocket('udp4');
  const watch = new Watch('raw socket');
  const lines: string[] = [];
  socket.on('message', (data) => {
    lines.push(data.toString('utf8').split('\r\n')[0] ?? '');
    watch.changed();
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.send(text.replaceAll('\n', '\r\n').replaceAll('PORT', String(port)), launched.ports.trunk, host);
  try {
    return await watch.until('an answer', 5000, () => lines[0]);
  } finally {
    socket.close();
  }
}

const headers = (method: string, branch: string): string =>
  `Via: SIP/2.0/UDP ${host}:PORT;branch=z9hG4bK${branch}\nFrom: <sip:a@${host}>;tag=a\nTo: <sip:12345@${host}>\n` +
  `Call-ID: ${branch}\nCSeq: 1 ${method}\n`;

describe('a request of its own kind', () => {
  it.each([
    [
      'a body cut short',
      `INVITE sip:12345@${host} SIP/2.0\n${headers('INVITE', 'b1')}Content-Length: 99\n\nv=0`,
      '400',
    ],
    ['two methods', `INVITE sip:12345@${host} SIP/2.0\n${headers('BYE', 'b2')}\n`, '400'],
    ['another version', `INVITE sip:12345@${host} SIP/4.0\n${headers('INVITE', 'b3')}\n`, '505'],
    ['no hop left', `INVITE sip:12345@${host} SIP/2.0\n${headers('INVITE', 'b4')}Max-Forwards: 0\n\n`, '483'],
    ['a method of the future', `TELEPORT sip:12345@${host} SIP/2.0\n${headers('TELEPORT', 'b5')}\n`, '405'],
    [
      'an extension that must be known',
      `INVITE sip:1@${host} SIP/2.0\n${headers('INVITE', 'b6')}Require: 100rel\n\n`,
      '420',
    ],
    ['a dialog that nobody knows', `BYE sip:1@${host} SIP/2.0\n${headers('BYE', 'b7')}\n`, '481'],
    [
      'a body of another kind',
      `INVITE sip:12345@${host} SIP/2.0\n${headers('INVITE', 'b8')}Content-Type: text/plain\n\nhi`,
      '415',
    ],
    ['a question whether we live', `OPTIONS sip:${host} SIP/2.0\n${headers('OPTIONS', 'b9')}\n`, '200'],
  ])('with %s gets its answer', async (_what, text, status) => {
    expect(await tell(text)).toMatch(new RegExp(`^SIP/2.0 ${status} `));
  });

  it('that nobody can read is counted, and nothing else', async () => {
    const before = await esl.api('status');
    const malformed = (text: string): number => Number(/profile trunk:.*?(\d+) malformed/.exec(text)?.[1]);
    const socket = createSocket('udp4');
    for (const junk of ['x'.repeat(40), '\0'.repeat(500), 'INVITE '.repeat(300)]) {
      socket.send(junk, launched.ports.trunk, host);
    }
    // The answer to a later datagram of the same socket says that the junk has been through.
    expect(await tell(`OPTIONS sip:${host} SIP/2.0\n${headers('OPTIONS', 'after')}\n`)).toContain('200');
    socket.close();
    expect(malformed(await esl.api('status'))).toBe(malformed(before) + 3);
  });
});

describe('limits', () => {
  it('more calls than maxCalls get 503, and room is made by a hang-up', async () => {
    const caller = await phoneAt('trunk', '13800000001');
    const first = await caller.call('12345');
    const second = await caller.call('12345');
    await first.ringing();
    await second.ringing();
    const third = await caller.call('12345');
    expect(await third.ended()).toMatchObject({ sipStatus: 503 });
    await first.cancel();
    await esl.event('CHANNEL_HANGUP_COMPLETE', { variable_sip_call_id: first.callId });
    const fourth = await caller.call('12345');
    await fourth.ringing();
    await fourth.cancel();
    await second.cancel();
    expect(await esl.api('status')).toContain('1 call(s) refused for overload');
  });

  it('a wrong ESL password is told and the door shut; the right one is still taken', async () => {
    const address = { host, port: launched.ports.esl };
    for (let count = 0; count < 3; count += 1) {
      const client = await EslTestClient.openBare(address);
      expect(await client.command('auth wrong')).toBe('-ERR invalid');
      await client.closedByPeer();
    }
    const client = await EslTestClient.open({ ...address, password });
    expect(await client.api('uuid_exists x')).toBe('false');
    await client.close();
  });

  it('a client that asks for something before its password is sent away', async () => {
    const client = await EslTestClient.openBare({ host, port: launched.ports.esl });
    expect(await client.command('api status')).toBe('-ERR command not found');
    await client.closedByPeer();
  });
});

describe('a client that does not read', () => {
  it('is given up when 100,000 events wait; one that reads late gets every one in its order', async () => {
    const server = createServer();
    server.listen(0, host);
    await once(server, 'listening');
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const reader = connect(port, host);
    const [socket] = (await once(server, 'connection')) as [Socket];
    let overflown = 0;
    const outbox = new Outbox(socket, () => {
      overflown += 1;
    });
    const frames = 20_000;
    const line = (index: number): string => String(index).padEnd(500, '.');
    for (let index = 0; index < frames; index += 1) outbox.push(Buffer.from(`${line(index)}\n`));
    expect(outbox.waiting).toBeGreaterThan(0);
    let text = '';
    const watch = new Watch('late reader');
    reader.on('data', (data) => {
      text += data.toString();
      watch.changed();
    });
    await watch.until('the last event', 10_000, () => text.endsWith(`${line(frames - 1)}\n`) || undefined);
    expect(text.split('\n')).toEqual([...Array.from({ length: frames }, (_, index) => line(index)), '']);
    expect(outbox.waiting).toBe(0);

    reader.pause();
    const big = Buffer.alloc(1024, 0x61);
    for (let index = 0; overflown === 0 && index < 2 * MAX_QUEUED_EVENTS; index += 1) outbox.push(big);
    outbox.push(big);
    expect(overflown).toBe(1);
    expect(outbox.waiting).toBe(0);
    socket.destroy();
    reader.destroy();
    server.close();
  });
});

describe('life', () => {
  it('beats', async () => {
    const beat = await esl.event('HEARTBEAT');
    expect(beat.headers).toMatchObject({ 'Event-Info': 'System Ready', 'Max-Sessions': '2' });
  });

  it('takes new numbers and phones on reload', async () => {
    const caller = await phoneAt('trunk', '13800000002');
    const before = await caller.call('12366');
    expect(await before.ended()).toMatchObject({ sipStatus: 404 });
    launched.reload({ ...settings, hotlineNumbers: ['12345', '12366'] });
    // The signal and a call have no order between them: the settings are in force when a call gets through.
    let rang = false;
    for (let attempt = 0; attempt < 100 && !rang; attempt += 1) {
      const call = await caller.call('12366');
      rang = await Promise.race([call.ringing().then(() => true), call.ended().then(() => false)]);
      if (rang) await call.cancel();
    }
    expect(rang).toBe(true);
  });

  it('keeps its settings to itself: they hold the password', async () => {
    const file = join(folder, 'switch.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain(password);
  });

  it('says BYE to everybody and tells control when it stops', async () => {
    const own = await launchEmbeddedSwitch(settings, { log: new RecordedLog() });
    const control = await EslTestClient.open({ host, port: own.ports.esl, password });
    const caller = await createPhone({ server: { host, port: own.ports.trunk }, user: '13800000003', domain });
    phones.push(caller);
    const call = await caller.call('12345');
    const parked = await control.event('CHANNEL_PARK');
    const leg = parked.headers['Unique-ID'] ?? '';
    expect(await control.api(`uuid_answer ${leg}`)).toContain('+OK');
    await call.answered();
    await own.stop();
    expect(await call.ended()).toMatchObject({ by: 'them' });
    const end = await control.event('CHANNEL_HANGUP_COMPLETE', { 'Unique-ID': leg });
    expect(end.headers['Hangup-Cause']).toBe('NORMAL_CLEARING');
    await control.close();
  });

  it.each(['trunkPort', 'agentsPort', 'eslPort'] as const)('names %s when that port is taken', async (name) => {
    const squatter = createServer();
    squatter.listen(0, host);
    await once(squatter, 'listening');
    const address = squatter.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const launching = launchEmbeddedSwitch({ ...settings, [name]: port }, { log: new RecordedLog(), stderr: 'ignore' });
    await expect(launching).rejects.toThrow(new RegExp(`Port ${port} .* taken .*${name}`));
    squatter.close();
  });

  it('names the setting that is wrong', async () => {
    const wrong = { ...settings, carriers: ['everybody'] };
    await expect(launchEmbeddedSwitch(wrong, { log: new RecordedLog() })).rejects.toThrow('carriers');
  });
});

/** Starts a program that launches a switch and tells where it is. */
async function launcherProgram(): Promise<{ ports: LaunchedSwitch['ports']; kill(): void }> {
  const program = join(folder, 'launcher.mts');
  const launchModule = new URL('../../src/switch/embedded/launch.ts', import.meta.url).href;
  await writeFile(
    program,
    `import { launchEmbeddedSwitch } from ${JSON.stringify(launchModule)};
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const launched = await launchEmbeddedSwitch(${JSON.stringify(settings)}, { log });
process.send(launched.ports);
`,
  );
  const loader = pathToFileURL(join(import.meta.dirname, '../../node_modules/tsx/dist/loader.mjs')).href;
  const child = fork(program, { execArgv: ['--import', loader], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [ports] = (await once(child, 'message')) as [LaunchedSwitch['ports']];
  return { ports, kill: () => child.kill('SIGKILL') };
}

describe('a launcher that is killed', () => {
  it('leaves the switch its calls; it ends with the last one', async () => {
    const launcher = await launcherProgram();
    const caller = await createPhone({ server: { host, port: launcher.ports.trunk }, user: '13800000004', domain });
    phones.push(caller);
    const control = await EslTestClient.open({ host, port: launcher.ports.esl, password }, contractEvents);
    const call = await caller.call('12345');
    const leg = (await control.event('CHANNEL_PARK')).headers['Unique-ID'] ?? '';
    await control.api(`uuid_answer ${leg}`);
    await call.answered();
    await control.api(`sched_del ${leg}`);
    launcher.kill();
    await control.close();
    // Another control finds switch and call where they were.
    const next = await EslTestClient.open({ host, port: launcher.ports.esl, password });
    expect(await next.api(`uuid_exists ${leg}`)).toBe('true');
    await call.hangup();
    await next.event('CHANNEL_HANGUP_COMPLETE', { 'Unique-ID': leg });
    await next.close();
    const watch = new Watch('the orphaned switch');
    let refused = false;
    const knock = (): void => {
      const socket = connect(launcher.ports.esl, host);
      socket.on('error', () => {
        refused = true;
        watch.note('refused');
      });
      // Unread bytes would keep its end from being seen.
      socket.resume();
      socket.on('connect', () => socket.on('close', knock));
    };
    knock();
    await watch.until('its end', 10_000, () => (refused ? true : undefined));
  });
});
