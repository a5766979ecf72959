/**
 * What floods from unknown sources cost known callers, on loopback: REGISTERs with wrong passwords from fifty addresses
 * at the agents' side, and INVITEs from fifty addresses outside the ACL at the trunk side, a thousand of each a second.
 * Known callers ring meanwhile one after the other, and one conversation goes on. Each switch runs without and with the
 * flood; the flood comes from a process of its own. FreeSWITCH takes part where FREESWITCH_BIN or the PATH has one.
 * Run: `npm run -s bench:flood`; the last line is JSON. With `-- --firewall` everything runs in a network namespace of its
 * own behind freeswitch-conf/firewall/sip.nft (needs `unshare`, `ip` and `nft`).
 */
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Bench } from '../test/support/bench.ts';
import { findFreeswitchBinary } from '../test/support/freeswitch-process.ts';
import { Closers, endChild } from './support/closers.ts';
import { percentilesOf, round } from './support/figures.ts';
import { loadAverage, machineInfo } from './support/machine.ts';

const LIMIT_MS = 240_000;
const FLOOD_MS = 20_000;
const PER_SECOND = 1_000;
const SOURCES = 50;
const BURST_MS = 20;
const SETTLE_MS = 1_000;
/** The switches take 200 new calls a second at most. */
const BETWEEN_CALLS_MS = 10;
const BEHIND_FIREWALL = 'FLOOD_BEHIND_FIREWALL';

interface FloodOrder {
  readonly trunkPort: number;
  readonly agentsPort: number;
}

function head(method: string, user: string, address: string, port: number, count: number): string {
  return [
    `${method} sip:12345@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP ${address}:${port};rport;branch=z9hG4bK${address}.${count}`,
    `From: <sip:${user}@yihaotong.local>;tag=f${count}`,
    `To: <sip:${method === 'REGISTER' ? user : '12345'}@yihaotong.local>`,
    `Call-ID: ${address}.${count}@flood`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:${user}@${address}:${port}>`,
    'Max-Forwards: 70',
  ].join('\r\n');
}

/** One hostile address: its socket, and the last nonce that it was given. */
class Source {
  readonly #socket: Socket;
  readonly #address: string;
  #nonce = 'none';
  #count = 0;
  answers = 0;

  constructor(address: string) {
    this.#address = address;
    this.#socket = createSocket('udp4');
    this.#socket.bind(0, address);
    this.#socket.on('message', (bytes) => {
      this.answers += 1;
      this.#nonce = /nonce="([^"]+)"/.exec(bytes.toString('latin1'))?.[1] ?? this.#nonce;
    });
  }

  register(port: number): void {
    this.#count += 1;
    const user = `10${String(this.#count % 100).padStart(2, '0')}`;
    const digest =
      `Authorization: Digest username="${user}", realm="yihaotong.local", nonce="${this.#nonce}", ` +
      `uri="sip:yihaotong.local", response="${'0123456789abcdef'.repeat(2)}", algorithm=MD5`;
    this.#send(`${head('REGISTER', user, this.#address, this.#socket.address().port, this.#count)}\r\n${digest}`, port);
  }

  invite(port: number): void {
    this.#count += 1;
    this.#send(head('INVITE', '1', this.#address, this.#socket.address().port, this.#count), port);
  }

  #send(text: string, port: number): void {
    this.#socket.send(`${text}\r\nContent-Length: 0\r\n\r\n`, port, '127.0.0.1');
  }

  close(): void {
    this.#socket.close();
  }
}

/** In the flood's own process: sends for a bounded time in small bursts, then tells how much. */
async function flood(order: FloodOrder): Promise<void> {
  const sources = Array.from({ length: SOURCES }, (_, index) => new Source(`127.0.1.${index + 1}`));
  await pause(200);
  const startMs = performance.now();
  let sent = 0;
  while (performance.now() - startMs < FLOOD_MS) {
    const due = Math.floor(((performance.now() - startMs) / 1000) * PER_SECOND);
    for (; sent < due; sent += 1) {
      const source = sources[sent % SOURCES];
      source?.register(order.agentsPort);
      source?.invite(order.trunkPort);
    }
    await pause(BURST_MS);
  }
  const answers = sources.reduce((sum, source) => sum + source.answers, 0);
  for (const source of sources) source.close();
  process.send?.({ sent: sent * 2, answers });
}

/** Known callers ring for the length of a flood, and the packets of a conversation are counted. */
async function measure(bench: Bench) {
  const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 700 });
  await pause(SETTLE_MS);
  const media = [citizen.call.parts.media, agent.call.parts.media];
  const before = media.map(({ receivedPackets }) => receivedPackets);
  const startMs = performance.now();
  const answerMs: number[] = [];
  let unanswered = 0;
  while (performance.now() - startMs < FLOOD_MS) {
    const atMs = performance.now();
    try {
      const { phone, call, leg } = await bench.answeredCitizen();
      answerMs.push(performance.now() - atMs);
      await call.hangup();
      await bench.ended(leg);
      await phone.close();
      await pause(BETWEEN_CALLS_MS);
    } catch (error) {
      // A known caller who is not served is what this is about: he is counted.
      unanswered += 1;
      process.stderr.write(`${String(error)}\n`);
    }
  }
  const expected = ((performance.now() - startMs) / 1000) * 50;
  const received = media.map(({ receivedPackets }, index) => receivedPackets - (before[index] ?? 0));
  await bench.settle();
  const lossPercent = received.map((count) => round(Math.max(0, 100 - (count / expected) * 100)));
  return { calls: answerMs.length, unanswered, answerMs: percentilesOf(answerMs), lossPercent };
}

