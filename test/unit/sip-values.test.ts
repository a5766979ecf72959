import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReason } from '../../src/switch/embedded/sip/call.ts';
import { readInfoDigit } from '../../src/switch/embedded/sip/dialog-usage.ts';
import {
  escapeUser,
  listValues,
  parseCSeq,
  parseHostPort,
  parseNameAddress,
  parseUri,
  parseVia,
  quote,
  unquote,
} from '../../src/switch/embedded/sip/values.ts';

describe('addresses', () => {
  it('are read with and without angle brackets', () => {
    expect(parseNameAddress('"a, \\"b\\" <x>" <sip:1@h;user=phone>;tag=t;x')).toMatchObject({
      displayName: 'a, "b" <x>',
      uri: 'sip:1@h;user=phone',
      parameters: new Map([
        ['tag', 't'],
        ['x', ''],
      ]),
    });
    // Without brackets the parameters are the header's (RFC 3261 section 20).
    expect(parseNameAddress('sip:1@h;tag=t')).toMatchObject({ uri: 'sip:1@h', parameters: new Map([['tag', 't']]) });
    for (const broken of ['', '<>', 'name <sip:1@h', '"open <sip:1@h>', 'two words']) {
      expect(parseNameAddress(broken)).toBeUndefined();
    }
  });

  it('stand in lists', () => {
    expect(listValues(['<sip:a;x=1,2>, "b, c" <sip:b>', '', '<sip:c>'])).toEqual([
      '<sip:a;x=1,2>',
      '"b, c" <sip:b>',
      '<sip:c>',
    ]);
  });

  it('keep any name through quoting', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const clean = name.replace(/[\r\n\0]/g, ' ');
        expect(unquote(quote(name))).toBe(clean);
        expect(parseNameAddress(`${quote(name)} <sip:a@b>`)?.uri).toBe('sip:a@b');
      }),
    );
  });
});

describe('URIs', () => {
  it('are read', () => {
    expect(parseUri('sip:%2b86;x=1:pw@[2001:db8::1]:5070;transport=TCP?h=1')).toMatchObject({
      user: '+86',
      host: '2001:db8::1',
      port: 5070,
      parameters: new Map([['transport', 'TCP']]),
    });
    expect(parseUri('tel:+8612345;phone-context=x')).toMatchObject({ user: '+8612345', host: '' });
    for (const broken of ['12345', 'http://a', 'sip:', 'sip:a@', 'sip:a@h:0', 'sip:a@h:65536', 'sip:a@h h']) {
      expect(parseUri(broken)).toBeUndefined();
    }
  });

  it('keep any user through escaping', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (user) => {
        expect(parseUri(`sip:${escapeUser(user)}@h`)?.user).toBe(user);
      }),
    );
  });

  it('and the other readers never throw', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseUri(`sip:${text}`);
        parseUri(text);
        parseVia(text);
        parseCSeq(text);
        parseHostPort(text);
        parseNameAddress(text);
        listValues([text]);
        readReason([text]);
        readInfoDigit('application/dtmf-relay', text);
      }),
    );
  });
});

it('Via is read with spaces and IPv6', () => {
  expect(parseVia('SIP / 2.0 / tcp [::1]:5060 ;branch=z9hG4bKa;rport')).toMatchObject({
    transport: 'TCP',
    host: '::1',
    port: 5060,
    parameters: new Map([
      ['branch', 'z9hG4bKa'],
      ['rport', ''],
    ]),
  });
});

it('digits are read from both kinds of INFO', () => {
  expect(readInfoDigit('application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n')).toEqual({
    digit: '5',
    durationMs: 160,
  });
  expect(readInfoDigit('Application/DTMF-Relay; x=1', 'Signal= *\nDuration= 99')).toEqual({
    digit: '*',
    durationMs: 99,
  });
  expect(readInfoDigit('application/dtmf', ' d ')).toEqual({ digit: 'D', durationMs: 100 });
  expect(readInfoDigit('application/dtmf', '55')).toBeUndefined();
  expect(readInfoDigit('text/plain', '5')).toBeUndefined();
});

it('a Reason header gives its Q.850 cause and nothing else', () => {
  expect(readReason(['SIP;cause=487', 'Q.850;text="x";cause=17'])).toBe(17);
  expect(readReason(['Q.850;cause=604', 'Q.850'])).toBeUndefined();
});
