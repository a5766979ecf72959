import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { projectFolder } from '../../src/config/project.ts';
import { Secret } from '../../src/config/secret.ts';
import { SetupError } from '../../src/kernel/errors.ts';

/** The lines of the error that these settings lead to. */
function complaints(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof SetupError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('the settings', () => {
  it('have a default for everything', () => {
    expect(loadConfig({})).toEqual({
      dataFolder: `${projectFolder}/data`,
      database: { kind: 'embedded', folder: `${projectFolder}/data/postgres`, osUserName: 'postgres' },
      switch: { kind: 'embedded', eslPort: 8021 },
      http: { host: '127.0.0.1', port: 8045, cookieSecure: false },
      sessionMs: 43_200_000,
      sip: {
        host: '127.0.0.1',
        trunkPort: 5080,
        agentsPort: 5060,
        domain: 'yihaotong.local',
        phoneBanMs: 60_000,
        phoneTransfer: true,
        tls: undefined,
        rtpPortMin: 20_000,
        rtpPortMax: 24_999,
        carrierNetworks: ['127.0.0.1/32'],
      },
      city: 'kaifeng',
      citiesFolder: `${projectFolder}/cities`,
      flow: 'direct',
      flowsFolder: `${projectFolder}/ivr-flows`,
      promptsFolder: `${projectFolder}/prompts`,
      recordingsFolder: `${projectFolder}/data/recordings`,
      logLevel: 'info',
      calls: {
        ringTimeoutMs: 20_000,
        consultRingTimeoutMs: 30_000,
        wrapUpMs: 30_000,
        wayOutAfterS: 90,
        rating: undefined,
      },
      queue: { maxWaiting: 200, maxWaitMs: 600_000 },
      capacity: { maxLiveCalls: 500, switchChannels: 3_000 },
      demo: true,
    });
  });

  it('move the service to a real database and a real switch, without demo people', () => {
    const config = loadConfig({
      DATABASE_URL: 'postgres://u:p@db:5432/hotline',
      FREESWITCH_ESL: '[::1]:8022',
      FREESWITCH_ESL_PASSWORD: 'secret-word',
      DATA_FOLDER: '/srv/hotline',
      RATING: 'off',
      CARRIER_ADDRESSES: '192.0.2.7, 198.51.100.0/24,2001:db8::/32',
    });
    expect(config.database).toMatchObject({ kind: 'external' });
    expect(config.switch).toMatchObject({ kind: 'freeswitch', nodes: [{ host: '::1', port: 8022 }] });
    const nodes = loadConfig({ FREESWITCH_ESL: 'a:1, b:2', FREESWITCH_ESL_PASSWORD: 'x' }).switch;
    expect(nodes).toMatchObject({
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      nodeLostMs: 5_000,
    });
    expect(config.recordingsFolder).toBe('/srv/hotline/recordings');
    expect(config.calls.rating).toBe(false);
    expect(config.sip.carrierNetworks).toEqual(['192.0.2.7/32', '198.51.100.0/24', '2001:db8::/32']);
    expect(config.demo).toBe(false);
    expect(loadConfig({ FREESWITCH_ESL: 'sw:1', FREESWITCH_ESL_PASSWORD: 'x', DEMO: 'on' }).demo).toBe(true);
  });

  it('take an empty variable for one that is not set', () => {
    expect(loadConfig({ HTTP_PORT: '', FLOW: '  ', DATABASE_URL: '' })).toEqual(loadConfig({}));
  });

  it('are frozen to the innermost', () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.sip.carrierNetworks)).toBe(true);
  });

  it('get one clear line each when they are wrong', () => {
    const lines = complaints({
      HTTP_PORT: '70000',
      SIP_HOST: 'localhost',
      CARRIER_ADDRESSES: '192.0.2.7,nonsense/8',
      CITY: '../etc',
      LOG_LEVEL: 'loud',
      WRAP_UP_MS: '1.5',
      RATING: 'yes',
      FREESWITCH_ESL: 'switch',
      SIP_DOMAIN: 'a b',
    });
    expect(lines.toSorted()).toEqual([
      'CARRIER_ADDRESSES: must be addresses or networks separated by commas, e.g. 192.0.2.7,198.51.100.0/24 (wrong: nonsense/8), but is "192.0.2.7,nonsense/8"',
      'CITY: must be a name of letters, digits, "-" and "_", but is "../etc"',
      'FREESWITCH_ESL: must be host:port, e.g. 127.0.0.1:8021, but is "switch"',
      'HTTP_PORT: must be a whole number from 0 to 65535, but is "70000"',
      'LOG_LEVEL: must be debug, info, warn, error or silent, but is "loud"',
      'RATING: must be on or off, but is "yes"',
      'SIP_DOMAIN: must be a domain name, e.g. hotline.example, but is "a b"',
      'SIP_HOST: must be an IP address, e.g. 127.0.0.1 or 0.0.0.0, but is "localhost"',
      'WRAP_UP_MS: must be a whole number from 0 to 3600000, but is "1.5"',
    ]);
  });

  it('must fit each other', () => {
    expect(complaints({ FREESWITCH_ESL: 'sw:8021' })).toEqual([
      'FREESWITCH_ESL_PASSWORD: must be set together with FREESWITCH_ESL',
    ]);
    expect(complaints({ RTP_PORT_MIN: '30000', RTP_PORT_MAX: '30001' })).toEqual([
      'RTP_PORT_MAX: must be at least 9 above RTP_PORT_MIN: every call needs ports of its own, but is "30001"',
    ]);
    expect(complaints({ MAX_LIVE_CALLS: '501' })).toEqual([
      'RTP_PORT_MAX: must leave 5 ports in use for each of MAX_LIVE_CALLS (every second one is)',
    ]);
    expect(complaints({ MAX_LIVE_CALLS: '500', SWITCH_MAX_CHANNELS: '2400' })).toEqual([
      'SWITCH_MAX_CHANNELS: must be at least 5 times MAX_LIVE_CALLS: so many legs may they need, but is "2400"',
    ]);
    expect(loadConfig({ RTP_PORT_MIN: '30000', RTP_PORT_MAX: '30999' }).capacity.maxLiveCalls).toBe(100);
    expect(loadConfig({ SWITCH_MAX_CHANNELS: '50' }).capacity.maxLiveCalls).toBe(10);
    expect(complaints({ SIP_TRUNK_PORT: '0', SIP_AGENTS_PORT: '0', ESL_PORT: '0', HTTP_PORT: '0' })).toEqual([]);
    expect(complaints({ SIP_TRUNK_PORT: '5060' })).toEqual(['SIP_AGENTS_PORT: must differ from SIP_TRUNK_PORT']);
    expect(complaints({ SIP_TLS_FOLDER: '/tls', SIP_TRUNK_TLS_PORT: '5061' })).toEqual([
      'SIP_AGENTS_TLS_PORT: must differ from SIP_TRUNK_TLS_PORT, and both from SIP_TRUNK_PORT and SIP_AGENTS_PORT',
    ]);
    expect(loadConfig({ SIP_TLS_FOLDER: '/tls', SIP_TRUNK_TLS_PORT: '5071' }).sip.tls).toEqual({
      ...{ folder: '/tls', trunkPort: 5071, agentsPort: 5061 },
    });
  });

  it('never repeat a value that may hold a password', () => {
    const [line] = complaints({ DATABASE_URL: 'mysql://u:hunter2@db/x' });
    expect(line).toMatch(/^DATABASE_URL: must be the address of a PostgreSQL/);
    expect(line).not.toContain('hunter2');
  });
});

describe('a secret', () => {
  it('prints as [hidden] wherever it goes', () => {
    const secret = new Secret('hunter2');
    const holder = { url: secret, list: [secret] };
    expect(JSON.stringify(holder)).toBe('{"url":"[hidden]","list":["[hidden]"]}');
    expect(inspect(holder, { depth: 5 })).not.toContain('hunter2');
    expect(`${secret}`).toBe('[hidden]');
    expect(secret.reveal()).toBe('hunter2');
  });
});
