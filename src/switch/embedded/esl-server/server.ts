/** The Event Socket's listener: takes clients in, up to a limit, and slows those who guess passwords. */
import { createServer, type Server, type Socket } from 'node:net';
import { encodeFrame } from '../../esl/wire.ts';
import type { SwitchCore } from '../core/switch.ts';
import { EslSession } from './session.ts';

/** After so many wrong passwords within the window, each further try from that address waits. */
const FREE_FAILURES = 5;
const FAILURE_WINDOW_MS = 60_000;
/**
 * A delay and not a ban: control may sit at the same address (127.0.0.1) as whoever guesses, and must never be locked
 * out of its own switch.
 */
const GUESS_DELAY_MS = 1_000;
const MAX_REMEMBERED_ADDRESSES = 1_000;

/** Who has all connections ended comes back; until then the switch is not without a client. */
const RELOAD_GRACE_MS = 5_000;

interface Guesses {
  count: number;
  untilMs: number;
}

export class EslServer {
  readonly #core: SwitchCore;
  readonly #server: Server;
  readonly #sessions = new Set<EslSession>();
  readonly #guesses = new Map<string, Guesses>();
  #reloadedUntilMs = 0;
  /** Told when an authenticated client has left. */
  onClientLeft: (() => void) | undefined;

  private constructor(core: SwitchCore) {
    this.#core = core;
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
  }

  /** @throws Error of `listen`, e.g. EADDRINUSE. */
  static listen(core: SwitchCore): Promise<EslServer> {
    const { eslBindAddress, eslPort } = core.context.config();
    const server = new EslServer(core);
    return new Promise((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(eslPort, eslBindAddress, () => {
        server.#server.off('error', reject);
        server.#server.on('error', (error) => core.context.log.error({ err: error }, 'the ESL listener failed'));
        resolve(server);
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** How many clients have given the password. */
  get clients(): number {
    let count = 0;
    for (const session of this.#sessions) if (session.authenticated) count += 1;
    return count;
  }

  #accept(socket: Socket): void {
    const { context } = this.#core;
    const { limits, eslPassword } = context.config();
    const address = socket.remoteAddress ?? '';
    if (this.#sessions.size >= limits.maxEslClients) {
      context.log.warn({ address, limit: limits.maxEslClients }, 'an ESL client is refused: limits.maxEslClients');
      socket.on('error', () => socket.destroy());
      socket.end(encodeFrame([['Content-Type', 'text/rude-rejection']], 'Too many clients, go away.\n'));
      return;
    }
    const session: EslSession = new EslSession({
      core: this.#core,
      socket,
      password: eslPassword,
      beforePassword: () => this.#pause(address),
      onWrongPassword: () => this.#noteWrongPassword(address),
      onReload: () => this.#reload(address),
      onClosed: () => {
        this.#sessions.delete(session);
        if (session.authenticated && context.clock.now() >= this.#reloadedUntilMs) this.onClientLeft?.();
      },
    });
    this.#sessions.add(session);
  }

  /** Ends every connection that is there now: so a control that takes over makes sure that no other one commands. */
  #reload(address: string): void {
    const { clock, log } = this.#core.context;
    log.warn({ address, clients: this.clients }, 'the Event Socket is loaded anew: all connections end');
    this.#reloadedUntilMs = clock.now() + RELOAD_GRACE_MS;
    for (const session of this.#sessions) session.shutDown();
    clock.setTimer(RELOAD_GRACE_MS, () => this.onClientLeft?.());
  }

  #recentGuesses(address: string): Guesses | undefined {
    const guesses = this.#guesses.get(address);
    if (guesses === undefined || guesses.untilMs > this.#core.context.clock.now()) return guesses;
    this.#guesses.delete(address);
    return undefined;
  }

  async #pause(address: string): Promise<void> {
    if ((this.#recentGuesses(address)?.count ?? 0) < FREE_FAILURES) return;
    await new Promise((resolve) => setTimeout(resolve, GUESS_DELAY_MS));
  }

  #noteWrongPassword(address: string): void {
    const { clock, log } = this.#core.context;
    const guesses = this.#recentGuesses(address) ?? { count: 0, untilMs: clock.now() + FAILURE_WINDOW_MS };
    guesses.count += 1;
    this.#guesses.set(address, guesses);
    if (guesses.count <= FREE_FAILURES) log.warn({ address, failures: guesses.count }, 'wrong ESL password');
    if (this.#guesses.size <= MAX_REMEMBERED_ADDRESSES) return;
    const oldest = this.#guesses.keys().next().value;
    if (oldest !== undefined) this.#guesses.delete(oldest);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
