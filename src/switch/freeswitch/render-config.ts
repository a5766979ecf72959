/**
 * The generated half of FreeSWITCH's configuration. The other half, `freeswitch-conf/`, is the same everywhere;
 * these files carry what differs between installations and belong into its folder `generated/`.
 */
import { banVariable, phoneList } from './bans.ts';
import { element, type XmlElement, xmlDocument } from './xml.ts';

/** A softphone that may register on the agents' side. */
export interface SwitchUser {
  readonly user: string;
  /** MD5 of `user:domain:password` in hexadecimal (RFC 7616, A1), so that the password itself stays nowhere. */
  readonly ha1: string;
  readonly displayName?: string;
}

/** A carrier or a sub-centre that calls go out to. */
export interface SwitchGateway {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Present when the far side asks for a digest. */
  readonly credentials?: { readonly username: string; readonly password: string };
}

export interface SwitchAddress {
  readonly host: string;
  readonly port: number;
}

export interface SwitchFilesInput {
  readonly domain: string;
  readonly users: readonly SwitchUser[];
  readonly gateways: readonly SwitchGateway[];
  readonly hotlineNumbers: readonly string[];
  /** Addresses or CIDR blocks that may call in on the trunk side. */
  readonly carriers: readonly string[];
  /** Addresses or CIDR blocks that may use the Event Socket. */
  readonly controlHosts: readonly string[];
  readonly trunk: SwitchAddress;
  readonly agents: SwitchAddress;
  readonly esl: SwitchAddress & { readonly password: string };
  readonly rtp: { readonly host: string; readonly portMin: number; readonly portMax: number };
  /** SIP over TLS on both sides; the folder holds `agent.pem` and `cafile.pem`, which the switch must find there. */
  readonly tls?: { readonly folder: string; readonly trunkPort: number; readonly agentsPort: number };
  /** What SIP and SDP tell the outside when the machine stands behind address translation. */
  readonly externalAddress?: string;
  /** Absolute folders as the switch sees them. */
  readonly recordingsFolder: string;
  /** Holds `fallback.wav`, `music.wav` and the other prompts. */
  readonly promptsFolder: string;
  /** A leg without RTP for this long ends with MEDIA_TIMEOUT. */
  readonly mediaTimeoutMs: number;
  /** Whether phones may transfer calls by REFER (docs/adr/0020 says what that opens on FreeSWITCH). */
  readonly phoneTransfer: boolean;
  /** Callers who come in at so many legs get 503; legs that control rings are made all the same. */
  readonly maxChannels: number;
  readonly logLevel: 'debug' | 'info' | 'notice' | 'warning';
}

/** New callers in one second, as a share of all legs; a small switch takes a crowd of fifty. */
const perSecond = (maxChannels: number): number => Math.max(50, Math.floor(maxChannels / 10));

/**
 * Renders the generated files.
 * @returns path relative to the configuration folder → content (UTF-8).
 * @throws Error naming the field when a value can't stand in FreeSWITCH's configuration without changing its meaning.
 */
export function renderSwitchFiles(input: SwitchFilesInput): Record<string, string> {
  return {
    'generated/vars.xml': renderVariables(input),
    'generated/acl.xml': renderAccessLists(input),
    ...renderPhoneFiles(input),
    'generated/gateways.xml': xmlDocument(input.gateways.map(gatewayElement)),
    // mod_local_stream plays the files that a list in its folder names.
    'generated/moh/music.loc': `${input.promptsFolder}/music.wav\n`,
    'generated/tls-trunk.xml': xmlDocument(tlsElements(input.tls, 'trunkPort')),
    'generated/tls-agents.xml': xmlDocument(tlsElements(input.tls, 'agentsPort')),
    'generated/external-address.xml': xmlDocument(externalAddressElements(input.externalAddress)),
  };
}

/** Those of the generated files that change with people; the lists first, because who has none is refused. */
export function renderPhoneFiles(input: Pick<SwitchFilesInput, 'domain' | 'users'>): Record<string, string> {
  return {
    'generated/phone-lists.xml': xmlDocument(input.users.map((user) => phoneListElement(userName(user.user)))),
    'generated/directory.xml': renderDirectory(input),
  };
}

