/** An Event Socket server whose behaviour a test writes down, connection by connection, over real sockets. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { encodeFrame, encodePlainEvent, FrameReader } from '../../src/switch/esl/wire.ts';

/** One connection as the script sees it. */
export class ScriptedPeer {
  readonly socket: Socket;
  /** Every command's first line, in order. */
  readonly commands: string[] = [];
  /** Every byte that came. */
  received = '';

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Answers a command that is no `api`. */
  reply(text: string): void {
    this.socket.write(
      encodeFrame([
        ['Content-Type', 'command/reply'],
        ['Reply-Text', text],
      ]),
    );
  }

  /** Answers an `api` command. */
  answer(body: string): void {
    this.socket.write(encodeFrame([['Content-Type', 'api/response']], body));
  }

  event(headers: Record<string, string>, body?: string): void {
    this.socket.write(encodePlainEvent(Object.entries(headers), body));
  }
}

/** What the peer does with a command; true when it has dealt with it itself. */
export type Script = (peer: ScriptedPeer, command: string) => boolean | undefined;

const SNAPSHOT_ANSWERS: Readonly<Record<string, string>> = {
  'api show channels as json': '{"row_count":0}\n',
  'api show registrations as json': '{"row_count":0}\n',
  'api status': 'UP 0 years\n',
};

/** What a healthy switch answers to the commands that every client begins with. */
function byDefault(peer: ScriptedPeer, command: string, password: string): void {
  const snapshot = SNAPSHOT_ANSWERS[command];
  if (command.startsWith('auth ')) peer.reply(command === `auth ${password}` ? '+OK accepted' : '-ERR invalid');
  else if (command.startsWith('event ')) peer.reply('+OK event listener enabled plain');
  else if (command === 'exit') peer.reply('+OK bye');
  else if (snapshot !== undefined) peer.answer(snapshot);
  else if (command.startsWith('api ')) peer.answer('+OK\n');
  else peer.reply('+OK');
}

export class ScriptedEslServer {
  readonly password = 'open-sesame';
  readonly peers: ScriptedPeer[] = [];
  readonly #server: Server;
  #changed: (() => void)[] = [];

  private constructor(scripts: readonly Script[]) {
    this.#server = createServer((socket) => {
      const peer = new ScriptedPeer(socket);
      const script = scripts[Math.min(this.peers.length, scripts.length - 1)];
      this.peers.push(peer);
      const reader = new FrameReader();
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        peer.received += chunk.toString('utf8');
        for (const { headers } of reader.push(chunk).frames) {
          peer.commands.push(headers.firstLine);
          if (script?.(peer, headers.firstLine) !== true) byDefault(peer, headers.firstLine, this.password);
        }
        this.#wake();
      });
      socket.write(encodeFrame([['Content-Type', 'auth/request']]));
      this.#wake();
    });
  }

  /** Listens on a free port; connection n follows script n, all further ones the last. */
  static async start(...scripts: Script[]): Promise<ScriptedEslServer> {
    const server = new ScriptedEslServer(scripts);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Waits until the condition holds; looks whenever a byte or a connection came. */
  async until(what: string, condition: () => boolean, withinMs = 8000): Promise<void> {
    const limit = Date.now() + withinMs;
    while (!condition()) {
      const leftMs = limit - Date.now();
      if (leftMs <= 0) throw new Error(`did not happen within ${withinMs} ms: ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #wake(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}
