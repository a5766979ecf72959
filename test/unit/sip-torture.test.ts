import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/switch/embedded/sip/parse.ts';
import { readSdp } from '../../src/switch/embedded/sip/sdp.ts';
import { SipStreamReader } from '../../src/switch/embedded/sip/tcp-framing.ts';
import { listValues, parseCSeq, parseNameAddress, parseUri, parseVia } from '../../src/switch/embedded/sip/values.ts';
import { invalidTorture } from '../support/torture/invalid.ts';
import type { Torture } from '../support/torture/message.ts';
import { oddTorture } from '../support/torture/oddities.ts';
import { validTorture } from '../support/torture/valid.ts';

const all = [...validTorture, ...invalidTorture, ...oddTorture];

function find(name: string): Torture {
  const one = all.find((torture) => torture.name === name);
  if (one === undefined) throw new Error(`no torture message ${name}`);
  return one;
}

function sound(name: string) {
  const result = parseMessage(find(name).bytes);
  if (result.kind !== 'message') throw new Error(`${name}: ${result.reason}`);
  const { message } = result;
  const { headers } = message;
  const party = (key: string) => parseNameAddress(headers.get(key) ?? '');
  return { message, headers, from: party('from'), to: party('to'), contact: party('contact') };
}

it('all 49 messages of RFC 4475 are here', () => {
  expect(all).toHaveLength(49);
  expect(new Set(all.map(({ section }) => section)).size).toBe(49);
});

describe('a valid message (3.1.1)', () => {
  it('wsinv: folded, spaced, quoted, with leading zeros', () => {
    const { message, headers, from, to, contact } = sound('wsinv');
    expect(message).toMatchObject({ method: 'INVITE', uri: 'sip:vivekg@chair-dnrc.example.com;unknownparam' });
    expect(to).toMatchObject({ uri: 'sip:vivekg@chair-dnrc.example.com' });
    expect(to?.parameters.get('tag')).toBe('1918181833n');
    expect(from).toMatchObject({ displayName: 'J Rosenberg \\"', uri: 'sip:jdrosen@example.com' });
    expect(from?.parameters.get('tag')).toBe('98asjd8');
    expect(Number(headers.get('max-forwards'))).toBe(68);
    expect(parseCSeq(headers.get('cseq') ?? '')).toEqual({ number: 9, method: 'INVITE' });
    expect(listValues(headers.all('via')).map((via) => parseVia(via))).toMatchObject([
      { transport: 'UDP', host: '192.0.2.2', parameters: new Map([['branch', '390skdjuw']]) },
      { transport: 'TCP', host: 'spindle.example.com', parameters: new Map([['branch', 'z9hG4bK9ikj8']]) },
      { transport: 'UDP', host: '192.168.255.111', parameters: new Map([['branch', 'z9hG4bK30239']]) },
    ]);
    expect(headers.get('subject')).toBe('');
    expect(headers.get('newfangledheader')).toBe('newfangled value continued newfangled value');
    expect(headers.get('unknownheaderwithunusualvalue')).toBe(';;,,;;,;');
    expect(contact).toMatchObject({ displayName: 'Quoted string ""', uri: 'sip:jdrosen@example.com' });
    expect(contact?.parameters.get('q')).toBe('0.33');
    expect(readSdp(message.body)?.remote).toMatchObject({ address: '192.0.2.3', port: 49217 });
  });

  it('intmeth: every character that may be anywhere', () => {
    const { message, headers, from, to } = sound('intmeth');
    expect(message).toMatchObject({ method: "!interesting-Method0123456789_*+`.%indeed'~" });
    const uri = message.kind === 'request' ? parseUri(message.uri) : undefined;
    expect(uri).toMatchObject({ scheme: 'sip', host: 'example.com' });
    expect(to?.displayName).toBe('BEL:\x07 NUL:  DEL:\x7f');
    expect(from).toMatchObject({ displayName: "token1~` token2'+_ token3*%!.-", uri: 'sip:mundane@example.com' });
    expect(from?.parameters.get('tag')).toBe("_token~1'+`*%!-.");
    expect(headers.get('call-id')).toBe('intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{');
    expect(headers.get("extensionheader-!.%*+_`'~")).toContain('大停電');
    expect(parseVia(headers.get('via') ?? '')?.parameters.get('branch')).toBe("z9hG4bK-.!%66*_+`'~");
  });

  it('esc01: escapes in users are undone, and separate nothing', () => {
    const { message, from, to } = sound('esc01');
    expect(message.kind === 'request' && parseUri(message.uri)).toMatchObject({
      scheme: 'sip',
      user: 'sips:user@example.com',
      host: 'example.net',
    });
    expect(parseUri(to?.uri ?? '')?.user).toBe('user');
    expect(parseUri(from?.uri ?? '')?.user).toBe('I have spaces');
  });

  it('escnull: users that hold an escaped NUL are not cut there, and differ', () => {
    const { headers, to } = sound('escnull');
    expect(parseUri(to?.uri ?? '')?.user).toBe('null-%00-null');
    const contacts = headers.all('contact').map((value) => parseUri(parseNameAddress(value)?.uri ?? '')?.user);
    expect(contacts).toEqual(['%00', '%00%00']);
  });

  it('esc02: a % in a method or a header name is a % and no escape', () => {
    const { message, headers } = sound('esc02');
    expect(message).toMatchObject({ method: 'RE%47IST%45R' });
    expect(headers.all('contact')).toHaveLength(2);
    expect(headers.get('c%6fntact')).toBe('<sip:alias2@host2.example.com>');
  });

  it('lwsdisp: no space before the angle bracket', () => {
    expect(sound('lwsdisp').from).toMatchObject({ displayName: 'caller', uri: 'sip:caller@example.com' });
  });

  it('longreq: long values everywhere and 34 Vias', () => {
    const { headers, to, from } = sound('longreq');
    expect(headers.all('via')).toHaveLength(34);
    expect(headers.all('via').every((via) => parseVia(via) !== undefined)).toBe(true);
    expect(parseUri(to?.uri ?? '')).toMatchObject({ user: 'user', host: 'example.com', port: 6000 });
    expect(from?.parameters.get('tag')).toHaveLength(155);
  });

  it('dblreq: what comes after the first message of a datagram is not read, in a stream it is the next', () => {
    expect(sound('dblreq').message).toMatchObject({ method: 'REGISTER', body: '' });
    const { messages } = new SipStreamReader().push(find('dblreq').bytes);
    expect(messages.map((bytes) => parseMessage(bytes))).toMatchObject([
      { message: { method: 'REGISTER' } },
      { message: { method: 'INVITE' } },
    ]);
  });

  it('semiuri: an escaped @ behind a semicolon does not end the user', () => {
    const { message } = sound('semiuri');
    expect(message.kind === 'request' && parseUri(message.uri)).toMatchObject({ user: 'user', host: 'example.com' });
  });

  it('transports: unknown transports in Via', () => {
    const { headers } = sound('transports');
    const read = headers.all('via').map((via) => parseVia(via)?.transport);
    expect(read).toEqual(['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP']);
  });

  it('mpart01: a body with bytes of all kinds', () => {
    expect(sound('mpart01').message.body).toContain('\0\x01\r\n\r\n\x7f--');
  });

  it('unreason and noreason: any words, or none, for a status', () => {
    expect(sound('unreason').message).toMatchObject({
      status: 200,
      reason: '= 2**3 * 5**2 но сто девяносто девять - простое',
    });
    expect(sound('noreason').message).toMatchObject({ status: 100, reason: '' });
  });
});

