/**
 * Events per second through Event Socket clients: 20,000 channel events of 6.5 KB with 91 headers (Chinese values among
 * them) over loopback, every value decoded; in plain form and as JSON. The switch's part and each client run in
 * processes of their own. Peers that are not installed are left out. Run: `npx tsx bench/esl.ts`; the last line is JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/kernel/clock.ts';
import { randomIds } from '../src/kernel/ids.ts';
import type { Logger } from '../src/kernel/log.ts';
import { EslClient } from '../src/switch/esl/client.ts';
import { encodeFrame, encodePlainEvent, FrameReader } from '../src/switch/esl/wire.ts';

type Format = 'plain' | 'json';

const EVENTS = 20_000;
const BATCH = 50;
const ROUNDS = 3;
const HEADERS = 91;
const PASSWORD = 'bench-only';
const FORMATS: readonly Format[] = ['plain', 'json'];
const CLIENTS = ['yihaotong', 'esl', 'modesl', 'drachtio-modesl'] as const;
type ClientName = (typeof CLIENTS)[number];

/** What a client run gives: all values' characters are added up, so that none is left undecoded. */
interface Run {
  readonly elapsedMs: number;
  /** Of the client's process, from the first event asked for to the last one read. */
  readonly cpuMs: number;
  readonly characters: number;
}

/** A channel event as a switch in use writes it. */
function eventHeaders(): [string, string][] {
  const headers: [string, string][] = [
    ['Event-Name', 'CHANNEL_PARK'],
    ['Core-UUID', '5e3133c3-558e-4509-91be-379fbd966272'],
    ['Event-Date-Local', '2026-11-21 23:41:53'],
    ['Event-Date-Timestamp', '1795304513583552'],
    ['Unique-ID', '957fbdc9-7dcc-44f5-a975-3ee10522859a'],
    ['Caller-Caller-ID-Name', '开封市民张三'],
  ];
  for (let index = headers.length; index < HEADERS; index += 1) {
    const value =
      index % 7 === 0
        ? `郑开大道${index}号，反映路灯不亮`
        : index % 5 === 0
          ? `sip:mod_sofia@192.0.2.${index}:5060;transport=udp`
          : `value-${index}-957fbdc9-7dcc`;
    headers.push([`variable_sip_header_number_${index}`, value]);
  }
  return headers;
}

function encodeEvent(format: Format): Buffer {
  const headers = eventHeaders();
  if (format === 'plain') return encodePlainEvent(headers);
  return encodeFrame([['Content-Type', 'text/event-json']], JSON.stringify(Object.fromEntries(headers)));
}

async function stream(socket: Socket, batch: Buffer): Promise<void> {
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    if (!socket.write(batch)) await once(socket, 'drain');
  }
}

