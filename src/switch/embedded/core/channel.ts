/** A channel: one leg of a call as the switch knows it. */
import type { Timer } from '../../../kernel/clock.ts';
import type { MediaLeg } from '../media/api.ts';
import type { SipCall } from '../sip/call.ts';
import type { HeaderList } from './events.ts';

export type ChannelDirection = 'inbound' | 'outbound';
export type AnswerState = 'ringing' | 'early' | 'answered' | 'hangup';

/** What a channel is doing. Whoever puts one in place says how it is left; nothing else ends it. */
export interface Activity {
  readonly kind: 'setup' | 'park' | 'bridge' | 'conference' | 'supervise' | 'fallback';
  /** Ends it: timers, playing, the bond to others. Called once. */
  leave(): void;
}

/** Each tells the phone, once. */
export interface Referral {
  succeeded(): void;
  /** Also puts the two together again. */
  refused(): void;
}

export interface ChannelIdentity {
  readonly uuid: string;
  readonly direction: ChannelDirection;
  readonly profile: 'trunk' | 'agents';
  /** e.g. `sofia/trunk/13800000000@192.0.2.1`. */
  readonly name: string;
  readonly createdAtMs: number;
}

/** Set for every leg (contract, "Dialplan places"). */
const STANDING_VARIABLES = [
  ['transfer_after_bridge', 'parked:XML:yihaotong'],
  ['hold_hangup_xfer_exten', 'parked:XML:yihaotong'],
  ['RECORD_STEREO', 'true'],
  ['playback_terminators', 'none'],
] as const;

const setup: Activity = { kind: 'setup', leave: () => undefined };

export class Channel {
  readonly identity: ChannelIdentity;
  readonly variables = new Map<string, string>();
  callerName = '';
  callerNumber = '';
  destination = '';
  context: string;
  /** FreeSWITCH's state words, for the lists and headers. */
  state = 'CS_NEW';
  callState = 'DOWN';
  answerState: AnswerState = 'ringing';
  application = '';
  applicationData = '';
  answeredAtMs = 0;
  /** The phone itself has put us on hold. */
  held = false;
  /** The leg is gone; commands don't find it any more. */
  ended = false;
  activity: Activity = setup;
  /** The other leg of the bridge. */
  bridgedTo: Channel | undefined;
  /** This leg was sent away by a phone's REFER, and that phone waits for the outcome. */
  referral: Referral | undefined;
  /** Sends the supervisor at this leg away; set while there is one. */
  dismissSupervisor: (() => void) | undefined;
  sip: SipCall | undefined;
  media: MediaLeg | undefined;
  /** `sched_transfer` timers that have not fired. */
  readonly fallbacks = new Set<Timer>();
  /** Recordings that run: path to what happens when the file is complete. */
  readonly recordings = new Map<string, Promise<void>>();

  constructor(identity: ChannelIdentity, context: string) {
    this.identity = identity;
    this.context = context;
    this.variables.set('uuid', identity.uuid);
    this.variables.set('direction', identity.direction);
    this.variables.set('channel_name', identity.name);
    for (const [name, value] of STANDING_VARIABLES) this.variables.set(name, value);
  }

  get uuid(): string {
    return this.identity.uuid;
  }

  get answered(): boolean {
    return this.answerState === 'answered';
  }

  /** Ends what it does now; the caller puts the next activity in place at once. */
  leaveActivity(): void {
    const { activity } = this;
    this.activity = setup;
    activity.leave();
  }

  /** The headers that all its events carry (contract, "Events that control reads"). */
  headers(): HeaderList {
    const { identity } = this;
    const headers: HeaderList = [
      ['Channel-State', this.state],
      ['Channel-Call-State', this.callState],
      ['Channel-Name', identity.name],
      ['Unique-ID', identity.uuid],
      ['Call-Direction', identity.direction],
      ['Presence-Call-Direction', identity.direction],
      ['Channel-Call-UUID', identity.uuid],
      ['Answer-State', this.answerState],
      ['Caller-Direction', identity.direction],
      ['Caller-Username', this.callerNumber],
      ['Caller-Dialplan', 'XML'],
      ['Caller-Caller-ID-Name', this.callerName],
      ['Caller-Caller-ID-Number', this.callerNumber],
      ['Caller-Network-Addr', this.variables.get('sip_network_ip') ?? ''],
      ['Caller-Destination-Number', this.destination],
      ['Caller-Unique-ID', identity.uuid],
      ['Caller-Source', 'mod_sofia'],
      ['Caller-Context', this.context],
      ['Caller-Channel-Name', identity.name],
      ['Caller-Channel-Created-Time', String(identity.createdAtMs * 1000)],
      ['Caller-Channel-Answered-Time', String(this.answeredAtMs * 1000)],
    ];
    if (this.bridgedTo !== undefined) headers.push(['Other-Leg-Unique-ID', this.bridgedTo.uuid]);
    for (const [name, value] of this.variables) headers.push([`variable_${name}`, value]);
    if (this.application !== '') {
      headers.push(['variable_current_application', this.application]);
      headers.push(['variable_current_application_data', this.applicationData]);
    }
    return headers;
  }
}
