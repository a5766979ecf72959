import type { Result } from '../kernel/result.ts';

/** A leg (channel) of the switch, by its UUID. */
export type LegId = string;

/** Why a command was not carried out. */
export interface SwitchFailure {
  /**
   * `gone`: no such leg; `refused`: the switch said no; `deadline`: no answer in time, it may still happen;
   * `link-down`: not connected, or the link broke while the command was in flight; `bad-argument`: never sent.
   */
  readonly kind: 'gone' | 'refused' | 'deadline' | 'link-down' | 'bad-argument';
  /** One line for the log. */
  readonly message: string;
}

export type SwitchReply = Promise<Result<void, SwitchFailure>>;

/** Whom to ring. */
export type DialTarget =
  | { readonly kind: 'phone'; readonly user: string }
  /** A phone that registered on another node: rung at its contact (a SIP URI, with `fs_path` where a proxy stands before it). */
  | { readonly kind: 'contact'; readonly user: string; readonly contact: string }
  | { readonly kind: 'gateway'; readonly gateway: string; readonly number: string };

export interface OriginateRequest {
  readonly leg: LegId;
  readonly target: DialTarget;
  readonly role: 'agent' | 'subcentre' | 'supervisor';
  /** The leg that it will talk to: of several switch nodes, the one on which that leg is rings the phone. */
  readonly beside?: LegId;
  readonly callId: string;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly ringTimeoutMs: number;
  /**
   * What the far side lets hear before it answers counts: the leg is parked, unanswered, as soon as such sound comes,
   * can be bridged, and tells `legAnswered` later. The ring time-out is control's own from then on.
   */
  readonly earlyMedia?: boolean;
  /** Extra SIP headers, names without the `X-` prefix rules of anybody: sent as they are. */
  readonly sipHeaders?: Readonly<Record<string, string>>;
}

/** To whom a supervisor is heard: nobody, the agent alone, or all. */
export type SuperviseMode = 'listen' | 'whisper' | 'barge';

/** The part that a leg was given when it was made. */
export type LegRole = 'citizen' | 'agent' | 'subcentre' | 'supervisor' | 'unknown';

/** One thing to hear. Files are absolute paths that the switch can read. */
export type Sound =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'silence'; readonly durationMs: number }
  | { readonly kind: 'ringback' };

export interface PlayRequest {
  readonly leg: LegId;
  /** Comes back in `playEnded`. */
  readonly playId: string;
  readonly sounds: readonly Sound[];
  /** Repeat the whole until stopped. */
  readonly forever: boolean;
}

/** A phone wants its partner's leg to go elsewhere (REFER, RFC 3515), and waits, parked, for the outcome. */
export interface Referred {
  /** As the phone wrote it. */
  readonly number: string;
  /** The leg of that phone. */
  readonly by: LegId;
}

/** A leg as the switch's own list shows it. */
export interface LegSnapshot {
  readonly leg: LegId;
  readonly direction: 'inbound' | 'outbound';
  readonly role: LegRole;
  readonly callId: string | undefined;
  readonly answered: boolean;
  readonly parked: boolean;
  readonly bridgedTo: LegId | undefined;
  readonly conference: string | undefined;
  /** At which agent's leg this supervisor's leg is, and how. */
  readonly supervising: { readonly agentLeg: LegId; readonly mode: SuperviseMode } | undefined;
  /** It waits where a phone's REFER has sent it. */
  readonly referred?: Referred | undefined;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly dialledNumber: string;
  readonly createdAtMs: number;
}

export interface Registration {
  readonly user: string;
  readonly contact: string;
  /** Undefined when the switch did not say. */
  readonly expiresAtMs?: number | undefined;
}

export interface SwitchSnapshot {
  /** When this switch began; undefined where it does not say, or where it is gone. */
  readonly startedAtMs: number | undefined;
  readonly legs: readonly LegSnapshot[];
  readonly registrations: readonly Registration[];
}

interface LegEventBase {
  readonly leg: LegId;
  /** The switch's own time, milliseconds since the epoch. */
  readonly atMs: number;
}

