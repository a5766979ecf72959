import { describe, expect, it } from 'vitest';
import { renderSwitchFiles, type SwitchFilesInput } from '../../src/switch/freeswitch/render-config.ts';

const ha1 = '0123456789abcdef0123456789abcdef';
const input: SwitchFilesInput = {
  domain: 'yihaotong.local',
  users: [{ user: '1001', ha1, displayName: '王"小<明>&\'' }],
  gateways: [{ name: 'tax', host: 'pbx.example', port: 5060, transport: 'tcp' }],
  hotlineNumbers: ['12345', '+8637812345'],
  carriers: ['192.0.2.1', '198.51.100.0/24', '2001:db8::1'],
  controlHosts: ['127.0.0.1'],
  trunk: { host: '127.0.0.1', port: 5080 },
  agents: { host: '127.0.0.1', port: 5060 },
  esl: { host: '127.0.0.1', port: 8021, password: 'a-long-generated-one' },
  rtp: { host: '127.0.0.1', portMin: 20_000, portMax: 20_100 },
  recordingsFolder: '/var/lib/yihaotong/录音',
  promptsFolder: '/usr/share/yihaotong/prompts',
  phoneTransfer: false,
  mediaTimeoutMs: 60_000,
  maxChannels: 300,
  logLevel: 'notice',
};

describe('the generated files', () => {
  const files = renderSwitchFiles(input);

  it('escape free text for XML', () => {
    expect(files['generated/directory.xml']).toContain('value="王&quot;小&lt;明&gt;&amp;&apos;"');
    expect(files['generated/directory.xml']).toContain(`<param name="a1-hash" value="${ha1}"/>`);
  });

  it('make a pattern of the hotline numbers, and one that matches nothing of none', () => {
    expect(files['generated/vars.xml']).toContain('data="yht_hotline_pattern=12345|[+]8637812345"');
    const none = renderSwitchFiles({ ...input, hotlineNumbers: [] });
    expect(none['generated/vars.xml']).toContain('data="yht_hotline_pattern=(?!)"');
  });

  it('write single addresses as blocks', () => {
    const acl = files['generated/acl.xml'];
    for (const block of ['192.0.2.1/32', '198.51.100.0/24', '2001:db8::1/128'])
      expect(acl).toContain(`cidr="${block}"`);
    expect(acl).toContain('<list name="carriers" default="deny">');
  });

  it('give each phone a list that control can put addresses on', () => {
    expect(files['generated/directory.xml']).toContain('<param name="auth-acl" value="phones-1001"/>');
    expect(files['generated/acl.xml']).toContain('<X-PRE-PROCESS cmd="include" data="phone-lists.xml"/>');
    expect(files['generated/phone-lists.xml']).toContain('<list name="phones-1001" default="allow">');
    expect(files['generated/phone-lists.xml']).toContain('cidr="255.255.255.255/32,$${yht_banned_1001}"');
  });

  it('point gateways where they are', () => {
    expect(files['generated/gateways.xml']).toContain('<gateway name="tax">');
    expect(files['generated/gateways.xml']).toContain('value="pbx.example:5060;transport=tcp"');
  });

  it('speak TLS where there is a folder with a certificate, and else not', () => {
    expect(files['generated/tls-agents.xml']).toContain('<param name="tls" value="false"/>');
    expect(files['generated/tls-trunk.xml']).not.toContain('tls-cert-dir');
    const tls = { folder: '/etc/yihaotong/tls', trunkPort: 5081, agentsPort: 5061 };
    const secure = renderSwitchFiles({ ...input, tls });
    expect(secure['generated/tls-agents.xml']).toContain('name="tls-sip-port" value="5061"');
    expect(secure['generated/tls-trunk.xml']).toContain('name="tls-sip-port" value="5081"');
    expect(secure['generated/tls-trunk.xml']).toContain('name="tls-cert-dir" value="/etc/yihaotong/tls"');
    expect(secure['generated/tls-trunk.xml']).toContain('name="tls-verify-policy" value="out"');
  });

  it('name an external address where there is one', () => {
    expect(files['generated/external-address.xml']).not.toContain('param');
    const outside = renderSwitchFiles({ ...input, externalAddress: '203.0.113.7' });
    expect(outside['generated/external-address.xml']).toContain('name="ext-rtp-ip" value="203.0.113.7"');
  });
});

it.each([
  'ClueCon',
  'short',
  'ClueConClueConClueCon',
  'aaaaaaaaaaaaaaaaaaaa',
  'abababababababab',
  'my-password-is-good',
])('the Event Socket takes no password that can be guessed: %s', (password) => {
  expect(() => renderSwitchFiles({ ...input, esl: { ...input.esl, password } })).toThrow('esl.password');
});

describe('what can’t stand in the configuration is refused, with the field’s name', () => {
  it.each<[string, Partial<SwitchFilesInput>]>([
    ['domain', { domain: 'a"b' }],
    ['user', { users: [{ user: '10 01', ha1 }] }],
    ['ha1', { users: [{ user: '1001', ha1: 'password' }] }],
    ['displayName', { users: [{ user: '1001', ha1, displayName: 'a\nb' }] }],
    ['displayName', { users: [{ user: '1001', ha1, displayName: '$$' + '{domain}' }] }],
    ['gateway.host', { gateways: [{ name: 'a', host: 'b;c', port: 1, transport: 'udp' }] }],
    ['gateway.port', { gateways: [{ name: 'a', host: 'b', port: 0, transport: 'udp' }] }],
    ['hotlineNumbers', { hotlineNumbers: ['.*'] }],
    ['carriers', { carriers: ['anywhere'] }],
    ['trunk.host', { trunk: { host: '$$' + '{local_ip_v4}', port: 5080 } }],
    ['esl.password', { esl: { host: '127.0.0.1', port: 8021, password: 'short' } }],
    ['recordingsFolder', { recordingsFolder: 'relative' }],
    ['promptsFolder', { promptsFolder: '/a"/b' }],
  ])('%s', (field, change) => {
    expect(() => renderSwitchFiles({ ...input, ...change })).toThrow(field);
  });
});
