import type { EslEvent } from '../esl/event.ts';
import type { LegRole, Referred, RegistrationEvent, SuperviseMode, SwitchEvent } from '../port.ts';
import type { PlaybackComplete } from './leg-player.ts';

/** All that control reads (docs/switch-contract.md). */
export const eventsRead: readonly string[] = [
  ...['CHANNEL_CREATE', 'CHANNEL_PROGRESS', 'CHANNEL_PROGRESS_MEDIA', 'CHANNEL_ANSWER', 'CHANNEL_PARK'],
  ...['CHANNEL_BRIDGE', 'CHANNEL_UNBRIDGE', 'CHANNEL_HOLD', 'CHANNEL_UNHOLD', 'CHANNEL_EXECUTE_COMPLETE'],
  ...['CHANNEL_HANGUP_COMPLETE', 'DTMF', 'RECORD_START', 'RECORD_STOP', 'BACKGROUND_JOB', 'HEARTBEAT'],
  ...['CUSTOM', 'sofia::register', 'sofia::unregister', 'sofia::expire', 'sofia::register_attempt'],
  ...['conference::maintenance', 'yihaotong::supervise'],
];

/** FreeSWITCH's number of the state CS_EXECUTE, in which a parked leg is. */
const CS_EXECUTE = '4';

/** The leg that an event is about; undefined for events of no leg. */
export const legOf = (event: EslEvent): string | undefined => event.get('Unique-ID');

/** The switch's time of an event, milliseconds since the epoch (FreeSWITCH writes microseconds); 0 when unreadable. */
function eventTimeMs(event: EslEvent): number {
  const micros = Number(event.get('Event-Date-Timestamp'));
  return Number.isFinite(micros) ? Math.floor(micros / 1000) : 0;
}

/** The role that we or the dialplan gave a leg. */
export function readRole(word: string | undefined): LegRole {
  return word === 'citizen' || word === 'agent' || word === 'subcentre' || word === 'supervisor' ? word : 'unknown';
}

/** A supervisor's mode, as the places of the dialplan name it. */
export function readMode(word: string | undefined): SuperviseMode | undefined {
  return word === 'listen' || word === 'whisper' || word === 'barge' ? word : undefined;
}

/** FreeSWITCH's word for the direction, seen from the switch. */
export function readDirection(word: string | undefined): 'inbound' | 'outbound' {
  return word === 'outbound' ? 'outbound' : 'inbound';
}

function readInteger(word: string | undefined): number | undefined {
  return word !== undefined && /^\d{1,6}$/.test(word) ? Number(word) : undefined;
}

/** `recv_bye`, `recv_cancel`, `recv_refuse`: the phone; `send_…`: this switch (mod_sofia's hangup disposition). */
function readEndedBy(disposition: string | undefined): 'phone' | 'switch' | 'unknown' {
  if (disposition?.startsWith('recv_')) return 'phone';
  if (disposition?.startsWith('send_')) return 'switch';
  return 'unknown';
}

/**
 * The caller of a leg. On a leg that we rang, FreeSWITCH turns caller and callee round when it answers, so what we
 * gave it is read instead.
 */
export function readCaller(get: (header: string) => string | undefined): { callerNumber: string; callerName: string } {
  return {
    callerNumber: get('variable_origination_caller_id_number') ?? get('Caller-Caller-ID-Number') ?? '',
    callerName: get('variable_origination_caller_id_name') ?? get('Caller-Caller-ID-Name') ?? '',
  };
}

/** Whether the leg is where a phone's REFER has sent it. Its variables stay; `forgetRefer` of the adapter ends that. */
export function readReferred(get: (header: string) => string | undefined): Referred | undefined {
  if (get('Caller-Context') !== 'refer' || get('variable_sip_refer_to') === undefined) return undefined;
  const by = get('variable_blind_transfer_uuid');
  const number = get('Caller-Destination-Number');
  return by === undefined || number === undefined ? undefined : { number, by };
}

/** What control hears of a leg that waits for it. */
function legParked(event: EslEvent, leg: string, atMs: number): SwitchEvent {
  return {
    type: 'legParked',
    leg,
    atMs,
    direction: readDirection(event.get('Call-Direction')),
    role: readRole(event.get('variable_yht_role')),
    callId: event.get('variable_yht_call'),
    answered: event.get('Answer-State') === 'answered',
    ...readCaller((header) => event.get(header)),
    dialledNumber: event.get('variable_yht_dialled') ?? event.get('Caller-Destination-Number') ?? '',
    sourceAddress: event.get('variable_sip_network_ip') ?? '',
    referred: readReferred((header) => event.get(header)),
    dialledBy: event.get('Caller-Context') === 'agents' ? event.get('variable_sip_auth_username') : undefined,
  };
}