/** What the switch tells control, in the words of the house. */
export type SwitchEvent =
  | (LegEventBase & {
      readonly type: 'legParked';
      readonly direction: 'inbound' | 'outbound';
      readonly role: LegRole;
      readonly callId: string | undefined;
      readonly answered: boolean;
      readonly callerNumber: string;
      readonly callerName: string;
      readonly dialledNumber: string;
      readonly sourceAddress: string;
      readonly referred?: Referred | undefined;
      /** A call of a registered phone's own, by the name that it has shown the password of. */
      readonly dialledBy?: string | undefined;
    })
  | (LegEventBase & { readonly type: 'legRinging' })
  | (LegEventBase & { readonly type: 'legAnswered' })
  | (LegEventBase & { readonly type: 'legBridged'; readonly other: LegId })
  | (LegEventBase & { readonly type: 'legUnbridged' })
  | (LegEventBase & { readonly type: 'phoneHeld' })
  | (LegEventBase & { readonly type: 'phoneResumed' })
  | (LegEventBase & { readonly type: 'playEnded'; readonly playId: string; readonly failed: boolean })
  | (LegEventBase & { readonly type: 'digit'; readonly digit: string })
  | (LegEventBase & {
      readonly type: 'legEnded';
      /** FreeSWITCH's cause word, e.g. `USER_BUSY`; also when the leg never came to be (originate failed). */
      readonly cause: string;
      readonly q850: number | undefined;
      readonly sipStatus: number | undefined;
      /** Who ended it: the far phone, this switch, or not known. */
      readonly endedBy: 'phone' | 'switch' | 'unknown';
    })
  | (LegEventBase & { readonly type: 'recordingStarted'; readonly path: string })
  /** `failed`: the file is not whole, because it could not be written (a full disk). FreeSWITCH tells it at the leg's end. */
  | (LegEventBase & { readonly type: 'recordingStopped'; readonly path: string; readonly failed: boolean })
  | (LegEventBase & { readonly type: 'conferenceJoined'; readonly conference: string; readonly memberId: string })
  | (LegEventBase & { readonly type: 'conferenceLeft'; readonly conference: string })
  /** The dialplan treats the citizen alone: nobody has put his way out off. */
  | (LegEventBase & { readonly type: 'legTreated' })
  | (LegEventBase & { readonly type: 'supervising'; readonly agentLeg: LegId; readonly mode: SuperviseMode });

/** Of a REGISTER or of a call: somebody at this address has shown the user's password (`right`), or not. */
export interface PasswordShown {
  readonly type: 'passwordShown';
  readonly right: boolean;
  readonly user: string;
  readonly address: string;
  readonly atMs: number;
}

export type RegistrationEvent =
  | {
      readonly type: 'registered';
      readonly user: string;
      readonly contact: string;
      readonly expiresAtMs?: number | undefined;
      readonly atMs: number;
    }
  | PasswordShown
  | { readonly type: 'unregistered'; readonly user: string; readonly contact: string; readonly atMs: number };

export type LinkEvent =
  | {
      readonly type: 'linkUp';
      /** With several nodes: the legs of this one, the registrations of all. */
      readonly snapshot: SwitchSnapshot;
      /** Legs of other nodes, of which this snapshot says nothing. */
      readonly elsewhere?: (leg: LegId) => boolean;
      /** The node has been away for so long that its legs are taken for ended: the snapshot of one that died. */
      readonly lost?: string;
      readonly atMs: number;
    }
  | { readonly type: 'linkDown'; readonly reason: string; readonly atMs: number };

/** At so many addresses one user's phone can be refused: FreeSWITCH reads 32 networks from an entry, and one is a filler. */
export const maxBannedAddresses = 31;

/** The addresses at which a user's phone is refused, whatever it shows; by user. */
export type PhoneBans = ReadonlyMap<string, readonly string[]>;

/** Who listens. Handlers must not throw and must not block: they only put the event into a queue. */
export interface SwitchListener {
  onLeg(event: SwitchEvent): void;
  onRegistration(event: RegistrationEvent): void;
  onLink(event: LinkEvent): void;
}

