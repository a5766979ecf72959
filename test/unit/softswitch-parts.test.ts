import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embeddedSwitchConfigSchema } from '../../src/switch/embedded/config.ts';
import { makeAcl } from '../../src/switch/embedded/core/acl.ts';
import { causeNumber, causeOfStatus, q850OfCause, statusOfCause } from '../../src/switch/embedded/core/causes.ts';
import { parseOriginate } from '../../src/switch/embedded/core/originate-syntax.ts';
import { Subscriptions } from '../../src/switch/embedded/esl-server/subscriptions.ts';
import { readSdp, writeAnswer, writeOffer } from '../../src/switch/embedded/sip/sdp.ts';
import { displayName, expressible, originateLine } from '../../src/switch/freeswitch/originate.ts';

describe('the list of carriers', () => {
  it('takes addresses and blocks of both families', () => {
    const admits = makeAcl(['192.0.2.7', '198.51.100.0/24', '2001:db8::/32']);
    expect(['192.0.2.7', '198.51.100.255', '2001:db8::1'].map(admits)).toEqual([true, true, true]);
    expect(['192.0.2.8', '198.51.101.0', '2001:db9::1', '', 'x'].map(admits)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('causes', () => {
  it('are known for every status of a refusal, and have a number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 699 }), (status) => {
        expect(causeNumber(causeOfStatus(status))).toBeTypeOf('number');
      }),
    );
  });

  it('tell a caller their status, and only true Q.850 numbers', () => {
    expect([statusOfCause('USER_BUSY'), statusOfCause('NORMAL_CLEARING'), statusOfCause('x')]).toEqual([486, 480, 480]);
    expect([q850OfCause('USER_BUSY'), q850OfCause('ORIGINATOR_CANCEL'), q850OfCause('toString')]).toEqual([17, 16, 16]);
  });
});

describe('an originate command', () => {
  it('is read with quotes and escaped commas', () => {
    const order = parseOriginate(
      "{origination_uuid=u1,origination_caller_id_name='王\\, 五',sip_h_X-Note=a\\,b=c,empty=}" +
        'sofia/agents/1001%yihaotong.local &park()',
    );
    expect(order).toMatchObject({
      ok: true,
      value: { target: { kind: 'phone', user: '1001', domain: 'yihaotong.local' } },
    });
    if (!order.ok) return;
    expect(Object.fromEntries(order.value.variables)).toEqual({
      origination_uuid: 'u1',
      origination_caller_id_name: '王, 五',
      'sip_h_X-Note': 'a,b=c',
      empty: '',
    });
    expect(parseOriginate('sofia/gateway/tax/12366 &park()')).toMatchObject({
      value: { target: { kind: 'gateway', gateway: 'tax', number: '12366' } },
    });
  });

  it.each(['', '{a=b', '{a}sofia/agents/1%d &park()', 'sofia/agents/1%d &echo()', 'user/1 &park()', '{a=b}'])(
    '%s is refused',
    (argument) => {
      expect(parseOriginate(argument).ok).toBe(false);
    },
  );

  it('is read as control writes it, whatever stands in a caller’s name', () => {
    const marks = fc.string({ unit: fc.constantFrom(...`'"\\,=%{}$^ |&()[]<>!:_;sntr张😀`), maxLength: 30 });
    fc.assert(
      fc.property(marks, marks, (callerName, note) => {
        const line = originateLine(
          {
            leg: 'u1',
            target: { kind: 'phone', user: '1001' },
            role: 'agent',
            callId: 'c1',
            callerNumber: '13800001111',
            callerName,
            ringTimeoutMs: 15_000,
            sipHeaders: { 'X-Note': note },
          },
          'yihaotong.local',
        );
        const order = line.ok ? parseOriginate(line.value.replace(/^originate /, '')) : line;
        if (!order.ok) throw new Error(String(order.error));
        expect(order.value.variables.get('origination_caller_id_name') ?? '').toBe(displayName(callerName));
        expect(order.value.variables.get('sip_h_X-Note') ?? '').toBe(expressible(note));
        expect(order.value.variables.get('yht_call')).toBe('c1');
        expect(order.value.target).toEqual({ kind: 'phone', user: '1001', domain: 'yihaotong.local' });
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseOriginate(`{${text}`).ok === 'boolean'));
  });
});

describe('session descriptions', () => {
  const local = { address: '192.0.2.1', port: 20_000, sessionId: 1, version: 1 };
  const offer = (media: string): string =>
    `v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n${media}`;

  it('take the first codec that is ours, with the telephone events offered', () => {
    const read = readSdp(
      offer(
        'm=audio 4000 RTP/AVP 18 0 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=sendonly\r\nm=video 4002 RTP/AVP 34\r\n',
      ),
    );
    expect(read?.remote).toEqual({
      address: '192.0.2.9',
      port: 4000,
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventType: 96,
      direction: 'sendonly',
    });
    if (read === undefined) return;
    const answer = writeAnswer(local, read);
    expect(answer).toContain('m=audio 20000 RTP/AVP 0 96\r\n');
    expect(answer).toContain('a=recvonly\r\n');
    // Every media line of the offer comes back, refused where it isn't ours (RFC 3264 section 6).
    expect(answer).toContain('m=video 0 RTP/AVP 34\r\n');
  });

  it('read a lone payload, and a hold by the zero address', () => {
    expect(readSdp(offer('m=audio 4000 RTP/AVP 8\r\n'))?.remote).toMatchObject({
      codec: 'PCMA',
      direction: 'sendrecv',
    });
    const held = offer('m=audio 4000 RTP/AVP 8\r\n').replace('c=IN IP4 192.0.2.9', 'c=IN IP4 0.0.0.0');
    expect(readSdp(held)?.remote.direction).toBe('sendonly');
  });

  it.each([
    '',
    'm=audio 4000 RTP/AVP 18\r\n',
    'm=audio 0 RTP/AVP 8\r\n',
    'm=audio 4000 RTP/SAVP 8\r\n',
    'm=video 1 RTP/AVP 8\r\n',
  ])('with %j hold nothing for us', (media) => {
    expect(readSdp(offer(media))).toBeUndefined();
  });

  it('read what we offer ourselves', () => {
    expect(readSdp(writeOffer(local))?.remote).toEqual({
      address: '192.0.2.1',
      port: 20_000,
      codec: 'PCMA',
      payloadType: 8,
      telephoneEventType: 101,
      direction: 'sendrecv',
    });
  });

  it('never throw, whatever comes', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('m=audio', 'a=rtpmap:', 'c=IN', 'a=fmtp:8', 'm=audio 1 RTP/AVP 8'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        readSdp(lines.join('\r\n'));
      }),
    );
  });
});

