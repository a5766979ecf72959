import { describe, expect, it } from 'vitest';
import {
  challengeValue,
  credentialsMatch,
  digestHa1,
  digestResponse,
  NonceKeeper,
  parseDigestCredentials,
} from '../../src/switch/embedded/sip/digest.ts';

/** The example of RFC 7616 section 3.9.1. */
const rfc = {
  user: 'Mufasa',
  realm: 'http-auth@example.org',
  password: 'Circle of Life',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  uri: '/dir/index.html',
  qop: { nc: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
} as const;

describe('the digest', () => {
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const)('by %s is that of RFC 7616', (algorithm, response) => {
    const ha1 = digestHa1(algorithm, rfc.user, rfc.realm, rfc.password);
    expect(digestResponse({ algorithm, ha1, method: 'GET', uri: rfc.uri, nonce: rfc.nonce, qop: rfc.qop })).toBe(
      response,
    );
    const header =
      `Digest username="${rfc.user}", realm="${rfc.realm}", uri="${rfc.uri}", algorithm=${algorithm}, ` +
      `nonce="${rfc.nonce}", nc=${rfc.qop.nc}, cnonce="${rfc.qop.cnonce}", qop=auth, response="${response}"`;
    const credentials = parseDigestCredentials(header);
    if (credentials === undefined) throw new Error('not read');
    expect(credentialsMatch(credentials, 'GET', ha1)).toBe(true);
    expect(credentialsMatch(credentials, 'PUT', ha1)).toBe(false);
    expect(credentialsMatch({ ...credentials, response: '' }, 'GET', ha1)).toBe(false);
  });

  it('without qop is that of RFC 2069', () => {
    const ha1 = digestHa1('MD5', 'Mufasa', 'testrealm@host.com', 'CircleOfLife');
    const nonce = 'dcd98b7102dd2f0e8b11d0f600bfb0c093';
    const response = digestResponse({ algorithm: 'MD5', ha1, method: 'GET', uri: '/dir/index.html', nonce });
    expect(response).toBe('1949323746fe6a43ef61f9606e7febea');
  });

  it.each([
    'Basic abc',
    'Digest username="a"',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", algorithm=SHA-1',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth-int, nc=1, cnonce="c"',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth',
  ])('%s is no usable answer', (header) => {
    expect(parseDigestCredentials(header)).toBeUndefined();
  });
});

describe('nonces', () => {
  it('age, and can be neither invented nor used twice with the same count', () => {
    let now = 1_000_000;
    const keeper = new NonceKeeper(() => now);
    const nonce = keeper.issue();
    expect(keeper.judge(nonce)).toBe('fresh');
    expect(keeper.judge(new NonceKeeper(() => now).issue())).toBe('foreign');
    expect(keeper.judge(`${nonce}x`)).toBe('foreign');
    expect(keeper.judge('')).toBe('foreign');
    expect(keeper.use(nonce, '00000001')).toBe(true);
    expect(keeper.use(nonce, '00000001')).toBe(false);
    expect(keeper.use(nonce, '0000000a')).toBe(true);
    expect(keeper.use(nonce, '00000002')).toBe(false);
    expect(keeper.use(nonce, 'zz')).toBe(false);
    now += 300_001;
    expect(keeper.judge(nonce)).toBe('stale');
  });

  it('stand in a challenge that says stale', () => {
    expect(challengeValue('r', 'n', 'SHA-256', true)).toBe(
      'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth", stale=true',
    );
  });
});
