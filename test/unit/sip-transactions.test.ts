import { beforeEach, describe, expect, it } from 'vitest';
import { ClientTransaction } from '../../src/switch/embedded/sip/client-transaction.ts';
import type { Flow } from '../../src/switch/embedded/sip/flow.ts';
import { SipHeaders, type SipRequest, type SipResponse } from '../../src/switch/embedded/sip/message.ts';
import { parseMessage } from '../../src/switch/embedded/sip/parse.ts';
import type { ServerTransaction } from '../../src/switch/embedded/sip/server-transaction.ts';
import { TransactionLayer } from '../../src/switch/embedded/sip/transaction-layer.ts';
import { ManualClock } from '../support/manual-clock.ts';

let clock: ManualClock;
let startMs: number;
/** What was sent: milliseconds since the start, and the first line. */
let sent: Array<readonly [atMs: number, line: string]>;
let failSending: boolean;

beforeEach(() => {
  clock = new ManualClock();
  startMs = clock.now();
  sent = [];
  failSending = false;
});

function flow(protocol: 'udp' | 'tcp'): Flow {
  return {
    protocol,
    remoteAddress: '192.0.2.9',
    remotePort: 5060,
    open: true,
    send(bytes, onError) {
      if (failSending) onError?.(new Error('broken'));
      else sent.push([clock.now() - startMs, bytes.toString().split('\r\n')[0] ?? '']);
    },
  };
}

function request(method: string, options: { branch?: string; toTag?: string; cseq?: number } = {}): SipRequest {
  const tag = options.toTag === undefined ? '' : `;tag=${options.toTag}`;
  const headers = new SipHeaders()
    .add('Via', `SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK${options.branch ?? 'one'}`)
    .add('From', '<sip:a@192.0.2.9>;tag=a')
    .add('To', `<sip:b@192.0.2.1>${tag}`)
    .add('Call-ID', 'call')
    .add('CSeq', `${options.cseq ?? 1} ${method}`);
  return { kind: 'request', method, uri: 'sip:b@192.0.2.1', headers, body: '' };
}

function response(status: number, to: SipRequest): SipResponse {
  const headers = new SipHeaders();
  for (const [name, value] of to.headers) headers.add(name, value);
  return { kind: 'response', status, reason: 'x', headers, body: '' };
}

const timesOf = (line: RegExp): number[] => sent.filter(([, text]) => line.test(text)).map(([atMs]) => atMs);

