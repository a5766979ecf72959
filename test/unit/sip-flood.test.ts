import { describe, expect, it } from 'vitest';
import type { Flow } from '../../src/switch/embedded/sip/flow.ts';
import { SipHeaders, type SipRequest } from '../../src/switch/embedded/sip/message.ts';
import type { ServerTransaction } from '../../src/switch/embedded/sip/server-transaction.ts';
import { SourceLimit } from '../../src/switch/embedded/sip/source-limit.ts';
import { TransactionLayer } from '../../src/switch/embedded/sip/transaction-layer.ts';
import { ManualClock } from '../support/manual-clock.ts';

function request(method: string, count: number): SipRequest {
  const headers = new SipHeaders()
    .add('Via', `SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK${count}`)
    .add('From', '<sip:a@192.0.2.9>;tag=a')
    .add('To', '<sip:b@192.0.2.1>')
    .add('Call-ID', `call-${count}`)
    .add('CSeq', `1 ${method}`);
  return { kind: 'request', method, uri: 'sip:b@192.0.2.1', headers, body: '' };
}

describe('refusals of strangers', () => {
  it('leave nothing behind, are not repeated, and are given again to a request that comes again', async () => {
    const clock = new ManualClock();
    const sent: string[] = [];
    let refused = 0;
    const flow: Flow = {
      protocol: 'udp',
      remoteAddress: '192.0.2.9',
      remotePort: 5060,
      open: true,
      send: (bytes) => sent.push(bytes.toString().split('\r\n')[0] ?? ''),
    };
    const layer = new TransactionLayer(clock, {
      onRequest: (transaction: ServerTransaction) => transaction.respondOnce(403),
      onAck: () => undefined,
      onTrusted: () => undefined,
      onRefused: () => {
        refused += 1;
      },
    });
    for (let count = 0; count < 30_000; count += 1) layer.receiveRequest(request('INVITE', count), flow);
    layer.receiveRequest(request('INVITE', 0), flow);
    layer.receiveRequest(request('CANCEL', 7), flow);
    expect(layer.size).toBe(0);
    await clock.advance(60_000);
    expect(sent).toHaveLength(30_002);
    expect(sent.filter((line) => line.includes('403'))).toHaveLength(30_001);
    expect(sent.at(-1)).toContain('481');
    expect(refused).toBe(30_002);
  });
});

describe('a source that is refused all the time', () => {
  it('is not read any more, and is read again when it has been quiet', async () => {
    const clock = new ManualClock();
    const limit = new SourceLimit(clock);
    for (let count = 0; count < 499; count += 1) limit.note('192.0.2.9');
    expect(limit.isOverrun('192.0.2.9')).toBe(false);
    limit.note('192.0.2.9');
    expect(limit.isOverrun('192.0.2.9')).toBe(true);
    expect(limit.isOverrun('192.0.2.10')).toBe(false);
    await clock.advance(500);
    expect(limit.isOverrun('192.0.2.9')).toBe(false);
  });

  it('is not held up when its phones prove their passwords, however many they are', () => {
    const limit = new SourceLimit(new ManualClock());
    for (let count = 0; count < 2000; count += 1) {
      limit.note('office');
      limit.note('office', -1);
    }
    expect(limit.isOverrun('office')).toBe(false);
  });

  it('is remembered within a bound: the oldest make room', () => {
    const limit = new SourceLimit(new ManualClock());
    for (let count = 0; count < 600; count += 1) limit.note('first');
    for (let count = 0; count < 10_000; count += 1) limit.note(`source ${count}`);
    expect(limit.isOverrun('first')).toBe(false);
  });
});