/**
 * FreeSWITCH's preprocessor reads `set` line by line and knows neither quotes nor XML escapes, and the values are
 * pasted into XML and regular expressions afterwards; so everything outside a narrow set is refused, not escaped.
 */
function renderVariables(input: SwitchFilesInput): string {
  const variables: Record<string, string> = {
    domain: checked('domain', input.domain, /^[a-z0-9.-]{1,253}$/),
    yht_domain: input.domain,
    yht_trunk_ip: address('trunk.host', input.trunk.host),
    yht_trunk_port: port('trunk.port', input.trunk.port),
    yht_agents_ip: address('agents.host', input.agents.host),
    yht_agents_port: port('agents.port', input.agents.port),
    yht_esl_ip: address('esl.host', input.esl.host),
    yht_esl_port: port('esl.port', input.esl.port),
    yht_esl_password: strongPassword('esl.password', input.esl.password),
    yht_rtp_ip: address('rtp.host', input.rtp.host),
    yht_rtp_port_min: port('rtp.portMin', input.rtp.portMin),
    yht_rtp_port_max: port('rtp.portMax', input.rtp.portMax),
    yht_hotline_pattern: hotlinePattern(input.hotlineNumbers),
    yht_recordings_folder: folder('recordingsFolder', input.recordingsFolder),
    yht_prompts_folder: folder('promptsFolder', input.promptsFolder),
    yht_media_timeout_ms: checked('mediaTimeoutMs', String(input.mediaTimeoutMs), /^\d{1,8}$/),
    yht_max_sessions: checked('maxChannels', String(input.maxChannels), /^[1-9]\d{0,4}$/),
    yht_sessions_per_second: String(perSecond(input.maxChannels)),
    yht_disable_transfer: String(!input.phoneTransfer),
    yht_log_level: input.logLevel,
  };
  const lines = Object.entries(variables).map(
    ([name, value]) => `  <X-PRE-PROCESS cmd="set" data="${name}=${value}"/>`,
  );
  return `<include>\n${lines.join('\n')}\n</include>\n`;
}

/** What every scanner tries first; FreeSWITCH's own default is the first of them. */
const KNOWN_PASSWORDS = /cluecon|password|freeswitch|yihaotong|12345/i;
const MIN_DIFFERENT_CHARACTERS = 8;

/** Who has this password has the switch: it must be one that was generated. */
function strongPassword(field: string, value: string): string {
  const plain = checked(field, value, /^[0-9A-Za-z_-]{16,128}$/);
  if (KNOWN_PASSWORDS.test(plain) || new Set(plain).size < MIN_DIFFERENT_CHARACTERS) {
    throw new Error(`${field} can be guessed; take a generated one, e.g. of \`openssl rand -hex 24\``);
  }
  return plain;
}

function renderAccessLists(input: SwitchFilesInput): string {
  const list = (name: string, blocks: readonly string[]): XmlElement =>
    element(
      'list',
      { name, default: 'deny' },
      blocks.map((block) => element('node', { type: 'allow', cidr: cidr(`${name} address`, block) })),
    );
  return xmlDocument([
    list('carriers', input.carriers),
    list('control', input.controlHosts),
    // In a file of its own, which control writes anew when people change.
    element('X-PRE-PROCESS', { cmd: 'include', data: 'phone-lists.xml' }),
  ]);
}

/**
 * Everybody may try but those whom control has banned: the preprocessor puts its variable in at each `reloadacl`. An
 * address that is never a source keeps the entry readable while there are none.
 */
function phoneListElement(user: string): XmlElement {
  const banned = `255.255.255.255/32,$$\{${banVariable(user)}}`;
  return element('list', { name: phoneList(user), default: 'allow' }, [
    element('node', { type: 'deny', cidr: banned }),
  ]);
}

const userName = (user: string): string => checked('user', user, /^[0-9A-Za-z._-]{1,64}$/);