describe('subscriptions', () => {
  it('name events and, after CUSTOM, subclasses', () => {
    const wants = new Subscriptions();
    expect(wants.add([])).toBe(false);
    expect(wants.add('CHANNEL_PARK dtmf CUSTOM sofia::register'.split(' '))).toBe(true);
    expect(wants.wants('CHANNEL_PARK', undefined)).toBe(true);
    expect(wants.wants('DTMF', undefined)).toBe(true);
    expect(wants.wants('CUSTOM', 'sofia::register')).toBe(true);
    expect(wants.wants('CUSTOM', 'sofia::expire')).toBe(false);
    wants.remove(['DTMF', 'CUSTOM', 'sofia::register']);
    expect(wants.wants('DTMF', undefined)).toBe(false);
    expect(wants.wants('CUSTOM', 'sofia::register')).toBe(false);
    wants.add(['ALL']);
    expect(wants.wants('HEARTBEAT', undefined)).toBe(true);
    wants.clear();
    expect(wants.wants('CHANNEL_PARK', undefined)).toBe(false);
  });
});

describe('the settings', () => {
  const least = {
    eslPassword: 'long-enough',
    domain: 'yihaotong.local',
    carriers: ['127.0.0.1', '10.0.0.0/8'],
    hotlineNumbers: ['12345'],
    recordingsFolder: '/r',
    promptsFolder: '/p',
  };

  it('have sound defaults', () => {
    expect(embeddedSwitchConfigSchema.parse(least)).toMatchObject({
      bindAddress: '127.0.0.1',
      eslBindAddress: '127.0.0.1',
      citizenFallbackMs: 4000,
      parkedFallbackMs: 20_000,
      limits: { maxCalls: 3000, maxEslClients: 16 },
      standAlone: false,
    });
  });

  it.each([
    [{ carriers: ['10.0.0.0/33'] }],
    [{ carriers: ['everybody'] }],
    [{ eslPassword: 'short' }],
    [{ hotlineNumbers: ['12345;x=1'] }],
    [{ users: [{ user: '1001', ha1Md5: 'plain' }] }],
    [{ agentsPort: 70_000 }],
    [{ unknown: 1 }],
  ])('refuse %j', (wrong) => {
    expect(embeddedSwitchConfigSchema.safeParse({ ...least, ...wrong }).success).toBe(false);
  });
});
