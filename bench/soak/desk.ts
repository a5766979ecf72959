/** A desk that works like an agent all day: takes calls, holds, consults, joins, leaves, transfers, and comes back after drops. */
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type DeskCall, type DeskRequest, serverMessageSchema } from '../../src/desk/protocol.ts';
import { sessionCookie } from '../../src/http/auth.ts';

/** The service ends sockets that are silent for 30 s. */
const pingMs = 8_000;
const reopenMs = 500;
const thinkMs = 2_500;
const subcentre = '12366';

/** What the agent does in a call, one state after the other; he waits a moment before each. */
const scripts: readonly Partial<
  Record<DeskCall['state'], 'hold' | 'resume' | 'consult' | 'transfer' | 'joinThreeWay' | 'leave'>
>[] = [
  {},
  {},
  {},
  {},
  {},
  {},
  { talking: 'hold', held: 'resume' },
  { talking: 'consult', consulting: 'joinThreeWay', threeWay: 'leave' },
  { talking: 'consult', consulting: 'joinThreeWay', threeWay: 'leave' },
  { talking: 'transfer' },
];

export interface DeskCounts {
  done: number;
  /** Buttons that were refused, or not answered because the service was gone. */
  refused: number;
  drops: number;
}

export class SoakDesk {
  readonly #url: string;
  readonly #session: string;
  readonly #counts: DeskCounts;
  readonly #random: () => number;
  #socket: WebSocket | undefined;
  #pings: NodeJS.Timeout | undefined;
  #closed = false;
  #requests = 0;
  #call: DeskCall | undefined;
  #script: (typeof scripts)[number] = {};
  /** States of this call in which the button has been pressed: once each. */
  readonly #pressed = new Set<DeskCall['state']>();

  constructor(url: string, session: string, counts: DeskCounts, random: () => number) {
    this.#url = url;
    this.#session = session;
    this.#counts = counts;
    this.#random = random;
  }

  /** Opens the socket, and again whenever it is lost, until `close`. */
  open(): void {
    const headers = { cookie: `${sessionCookie}=${this.#session}` };
    const socket = new WebSocket(`${this.#url.replace('http', 'ws')}/desk`, { headers });
    this.#socket = socket;
    socket.on('open', () => {
      socket.send('{"kind":"hello"}');
      this.#pings = setInterval(() => socket.send('{"kind":"ping"}'), pingMs);
    });
    socket.on('message', (data) => this.#receive(String(data)));
    // `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => void this.#lost());
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#pings);
    this.#socket?.close();
  }

  async #lost(): Promise<void> {
    clearInterval(this.#pings);
    if (this.#closed) return;
    this.#counts.drops += 1;
    await pause(reopenMs);
    if (!this.#closed) this.open();
  }

  #receive(text: string): void {
    const message = serverMessageSchema.parse(JSON.parse(text));
    if (message.kind === 'reply') {
      if (message.ok) this.#counts.done += 1;
      else this.#counts.refused += 1;
    }
    if (message.kind !== 'push') return;
    this.#socket?.send(JSON.stringify({ kind: 'ack', seq: message.seq }));
    const { push } = message;
    const seat = push.type === 'seat' || push.type === 'snapshot' ? push.seat : undefined;
    // A phone that was not answered in a fault has put the seat on a break.
    if (seat?.status === 'offline' || seat?.status === 'break') this.#request({ do: 'ready' });
    const call = push.type === 'offer' || push.type === 'call' || push.type === 'snapshot' ? push.call : undefined;
    if (call !== undefined && call !== null) this.#shown(call);
  }

  #shown(call: DeskCall): void {
    if (call.callId !== this.#call?.callId) {
      this.#script = scripts[Math.floor(this.#random() * scripts.length)] ?? {};
      this.#pressed.clear();
    }
    this.#call = call;
    const button = this.#script[call.state];
    if (button === undefined || this.#pressed.has(call.state)) return;
    this.#pressed.add(call.state);
    setTimeout(() => this.#press(call, button), thinkMs * (0.5 + this.#random()));
  }

  #press(call: DeskCall, button: 'hold' | 'resume' | 'consult' | 'transfer' | 'joinThreeWay' | 'leave'): void {
    const { callId, state } = call;
    if (this.#call?.callId !== callId || this.#call.state !== state) return;
    this.#request(
      button === 'consult' || button === 'transfer'
        ? { do: button, callId, number: subcentre }
        : { do: button, callId },
    );
  }

  #request(request: DeskRequest): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#requests += 1;
    this.#socket.send(JSON.stringify({ kind: 'request', id: `r${this.#requests}`, request }));
  }
}