/** In a process of its own, because the switch under test is chosen by the environment. */
async function runSwitch(closers: Closers) {
  const bench = await Bench.open();
  closers.add('the switch', () => bench.close());
  if (process.env[BEHIND_FIREWALL] !== undefined) raiseFirewall(bench);
  const quiet = await measure(bench);
  const order = JSON.stringify({ trunkPort: bench.sut.trunk.port, agentsPort: bench.sut.agents.port });
  const child = fork(fileURLToPath(import.meta.url), ['flood', order]);
  closers.add('the flood', () => endChild(child));
  const told = once(child, 'message');
  const flooded = await measure(bench);
  const [{ sent, answers }] = (await told) as [{ sent: number; answers: number }];
  const ratio = {
    p50: round(flooded.answerMs.p50 / quiet.answerMs.p50),
    p99: round(flooded.answerMs.p99 / quiet.answerMs.p99),
  };
  return { switch: bench.sut.kind, quiet, flooded, ratio, flood: { sent, answers } };
}

/** In this process's own network namespace: 127.0.0.1 is known, the flood's addresses are not. */
function raiseFirewall({ sut }: Bench): void {
  const rules = fileURLToPath(new URL('../freeswitch-conf/firewall/sip.nft', import.meta.url));
  const file = join(tmpdir(), `yht-flood-${process.pid}.nft`);
  const lines = [
    'flush ruleset',
    `define sip_ports = { ${sut.trunk.port}, ${sut.agents.port} }`,
    'define sip_known = { 127.0.0.1 }',
    `include "${rules}"`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  execFileSync('nft', ['-f', file], { stdio: 'inherit', timeout: 10_000 });
}

/** Runs this bench anew in a network namespace. @returns its exit code. */
function behindFirewall(): number {
  const own = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url)];
  const command = ['--map-root-user', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...own];
  const env = { ...process.env, [BEHIND_FIREWALL]: '1' };
  const { status, error } = spawnSync('unshare', command, { stdio: 'inherit', env, timeout: LIMIT_MS + 10_000 });
  if (error !== undefined) process.stderr.write(`unshare: ${error.message}\n`);
  return status ?? 1;
}

async function main(closers: Closers): Promise<void> {
  const kinds = (await findFreeswitchBinary(process.env)) === undefined ? ['embedded'] : ['embedded', 'freeswitch'];
  const loadBefore = loadAverage();
  const results: unknown[] = [];
  for (const kind of kinds) {
    const env = { ...process.env, SWITCH_UNDER_TEST: kind };
    const child = fork(fileURLToPath(import.meta.url), ['switch'], { env });
    const close = closers.add(kind, () => endChild(child));
    const [result] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => [{ switch: kind, failed: true }]),
    ])) as [unknown];
    results.push(result);
    await close();
  }
  const line = {
    bench: 'flood',
    firewall: process.env[BEHIND_FIREWALL] !== undefined,
    perSecond: PER_SECOND * 2,
    floodMs: FLOOD_MS,
    results,
    loadBefore,
    machine: machineInfo(),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const [part, order = ''] = process.argv.slice(2);
const closers = new Closers();
if (part === '--firewall') {
  process.exitCode = behindFirewall();
} else if (part === 'flood') {
  await flood(JSON.parse(order) as FloodOrder);
  process.disconnect();
} else {
  await closers.run(LIMIT_MS, async () => {
    if (part === 'switch') process.send?.(await runSwitch(closers));
    else await main(closers);
  });
  if (part === 'switch') process.disconnect();
}