describe('a client transaction', () => {
  let heard: Array<number | string>;
  let over: boolean;
  function client(method: string, protocol: 'udp' | 'tcp'): ClientTransaction {
    heard = [];
    over = false;
    const transaction = new ClientTransaction({
      request: request(method),
      flow: flow(protocol),
      clock,
      handlers: {
        onResponse: (answer) => heard.push(answer.status),
        onFailure: (why) => heard.push(why),
      },
      onTerminated: () => {
        over = true;
      },
    });
    transaction.start();
    return transaction;
  }

  it('repeats an INVITE with doubling gaps until timer B (RFC 3261 17.1.1.2)', async () => {
    client('INVITE', 'udp');
    await clock.advance(40_000);
    expect(timesOf(/^INVITE/)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(heard).toEqual(['timeout']);
    expect(over).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  it('repeats other requests with gaps up to T2 until timer F (17.1.2.2)', async () => {
    client('BYE', 'udp');
    await clock.advance(40_000);
    expect(timesOf(/^BYE/)).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(heard).toEqual(['timeout']);
  });

  it('repeats nothing over TCP', async () => {
    client('INVITE', 'tcp');
    await clock.advance(40_000);
    expect(timesOf(/^INVITE/)).toEqual([0]);
    expect(heard).toEqual(['timeout']);
  });

  it('lets a phone ring as long as it likes once it has said so', async () => {
    const transaction = client('INVITE', 'udp');
    transaction.receive(response(180, transaction.request));
    await clock.advance(600_000);
    expect(timesOf(/^INVITE/)).toEqual([0]);
    expect(heard).toEqual([180]);
    expect(clock.waiting).toBe(0);
  });

  it('acknowledges a refusal, again for each copy, and tells it once (17.1.1.3)', async () => {
    const transaction = client('INVITE', 'udp');
    transaction.receive(response(486, transaction.request));
    transaction.receive(response(486, transaction.request));
    expect(timesOf(/^ACK/)).toEqual([0, 0]);
    expect(heard).toEqual([486]);
    expect(over).toBe(false);
    await clock.advance(32_000);
    expect(over).toBe(true);
  });

  it('hands every 2xx up for 64 T1, and no refusal after it (RFC 6026)', async () => {
    const transaction = client('INVITE', 'udp');
    transaction.receive(response(200, transaction.request));
    transaction.receive(response(200, transaction.request));
    transaction.receive(response(486, transaction.request));
    expect(heard).toEqual([200, 200]);
    await clock.advance(32_000);
    expect(over).toBe(true);
    transaction.receive(response(200, transaction.request));
    expect(heard).toEqual([200, 200]);
  });

  it('tells at once that a message could not leave', () => {
    failSending = true;
    client('INVITE', 'tcp');
    expect(heard).toEqual(['transport']);
    expect(clock.waiting).toBe(0);
  });
});

describe('a server transaction', () => {
  let layer: TransactionLayer;
  let served: ServerTransaction[];
  let acks: number;
  beforeEach(() => {
    served = [];
    acks = 0;
    layer = new TransactionLayer(clock, {
      onRefused: () => undefined,
      onTrusted: () => undefined,
      onRequest: (transaction) => served.push(transaction),
      onAck: () => {
        acks += 1;
      },
    });
  });
  const receive = (message: SipRequest, protocol: 'udp' | 'tcp' = 'udp'): ServerTransaction => {
    layer.receiveRequest(message, flow(protocol));
    const last = served.at(-1);
    if (last === undefined) throw new Error('nothing was served');
    return last;
  };

  it('repeats a refusal until its ACK, then forgets after timer I (17.2.1)', async () => {
    const transaction = receive(request('INVITE'));
    transaction.respond(486);
    await clock.advance(4_000);
    expect(timesOf(/486/)).toEqual([0, 500, 1500, 3500]);
    layer.receiveRequest(request('ACK'), flow('udp'));
    await clock.advance(4_999);
    expect(timesOf(/486/)).toHaveLength(4);
    expect(layer.size).toBe(1);
    await clock.advance(1);
    expect(layer.size).toBe(0);
    expect(acks).toBe(0);
  });

  it('repeats a 2xx on every transport until its ACK, at most for 64 T1 (13.3.1.4)', async () => {
    const transaction = receive(request('INVITE'), 'tcp');
    let unheard = false;
    transaction.onNoAck = () => {
      unheard = true;
    };
    transaction.respond(200);
    await clock.advance(32_000);
    expect(timesOf(/200/)).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(unheard).toBe(true);
    expect(layer.size).toBe(0);
  });

  it('is quiet about a 2xx that was acknowledged', async () => {
    const transaction = receive(request('INVITE'));
    transaction.onNoAck = () => {
      throw new Error('it was acknowledged');
    };
    transaction.respond(200);
    // The ACK of a 2xx has a branch of its own and goes to the dialog.
    layer.receiveRequest(request('ACK', { branch: 'ack', toTag: transaction.localTag }), flow('udp'));
    expect(acks).toBe(1);
    transaction.receiveAck();
    await clock.advance(32_000);
    expect(timesOf(/200/)).toEqual([0]);
    expect(layer.size).toBe(0);
  });

  it('answers a repeated request with what it said last, and serves it once', () => {
    const transaction = receive(request('INVITE'));
    layer.receiveRequest(request('INVITE'), flow('udp'));
    expect(sent).toEqual([]);
    transaction.respond(180);
    layer.receiveRequest(request('INVITE'), flow('udp'));
    expect(sent.map(([, line]) => line)).toEqual(['SIP/2.0 180 Ringing', 'SIP/2.0 180 Ringing']);
    expect(served).toHaveLength(1);
  });

  it('refuses the same INVITE on another way with 482 (8.2.2.2)', () => {
    receive(request('INVITE'));
    layer.receiveRequest(request('INVITE', { branch: 'two' }), flow('udp'));
    expect(served).toHaveLength(1);
    expect(sent.map(([, line]) => line)).toEqual(['SIP/2.0 482 Loop Detected']);
  });

  it('hears a CANCEL once, and answers 481 to one that belongs to nothing', () => {
    const transaction = receive(request('INVITE'));
    let cancelled = 0;
    transaction.onCancel = () => {
      cancelled += 1;
      transaction.respond(487);
    };
    layer.receiveRequest(request('CANCEL'), flow('udp'));
    layer.receiveRequest(request('CANCEL'), flow('udp'));
    layer.receiveRequest(request('CANCEL', { branch: 'other' }), flow('udp'));
    expect(cancelled).toBe(1);
    expect(sent.map(([, line]) => line.slice(8, 11))).toEqual(['200', '487', '200', '481']);
  });

  it('says nothing after its final response', () => {
    const transaction = receive(request('OPTIONS'));
    transaction.respond(200);
    transaction.respond(500);
    expect(sent).toHaveLength(1);
  });

  it('puts its tag into To, and no tag into 100', () => {
    const bytes: Buffer[] = [];
    const collecting: Flow = { ...flow('udp'), send: (message) => bytes.push(message) };
    layer.receiveRequest(request('INVITE'), collecting);
    served[0]?.respond(100);
    served[0]?.respond(180);
    const to = bytes.map((message) => {
      const read = parseMessage(message);
      return read.kind === 'message' ? read.message.headers.get('to') : undefined;
    });
    expect(to).toEqual(['<sip:b@192.0.2.1>', `<sip:b@192.0.2.1>;tag=${served[0]?.localTag ?? ''}`]);
  });
});