function legEnded(event: EslEvent, leg: string, atMs: number): SwitchEvent {
  return {
    type: 'legEnded',
    leg,
    atMs,
    cause: event.get('Hangup-Cause') ?? 'UNKNOWN',
    q850: readInteger(event.get('variable_hangup_cause_q850')),
    sipStatus: readInteger(event.get('variable_sip_term_status') ?? event.get('variable_sip_invite_failure_status')),
    endedBy: readEndedBy(event.get('variable_sip_hangup_disposition')),
  };
}

function legBridged(event: EslEvent, leg: string, atMs: number): SwitchEvent | undefined {
  const a = event.get('Bridge-A-Unique-ID');
  const b = event.get('Bridge-B-Unique-ID');
  const other = a === leg ? b : a;
  return other === undefined ? undefined : { type: 'legBridged', leg, atMs, other };
}

/**
 * Whether the leg is on its way out of what it executes: FreeSWITCH writes the state that it goes to as a number. The
 * embedded switch writes none; there a playback errs only because the leg left.
 */
function isLeaving(event: EslEvent): boolean {
  if (event.get('Hangup-Cause') !== undefined) return true;
  const state = event.get('Channel-State-Number');
  return state === undefined ? event.get('Application-Response') === 'PLAYBACK ERROR' : state !== CS_EXECUTE;
}

function playEnded(event: EslEvent, leg: string, atMs: number): SwitchEvent | undefined {
  const playId = event.get('Application-UUID');
  if (event.get('Application') !== 'playback' || playId === undefined) return undefined;
  // mod_dptools writes FILE PLAYED (also when it was broken off), FILE NOT FOUND or PLAYBACK ERROR; the last one also
  // when the leg was bridged, transferred or hung up in the middle, which is no failure of the sound.
  const failed = event.get('Application-Response') !== 'FILE PLAYED' && !isLeaving(event);
  return { type: 'playEnded', leg, atMs, playId, failed };
}

/** The same with what tells a round of a repeated playback from its end. */
export function playbackComplete(
  ended: Extract<SwitchEvent, { type: 'playEnded' }>,
  event: EslEvent,
): PlaybackComplete {
  return {
    ...ended,
    totalLoops: readNumber(event.get('variable_total_loops')),
    playedMs: readNumber(event.get('variable_playback_ms')),
    leaving: isLeaving(event),
  };
}

function readNumber(word: string | undefined): number | undefined {
  const value = word === undefined ? Number.NaN : Number(word);
  return Number.isFinite(value) ? value : undefined;
}

function recording(event: EslEvent, leg: string, atMs: number): SwitchEvent | undefined {
  const path = event.get('Record-File-Path');
  if (path === undefined) return undefined;
  if (event.name === 'RECORD_START') {
    // The dialplan's own recording of one whom it treats alone (contract, "Dialplan places").
    const treated = path.endsWith(`_${leg}.wav`) && path.includes('/fallback/');
    return treated ? { type: 'legTreated', leg, atMs } : { type: 'recordingStarted', leg, atMs, path };
  }
  return { type: 'recordingStopped', leg, atMs, path, failed: event.get('Record-Completion-Cause') === 'uri-failure' };
}

function conferenceMember(event: EslEvent, atMs: number): SwitchEvent | undefined {
  const leg = legOf(event);
  const conference = event.get('Conference-Name');
  if (leg === undefined || conference === undefined) return undefined;
  const action = event.get('Action');
  if (action === 'add-member') {
    return { type: 'conferenceJoined', leg, atMs, conference, memberId: event.get('Member-ID') ?? '' };
  }
  return action === 'del-member' ? { type: 'conferenceLeft', leg, atMs, conference } : undefined;
}

function supervising(event: EslEvent, atMs: number): SwitchEvent | undefined {
  const leg = legOf(event);
  const agentLeg = event.get('Supervise-Leg');
  const mode = readMode(event.get('Supervise-Mode'));
  if (leg === undefined || agentLeg === undefined || mode === undefined) return undefined;
  return { type: 'supervising', leg, atMs, agentLeg, mode };
}

/**
 * The bare SIP URI of a contact, which events write as `"name" <sip:…>;…` and the list of registrations as
 * `sofia/agents/sip:…`, so that the two can be compared. The way through a proxy stands at its end in `fs_path`, encoded;
 * FreeSWITCH does not encode it once more for the event, so it comes decoded out of that.
 */
