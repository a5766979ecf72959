/** The service as a process of its own, for tests that kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../../../src/config/project.ts';
import { freePort } from '../free-ports.ts';
import { Watch } from '../watch.ts';

const readyWithinMs = 30_000;
const leadingWord = '一号通已就绪';
const standbyWord = '一号通待命';

export class ServiceProcess {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #logFile: string;
  readonly #port: number;
  readonly #program: readonly string[];
  #child: ChildProcess | undefined;
  #watch = new Watch('the service');
  #printed = '';

  constructor(environment: Readonly<Record<string, string>>, logFile: string, port: number, built?: string) {
    this.#environment = environment;
    this.#logFile = logFile;
    this.#port = port;
    this.#program = built === undefined ? ['--import', 'tsx', join(projectFolder, 'src', 'main.ts')] : [built];
  }

  /** Starts it; its web port stays the same over restarts. */
  static async start(environment: Readonly<Record<string, string>>, folder: string): Promise<ServiceProcess> {
    const service = await ServiceProcess.prepare(environment, join(folder, 'service.log'));
    await service.start();
    return service;
  }

  /** One that is not started yet. It runs the sources, or the `built` program. */
  static async prepare(
    environment: Readonly<Record<string, string>>,
    logFile: string,
    built?: string,
  ): Promise<ServiceProcess> {
    return new ServiceProcess(environment, logFile, await freePort('127.0.0.1'), built);
  }

  get webUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts the process and waits for its word that it is ready. @returns how long that took. */
  async start(): Promise<number> {
    const startedAt = performance.now();
    await this.#spawn();
    await this.leads();
    return performance.now() - startedAt;
  }

  /** Starts the process and waits for its word that it stands by while another one leads. */
  async startAsStandby(): Promise<void> {
    await this.#spawn();
    await this.#says(standbyWord, readyWithinMs);
  }

  /** Waits for the process's word that it leads and is ready. */
  leads(withinMs = readyWithinMs): Promise<void> {
    return this.#says(leadingWord, withinMs);
  }

  async #says(word: string, withinMs: number): Promise<void> {
    const child = this.#child;
    const outcome = await this.#watch.until(`its word ${word}`, withinMs, () => {
      if (this.#printed.includes(word)) return 'said';
      return child !== undefined && (child.exitCode !== null || child.signalCode !== null) ? 'ended' : undefined;
    });
    if (outcome === 'ended') throw new Error(`the service ended; seen:\n  ${this.#watch.seen().join('\n  ')}`);
  }

  async #spawn(): Promise<void> {
    const log = await open(this.#logFile, 'a');
    const child = spawn(process.execPath, this.#program, {
      cwd: projectFolder,
      env: { PATH: process.env.PATH ?? '', ...this.#environment, LOG_LEVEL: 'info', HTTP_PORT: String(this.#port) },
      stdio: ['ignore', 'pipe', log.fd],
      detached: true,
    });
    await log.close();
    this.#child = child;
    this.#watch = new Watch('the service');
    this.#printed = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#printed += chunk.toString();
      this.#watch.note(chunk.toString().trim());
    });
    child.once('exit', (code, signal) => this.#watch.note(`ended with ${signal ?? code}`));
  }

  /** Waits until the process has ended by itself. @returns its exit code. */
  ended(withinMs = 10_000): Promise<number> {
    return this.#watch.until('its end', withinMs, () => this.#child?.exitCode ?? undefined);
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
    // One that a test has frozen would never hear it.
    child.kill('SIGCONT');
    await gone;
  }
}
