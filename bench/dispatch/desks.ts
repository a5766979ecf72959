/** The agents' desks: real desk sockets that note when a pop arrives. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { sessionCookie } from '../../src/http/auth.ts';

const readyMs = 10_000;
/** The service ends sockets that are silent for 30 s. */
const pingMs = 8000;

interface Message {
  readonly kind: string;
  readonly seq?: number;
  readonly ok?: boolean;
  readonly text?: string;
  readonly push?: {
    readonly type: string;
    readonly seat?: { readonly phoneRegistered: boolean };
    readonly call?: { readonly callId: string } | null;
  };
}

/** Told at the moment in which the bytes of a pop are there, before they are parsed. */
export type OnPop = (agent: string, callId: string, at: number) => void;

/** One desk, signed in by its session. */
export class Desk {
  readonly #socket: WebSocket;
  readonly #pings: NodeJS.Timeout;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#pings = setInterval(() => socket.send('{"kind":"ping"}'), pingMs);
  }

  /** Opens the socket and makes the agent ready. @throws Error when the service refuses or the phone is not registered. */
  static async open(webUrl: string, agent: string, session: string, onPop: OnPop): Promise<Desk> {
    const headers = { cookie: `${sessionCookie}=${session}` };
    const socket = new WebSocket(`${webUrl.replace('http', 'ws')}/desk`, { headers });
    await once(socket, 'open');
    const ready = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the desk of ${agent} was not ready in time`)), readyMs);
      socket.on('close', (code) => reject(new Error(`the desk of ${agent} was closed with ${code}`)));
      socket.on('message', (data) => {
        const at = performance.now();
        const message = JSON.parse(String(data)) as Message;
        if (message.seq !== undefined) socket.send(JSON.stringify({ kind: 'ack', seq: message.seq }));
        const { push } = message;
        if (push?.type === 'offer' && push.call) onPop(agent, push.call.callId, at);
        if (push?.type === 'snapshot') {
          if (push.seat?.phoneRegistered !== true) reject(new Error(`the phone of ${agent} is not registered`));
          socket.send('{"kind":"request","id":"ready","request":{"do":"ready"}}');
        }
        if (message.kind === 'reply') {
          clearTimeout(late);
          if (message.ok === true) resolve();
          else reject(new Error(`${agent} could not get ready: ${message.text}`));
        }
      });
    });
    socket.send('{"kind":"hello"}');
    await ready;
    return new Desk(socket);
  }

  close(): void {
    clearInterval(this.#pings);
    this.#socket.removeAllListeners('close');
    this.#socket.close();
  }
}