export function contactUri(contact: string): string {
  const bare = /<(.*)>/s.exec(contact)?.[1] ?? contact.replace(/^sofia\/[^/]*\//, '');
  const at = bare.indexOf(pathParameter);
  if (at === -1) return bare;
  const path = bare.slice(at + pathParameter.length);
  return /[<:]/.test(path) ? bare.slice(0, at) + pathParameter + encodeURIComponent(path) : bare;
}

const pathParameter = ';fs_path=';

function registration(event: EslEvent, atMs: number): RegistrationEvent | undefined {
  // `expire` calls the user `user`, the other two `from-user` (mod_sofia's sofia_reg.c).
  const user = event.get('from-user') ?? event.get('user');
  if (user === undefined) return undefined;
  const contact = contactUri(event.get('contact') ?? '');
  if (event.get('Event-Subclass') !== 'sofia::register') return { type: 'unregistered', user, contact, atMs };
  const seconds = readInteger(event.get('expires'));
  return seconds === undefined
    ? { type: 'registered', user, contact, atMs }
    : { type: 'registered', user, contact, expiresAtMs: atMs + seconds * 1000, atMs };
}

/** A digest that was looked at, of a REGISTER or an INVITE. A stale one (RFC 7616, section 3.3) says nothing yet. */
function attempt(event: EslEvent, atMs: number): RegistrationEvent | undefined {
  const user = event.get('username');
  const address = event.get('network-ip');
  const result = event.get('auth-result');
  if (user === undefined || address === undefined || result === 'STALE') return undefined;
  return { type: 'passwordShown', right: result !== 'FORBIDDEN', user, address, atMs };
}

function translateCustom(event: EslEvent, atMs: number): SwitchEvent | RegistrationEvent | undefined {
  switch (event.get('Event-Subclass')) {
    case 'conference::maintenance':
      return conferenceMember(event, atMs);
    case 'yihaotong::supervise':
      return supervising(event, atMs);
    case 'sofia::register':
    case 'sofia::unregister':
    case 'sofia::expire':
      return registration(event, atMs);
    case 'sofia::register_attempt':
      return attempt(event, atMs);
    default:
      return undefined;
  }
}

function translateLegEvent(event: EslEvent, leg: string, atMs: number): SwitchEvent | undefined {
  switch (event.name) {
    case 'CHANNEL_PARK':
      return legParked(event, leg, atMs);
    case 'CHANNEL_PROGRESS':
    case 'CHANNEL_PROGRESS_MEDIA':
      // On an inbound leg it is our own 180 that went out.
      return event.get('Call-Direction') === 'outbound' ? { type: 'legRinging', leg, atMs } : undefined;
    case 'CHANNEL_ANSWER':
      return { type: 'legAnswered', leg, atMs };
    case 'CHANNEL_BRIDGE':
      return legBridged(event, leg, atMs);
    case 'CHANNEL_UNBRIDGE':
      return { type: 'legUnbridged', leg, atMs };
    case 'CHANNEL_HOLD':
      return { type: 'phoneHeld', leg, atMs };
    case 'CHANNEL_UNHOLD':
      return { type: 'phoneResumed', leg, atMs };
    case 'CHANNEL_EXECUTE_COMPLETE':
      return playEnded(event, leg, atMs);
    case 'CHANNEL_HANGUP_COMPLETE':
      return legEnded(event, leg, atMs);
    case 'DTMF': {
      const digit = event.get('DTMF-Digit');
      return digit === undefined ? undefined : { type: 'digit', leg, atMs, digit };
    }
    case 'RECORD_START':
    case 'RECORD_STOP':
      return recording(event, leg, atMs);
    default:
      return undefined;
  }
}

/**
 * Says an event of the switch in the words of the house (docs/switch-contract.md, "Events that control reads");
 * undefined for what control does not read.
 */
export function translateEvent(event: EslEvent): SwitchEvent | RegistrationEvent | undefined {
  const atMs = eventTimeMs(event);
  if (event.name === 'CUSTOM') return translateCustom(event, atMs);
  const leg = legOf(event);
  return leg === undefined ? undefined : translateLegEvent(event, leg, atMs);
}

/** Whether a translated event is about a registration. */
export function isRegistration(event: SwitchEvent | RegistrationEvent): event is RegistrationEvent {
  return ['registered', 'unregistered', 'passwordShown'].includes(event.type);
}
