/** The real Kamailio of Debian with freeswitch-conf/kamailio/, as a process of the test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './free-ports.ts';
import type { SocketAddress } from './phone/transport.ts';
import type { SwitchUnderTest } from './switch.ts';
import { until } from './until.ts';

const configuration = fileURLToPath(new URL('../../freeswitch-conf/kamailio/', import.meta.url));
const logTail = 4000;

const uri = ({ host, port }: SocketAddress): string => `sip:${host}:${port}`;

export class Kamailio {
  readonly trunk: SocketAddress;
  readonly agents: SocketAddress;
  readonly #folder: string;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(folder: string, child: ChildProcess, trunk: SocketAddress, agents: SocketAddress) {
    this.#folder = folder;
    this.#child = child;
    this.trunk = trunk;
    this.agents = agents;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-logTail);
    });
  }

  /** Starts it on free ports in front of these nodes, and waits until all of them have answered its OPTIONS. */
  static async start(
    nodes: readonly SwitchUnderTest[],
    carriers: readonly string[] = ['127.0.0.1'],
  ): Promise<Kamailio> {
    const folder = await mkdtemp(join(tmpdir(), 'yht-kamailio-'));
    await cp(configuration, folder, { recursive: true });
    const host = '127.0.0.1';
    const trunk = { host, port: await freePort(host) };
    const agents = { host, port: await freePort(host) };
    const local = [
      `#!define AGENTS_PORT ${agents.port}`,
      `#!define CONTROL_SOCKET "unix:${join(folder, 'ctl')}"`,
      `#!define DISPATCHER_LIST "${join(folder, 'dispatcher.list')}"`,
      `#!define ADDRESS_LIST "${join(folder, 'address.list')}"`,
      ...[trunk, agents].flatMap(({ port }) => [`listen=udp:${host}:${port}`, `listen=tcp:${host}:${port}`]),
    ];
    await writeFile(join(folder, 'local.cfg'), `${local.join('\n')}\n`);
    const destinations = nodes.flatMap((node) => [`1 ${uri(node.trunk)} 0 0`, `2 ${uri(node.agents)} 0 0`]);
    await writeFile(join(folder, 'dispatcher.list'), `${destinations.join('\n')}\n`);
    await writeFile(join(folder, 'address.list'), carriers.map((carrier) => `1 ${carrier} 32\n`).join(''));
    const config = join(folder, 'kamailio.cfg');
    const args = ['-DD', '-E', '-f', config, '-m', '64', '-M', '8', '-Y', folder];
    const child = spawn('kamailio', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const kamailio = new Kamailio(folder, child, trunk, agents);
    await until('Kamailio to find all nodes', () => kamailio.#allUp(nodes)).catch(async (error: unknown) => {
      await kamailio.stop();
      throw new Error(`Kamailio did not start\n${kamailio.#log}`, { cause: error });
    });
    return kamailio;
  }

  /** Takes a node out for maintenance: no new call, no new registration; or puts it in again. */
  async drain(node: SwitchUnderTest, drained: boolean): Promise<void> {
    const state = drained ? 'd' : 'a';
    await this.command('dispatcher.set_state', state, '1', uri(node.trunk));
    await this.command('dispatcher.set_state', state, '2', uri(node.agents));
  }

  /** Waits until a node is asked and answers again. */
  nodeIsUp(node: SwitchUnderTest): Promise<void> {
    return until('the node in the dispatcher', () => this.#allUp([node]));
  }

  /** What an operator types into kamcmd. */
  async command(...words: readonly string[]): Promise<string> {
    const run = promisify(execFile);
    const { stdout } = await run('kamcmd', ['-s', `unix:${join(this.#folder, 'ctl')}`, ...words], { timeout: 5000 });
    return stdout;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #allUp(nodes: readonly SwitchUnderTest[]): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`it ended with code ${this.#child.exitCode}`);
    // Its socket opens a moment after its start.
    const list = await this.command('dispatcher.list').catch(() => '');
    const wanted = nodes.flatMap((node) => [uri(node.trunk), uri(node.agents)]);
    return wanted.every((one) => new RegExp(`URI: ${one}\\s+FLAGS: AP`).test(list));
  }
}