/** One of several switches behind the port. */
export interface SwitchNode {
  /** Its Event Socket, `host:port`. */
  readonly name: string;
  readonly state: 'up' | 'down' | 'lost';
  /** Legs that are known to be there: 0 on a drained one. */
  readonly legs: number;
}

/**
 * The telephone switch as control sees it (docs/switch-contract.md). Every command has a deadline of its own
 * (`commandDeadlineMs` of the adapter); none is ever sent twice.
 */
export interface TelephoneSwitch {
  /** Connects, and keeps reconnecting until `close`. The first `linkUp` brings the snapshot. */
  start(listener: SwitchListener): void;
  close(): Promise<void>;
  /** True while connected and subscribed. */
  readonly connected: boolean;
  /** Whether commands about this leg have a way; a port of one switch leaves it out, `connected` says it. */
  reaches?(leg: LegId): boolean;
  /** The switches behind the port, where there are several. */
  nodes?(): readonly SwitchNode[];

  /** Whether the switch still has this leg: asked before a leg that a snapshot lacks is taken for ended. */
  exists(leg: LegId): Promise<Result<boolean, SwitchFailure>>;
  answer(leg: LegId): SwitchReply;
  hangup(leg: LegId, cause: string): SwitchReply;
  /** Rings a phone. Its way is told by legRinging, legAnswered, legParked, or legEnded under the same leg id. */
  originate(request: OriginateRequest): SwitchReply;
  /**
   * Tells the phone that sent this leg away. Refused, it talks on with it: the switch puts the two together, which
   * `legBridged` tells. A bridge of the leg with anybody else tells the phone of success by itself. Does nothing when
   * that phone has hung up, or has been told.
   */
  answerRefer(leg: LegId, by: LegId, accepted: boolean): SwitchReply;
  /** A phone's own call becomes a leg of this call, and is answered. */
  takeLine(leg: LegId, callId: string): SwitchReply;
  /** Whether a phone may put together those whom two such legs talk to (REFER with Replaces, RFC 3891). Of a new leg: no. */
  attendedTransfer(leg: LegId, allowed: boolean): SwitchReply;
  /** Two parked or bridged legs talk to each other. */
  bridge(a: LegId, b: LegId): SwitchReply;
  /** Parks this leg; with `both` also the one bridged to it. Each tells `legParked`. */
  park(leg: LegId, both: boolean): SwitchReply;
  /** Puts the leg (with `both` also the bridged one) into a conference. */
  joinConference(leg: LegId, conference: string, both: boolean): SwitchReply;
  /**
   * Puts a supervisor's leg to an agent's, or changes the mode there. It tells `supervising`, and `legParked` when the
   * agent's leg ends or is not there. A second command before that may be lost.
   */
  supervise(leg: LegId, agentLeg: LegId, mode: SuperviseMode): SwitchReply;
  /**
   * Control has taken a parked leg: the dialplan's short time for it ends, and a longer one begins, which is put off as
   * long as this process lives and has a link (docs/adr/0018-way-out-for-who-waits.md). After it the dialplan treats the
   * leg by its role. Whatever takes the leg into a conversation (`bridge`, `joinConference`, `supervise`) ends it first.
   * Without an answer it is ordered again, a few times.
   */
  claim(leg: LegId, role: LegRole): SwitchReply;
  /** Nothing takes this leg out of where it is: for one that is found in a conversation. */
  disarm(leg: LegId): SwitchReply;
  /** Plays on a parked leg. What plays already is stopped first; its `playEnded` comes before. */
  play(request: PlayRequest): SwitchReply;
  stopPlaying(leg: LegId): SwitchReply;
  startRecording(leg: LegId, path: string): SwitchReply;
  stopRecording(leg: LegId, path: string): SwitchReply;
  pauseRecording(leg: LegId, path: string): SwitchReply;
  resumeRecording(leg: LegId, path: string): SwitchReply;
  /** Refuses these phones from now on, and none but these. */
  banPhones(bans: PhoneBans): SwitchReply;
  /** What says which phones there are was written anew where the switch has it: it reads it again. */
  readPhones(): SwitchReply;
}