/** The switch's part: answers what clients begin with, and streams all events after `api go`. */
async function serve(format: Format): Promise<void> {
  const batch = Buffer.concat(Array.from({ length: BATCH }, () => encodeEvent(format)));
  const server = createServer((socket) => {
    const reader = new FrameReader();
    socket.on('error', () => socket.destroy());
    socket.write(encodeFrame([['Content-Type', 'auth/request']]));
    socket.on('data', (chunk) => {
      for (const { headers } of reader.push(chunk).frames) {
        if (headers.firstLine.startsWith('api '))
          socket.write(encodeFrame([['Content-Type', 'api/response']], '+OK\n'));
        else
          socket.write(
            encodeFrame([
              ['Content-Type', 'command/reply'],
              ['Reply-Text', '+OK accepted'],
            ]),
          );
        if (headers.firstLine === 'api go') void stream(socket, batch);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.((server.address() as AddressInfo).port);
}

/** Counts events and characters; `done` resolves at the last one. */
class Tally {
  #seen = 0;
  #characters = 0;
  #startedMs = 0;
  #cpuAtStart = process.cpuUsage();
  #finish: (run: Run) => void = () => undefined;
  readonly done = new Promise<Run>((resolve) => {
    this.#finish = resolve;
  });

  start(): void {
    this.#startedMs = performance.now();
    this.#cpuAtStart = process.cpuUsage();
  }

  add(values: Iterable<string>): void {
    for (const value of values) this.#characters += value.length;
    this.#seen += 1;
    if (this.#seen !== EVENTS) return;
    const { user, system } = process.cpuUsage(this.#cpuAtStart);
    const elapsedMs = performance.now() - this.#startedMs;
    this.#finish({ elapsedMs, cpuMs: (user + system) / 1000, characters: this.#characters });
  }
}

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields, message) => console.error(message, fields),
  error: (fields, message) => console.error(message, fields),
  child: () => silent,
};

function* valuesOf(headers: Iterable<readonly [string, string]>): Iterable<string> {
  for (const [, value] of headers) yield value;
}

function runOurs(port: number, format: Format, tally: Tally): void {
  const client = new EslClient({
    host: '127.0.0.1',
    port,
    password: PASSWORD,
    events: ['ALL'],
    format,
    commandDeadlineMs: 5000,
    log: silent,
    clock: systemClock,
    ids: randomIds,
    random: Math.random,
  });
  client.start({
    onUp: () => {
      tally.start();
      void client.api('go');
    },
    onDown: (reason) => console.error(reason),
    onEvent: (event) => tally.add(valuesOf(event.headers())),
  });
}

/** What the benchmark uses of modesl and drachtio-modesl. */
interface Modesl {
  readonly Connection: new (host: string, port: number, password: string, ready: () => void) => ModeslConnection;
}

interface ModeslConnection {
  on(event: string, listener: (event: { readonly headers: readonly { readonly value: string }[] }) => void): void;
  events(format: Format, names: string, done: () => void): void;
  send(line: string): void;
}

function runModesl(name: string, port: number, format: Format, tally: Tally): void {
  const { Connection } = createRequire(import.meta.url)(name) as Modesl;
  const connection = new Connection('127.0.0.1', port, PASSWORD, () => {
    connection.on('esl::event::CHANNEL_PARK::*', (event) =>
      tally.add(event.headers.map((header) => `${header.value}`)),
    );
    connection.events(format, 'ALL', () => {
      tally.start();
      connection.send('api go');
    });
  });
}

/** What the benchmark uses of esl. */
interface Esl {
  readonly FreeSwitchClient: new (
    options: object,
  ) => {
    on(event: 'connect', listener: (call: EslCall) => void): void;
    connect(): void;
  };
}

interface EslCall {
  on(event: string, listener: (event: { readonly body: Readonly<Record<string, string>> }) => void): void;
  api(line: string): Promise<unknown>;
}

async function runEsl(port: number, format: Format, tally: Tally): Promise<void> {
  const { FreeSwitchClient } = (await import('esl')) as unknown as Esl;
  const nothing = () => undefined;
  const client = new FreeSwitchClient({
    host: '127.0.0.1',
    port,
    password: PASSWORD,
    logger: { debug: nothing, info: nothing, error: nothing },
  });
  client.on('connect', (call) => {
    // esl leaves the values of plain events URL-encoded, so whoever uses it decodes them.
    const decode = format === 'plain' ? decodeURIComponent : (value: string): string => value;
    call.on('CHANNEL_PARK', ({ body }) => tally.add(Object.values(body).map((value) => decode(value))));
    tally.start();
    void call.api('go');
  });
  client.connect();
}

async function runClient(name: ClientName, port: number, format: Format): Promise<void> {
  const tally = new Tally();
  if (name === 'yihaotong') runOurs(port, format, tally);
  else if (name === 'esl') await runEsl(port, format, tally);
  else runModesl(name, port, format, tally);
  process.send?.(await tally.done, () => process.exit(0));
}

function start(...args: string[]): ChildProcess {
  return fork(fileURLToPath(import.meta.url), args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

function installed(name: ClientName): boolean {
  if (name === 'yihaotong') return true;
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    console.log(`${name} is not installed: left out`);
    return false;
  }
}

interface Figures {
  readonly eventsPerSecond: number;
  /** Says more than the elapsed time where other programs use the machine as well. */
  readonly cpuMicrosPerEvent: number;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measure(name: ClientName, port: number, format: Format): Promise<Figures> {
  const runs: Run[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = start('client', name, String(port), format);
    const [run] = (await once(child, 'message')) as [Run];
    runs.push(run);
    await once(child, 'exit');
  }
  return {
    eventsPerSecond: Math.round(EVENTS / (median(runs.map((run) => run.elapsedMs)) / 1000)),
    cpuMicrosPerEvent: Math.round((median(runs.map((run) => run.cpuMs)) * 1000) / EVENTS),
  };
}

async function main(): Promise<void> {
  const results: Record<Format, Partial<Record<ClientName, Figures>>> = { plain: {}, json: {} };
  const clients = CLIENTS.filter(installed);
  for (const format of FORMATS) {
    const server = start('serve', format);
    const [port] = (await once(server, 'message')) as [number];
    for (const name of clients) {
      const figures = await measure(name, port, format);
      results[format][name] = figures;
      const { eventsPerSecond, cpuMicrosPerEvent } = figures;
      console.log(`${format}  ${name.padEnd(16)} ${eventsPerSecond} events/s, ${cpuMicrosPerEvent} µs CPU per event`);
    }
    server.kill();
    await once(server, 'exit');
  }
  const bytes = { plain: encodeEvent('plain').length, json: encodeEvent('json').length };
  console.log(JSON.stringify({ bench: 'esl', events: EVENTS, headers: HEADERS, bytes, rounds: ROUNDS, ...results }));
}

const [part, ...args] = process.argv.slice(2);
if (part === 'serve') await serve(args[0] as Format);
else if (part === 'client') await runClient(args[0] as ClientName, Number(args[1]), args[2] as Format);
else await main();
