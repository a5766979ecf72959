/**
 * The line between browsers and the service: one address that stays when the service restarts on another port, and
 * that a test can cut.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Line {
  readonly #server: Server;
  readonly #target: () => string;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  private constructor(target: () => string) {
    this.#target = target;
    this.#server = createServer((socket) => this.#join(socket));
  }

  /** @param target gives the service's address of the moment, asked for each connection */
  static async open(target: () => string): Promise<Line> {
    const line = new Line(target);
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection without a goodbye and lets no new one through. */
  cut(): void {
    this.#cut = true;
    this.breakOnce();
  }

  /** Breaks every connection; the next ones go through. */
  breakOnce(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket): void {
    if (this.#cut) {
      near.resetAndDestroy();
      return;
    }
    const { hostname, port } = new URL(this.#target());
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      // Whichever side breaks, the other has nobody to talk to; the browser is told by the break itself.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