describe('an invalid message (3.1.2)', () => {
  it.each([
    'badinv01',
    'clerr',
    'ncl',
    'scalar02',
    'quotbal',
    'ltgtruri',
    'lwsruri',
    'lwsstart',
    'trws',
    'badvers',
    'mismatch01',
    'mismatch02',
  ])('%s is refused', (name) => {
    expect(parseMessage(find(name).bytes)).toMatchObject({ kind: 'bad', request: { kind: 'request' } });
  });

  it.each(['scalarlg', 'bigcode'])('%s, an answer, is dropped', (name) => {
    const result = parseMessage(find(name).bytes);
    expect(result).toMatchObject({ kind: 'bad' });
    expect(result).not.toHaveProperty('request');
  });

  it('escruri: the headers inside of the Request-URI are not heeded', () => {
    const { message } = sound('escruri');
    expect(message.kind === 'request' && parseUri(message.uri)).toMatchObject({ user: 'user', host: 'example.com' });
    expect(message.headers.get('route')).toBeUndefined();
  });

  it('baddate: a Date that we never read does no harm', () => {
    expect(sound('baddate').message).toMatchObject({ method: 'INVITE' });
  });

  it('regbadct: a Contact that can be read in two ways is not read', () => {
    expect(sound('regbadct').contact).toBeUndefined();
  });

  it('badaspec and baddn: spaces and commas where the meaning is clear are forgiven', () => {
    expect(sound('badaspec').to).toMatchObject({ displayName: 'Watson, Thomas', uri: 'sip:t.watson@example.org' });
    expect(sound('baddn').from).toMatchObject({ uri: 'sip:a.g.bell@example.com' });
  });
});

describe('an odd message (3.2 to 3.4)', () => {
  it.each(['insuf', 'multi01', 'mcl01'])('%s is refused', (name) => {
    expect(parseMessage(find(name).bytes)).toMatchObject({ kind: 'bad', request: { kind: 'request' } });
  });

  it('two lengths that differ end a stream: nobody knows where the next message begins', () => {
    expect(new SipStreamReader().push(find('mcl01').bytes).error).toBeTypeOf('string');
  });

  it('unkscm, novelsc and unksm2: schemes that nobody knows are read, and no URI for us', () => {
    for (const name of ['unkscm', 'novelsc']) {
      const { message } = sound(name);
      expect(message.kind === 'request' && parseUri(message.uri)).toBeUndefined();
    }
    expect(parseUri(sound('unksm2').to?.uri ?? '')).toBeUndefined();
  });

  it('cparam01 and cparam02: without brackets a parameter is the header’s, with them the URI’s', () => {
    const outside = sound('cparam01').contact;
    expect(outside?.uri).toBe('sip:+19725552222@gw1.example.net');
    expect(outside?.parameters.has('unknownparam')).toBe(true);
    const inside = sound('cparam02').contact;
    expect(parseUri(inside?.uri ?? '')?.parameters.has('unknownparam')).toBe(true);
    expect(inside?.parameters.size).toBe(0);
  });

  it.each(['badbranch', 'bext01', 'invut', 'regaut01', 'bcast', 'zeromf', 'regescrt', 'sdp01', 'inv2543'])(
    '%s is read',
    (name) => {
      expect(sound(name).message.headers.get('cseq')).toBeDefined();
    },
  );
});
