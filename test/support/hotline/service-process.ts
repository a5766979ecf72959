/** The service as a process of its own, for tests that kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../../../src/config/project.ts';
import { freePort } from '../free-ports.ts';
import { Watch } from '../watch.ts';

const readyWithinMs = 30_000;

export class ServiceProcess {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #logFile: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  constructor(environment: Readonly<Record<string, string>>, logFile: string, port: number) {
    this.#environment = environment;
    this.#logFile = logFile;
    this.#port = port;
  }

  /** Starts it; its web port stays the same over restarts. */
  static async start(environment: Readonly<Record<string, string>>, folder: string): Promise<ServiceProcess> {
    const service = new ServiceProcess(environment, join(folder, 'service.log'), await freePort('127.0.0.1'));
    await service.start();
    return service;
  }

  get webUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts the process and waits for its word that it is ready. @returns how long that took. */
  async start(): Promise<number> {
    const log = await open(this.#logFile, 'a');
    const startedAt = performance.now();
    const child = spawn(process.execPath, ['--import', 'tsx', join(projectFolder, 'src', 'main.ts')], {
      cwd: projectFolder,
      env: { PATH: process.env.PATH ?? '', ...this.#environment, LOG_LEVEL: 'info', HTTP_PORT: String(this.#port) },
      stdio: ['ignore', 'pipe', log.fd],
      detached: true,
    });
    await log.close();
    this.#child = child;
    const watch = new Watch('the service');
    let printed = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      watch.note(chunk.toString().trim());
    });
    child.once('exit', (code, signal) => watch.note(`ended with ${signal ?? code}`));
    await watch.until('its word that it is ready', readyWithinMs, () =>
      printed.includes('一号通已就绪') ? true : undefined,
    );
    return performance.now() - startedAt;
  }

  /** Dies at once, as by a fault or the kernel. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends in order. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