function renderDirectory(input: Pick<SwitchFilesInput, 'domain' | 'users'>): string {
  const users = input.users.map((user) =>
    element('user', { id: userName(user.user) }, [
      element('params', {}, [
        parameter('a1-hash', checked('ha1', user.ha1, /^[0-9a-f]{32}$/)),
        parameter('auth-acl', phoneList(user.user)),
      ]),
      element('variables', {}, [
        element('variable', { name: 'user_context', value: 'agents' }),
        ...(user.displayName === undefined
          ? []
          : [
              element('variable', {
                name: 'effective_caller_id_name',
                value: oneLine('displayName', user.displayName),
              }),
            ]),
      ]),
    ]),
  );
  return xmlDocument([
    element('domain', { name: input.domain }, [
      element('groups', {}, [element('group', { name: 'seats' }, [element('users', {}, users)])]),
    ]),
  ]);
}

function gatewayElement(gateway: SwitchGateway): XmlElement {
  const proxy = `${host('gateway.host', gateway.host)}:${port('gateway.port', gateway.port)}`;
  const credentials = gateway.credentials;
  return element('gateway', { name: checked('gateway.name', gateway.name, /^[0-9A-Za-z._-]{1,64}$/) }, [
    parameter('proxy', `${proxy};transport=${gateway.transport}`),
    parameter('realm', proxy),
    parameter('register', 'false'),
    parameter('username', oneLine('gateway.username', credentials?.username ?? gateway.name)),
    parameter('password', oneLine('gateway.password', credentials?.password ?? '')),
    parameter('caller-id-in-from', 'true'),
    parameter('extension-in-contact', 'true'),
    parameter('register-transport', gateway.transport),
  ]);
}

function externalAddressElements(external: string | undefined): XmlElement[] {
  if (external === undefined) return [];
  const value = host('externalAddress', external);
  return [parameter('ext-sip-ip', value), parameter('ext-rtp-ip', value)];
}

/**
 * TLS 1.2 and newer. A far side that the switch connects to by itself must be vouched for by `cafile.pem`; a phone is
 * reached on the connection that it made, whatever its contact says.
 */
function tlsElements(tls: SwitchFilesInput['tls'], side: 'trunkPort' | 'agentsPort'): XmlElement[] {
  if (tls === undefined) return [parameter('tls', 'false')];
  return [
    parameter('tls', 'true'),
    parameter('tls-bind-params', 'transport=tls'),
    parameter('tls-sip-port', port(`tls.${side}`, tls[side])),
    parameter('tls-cert-dir', folder('tls.folder', tls.folder)),
    parameter('tls-version', 'tlsv1.2,tlsv1.3'),
    parameter('tls-verify-policy', 'out'),
    parameter('tls-verify-date', 'true'),
    parameter('tls-always-nat', side === 'agentsPort' ? 'true' : 'false'),
  ];
}

const parameter = (name: string, value: string): XmlElement => element('param', { name, value });

/** Alternatives of a regular expression; `(?!)` matches nothing where no number is configured. */
function hotlinePattern(numbers: readonly string[]): string {
  if (numbers.length === 0) return '(?!)';
  return numbers.map((number) => checked('hotlineNumbers', number, /^\+?[0-9]{1,20}$/).replace('+', '[+]')).join('|');
}

function checked(field: string, value: string, pattern: RegExp): string {
  if (!pattern.test(value)) throw new Error(`switch configuration: ${field} is not usable here (${pattern.source})`);
  return value;
}

const address = (field: string, value: string): string => checked(field, value, /^[0-9a-fA-F.:]{2,45}$/);
const host = (field: string, value: string): string => checked(field, value, /^[0-9A-Za-z.-]{1,253}$/);
const folder = (field: string, value: string): string => checked(field, value, /^\/[^"'<>&$\r\n\0]*$/);

function cidr(field: string, value: string): string {
  const block = checked(field, value, /^[0-9a-fA-F.:]{2,45}(\/\d{1,3})?$/);
  if (block.includes('/')) return block;
  return block.includes(':') ? `${block}/128` : `${block}/32`;
}

function port(field: string, value: number): string {
  if (!Number.isInteger(value) || value < 1 || value > 65535) {
    throw new Error(`switch configuration: ${field} is not a port (1 to 65535)`);
  }
  return String(value);
}

/**
 * Free text for an attribute. The preprocessor works on lines and expands `$$`, before any XML is read, so escaping
 * can't protect either.
 */
function oneLine(field: string, value: string): string {
  if (/[\r\n\0]|\$\$/.test(value)) throw new Error(`switch configuration: ${field} may not hold a line break or "$$"`);
  return value;
}
