/** A hop between the service and its database or switch that a test can cut. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #cut = false;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((socket) => this.#join(socket));
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** True: every connection is reset, and new ones are, too. False: it lets through again. */
  cut(cut: boolean): void {
    this.#cut = cut;
    if (cut) for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(socket: Socket): void {
    if (this.#cut) {
      socket.resetAndDestroy();
      return;
    }
    const far = connect(this.#target);
    for (const end of [socket, far]) {
      this.#sockets.add(end);
      end.setNoDelay(true);
      end.on('close', () => {
        this.#sockets.delete(end);
        // What has come to the hop by then is passed on.
        socket.destroySoon();
        far.destroySoon();
      });
      // A reset is what the test asked for; `close` follows.
      end.on('error', () => end.destroy());
    }
    socket.pipe(far);
    far.pipe(socket);
  }
}
