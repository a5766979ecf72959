import type { Call, CallEvent, LegEnd, LinePart, PhoneTarget, Role } from '../../domain/call/call.ts';
import { legOf } from '../../domain/call/moves.ts';
import { newCall } from '../../domain/call/new-call.ts';
import { callerNameOf } from '../../domain/hotline/caller-name.ts';
import { normaliseNumber } from '../../domain/hotline/normalise-number.ts';
import type { Referred, SwitchEvent } from '../../switch/port.ts';
import type { LegRecord } from '../ports.ts';

/** The part that a leg plays in the call now; undefined for a leg that the call has let go of. */
export function roleOf(call: Call, leg: string): LinePart | undefined {
  const roles: readonly LinePart[] = ['citizen', 'agent', 'subcentre', 'supervisor', 'otherLine'];
  return roles.find((role) => legOf(call, role) === leg);
}

const parked = {
  citizen: 'citizenParked',
  agent: 'agentParked',
  subcentre: 'subcentreParked',
  supervisor: 'supervisorParked',
  otherLine: 'otherLineParked',
} as const;
const ended = {
  citizen: 'citizenEnded',
  agent: 'agentEnded',
  subcentre: 'subcentreEnded',
  supervisor: 'supervisorEnded',
  otherLine: 'otherLineEnded',
} as const;
const ringing = {
  citizen: undefined,
  agent: 'agentRinging',
  subcentre: 'subcentreRinging',
  supervisor: 'supervisorRinging',
  otherLine: undefined,
} as const;

/** What a translation looks up. */
export interface TranslationContext {
  readonly legs: { get(leg: string): LegRecord | undefined };
  /** Whom a number that a phone wrote into its REFER means. */
  readonly phoneTarget: (number: string) => PhoneTarget;
}

/** Who listens, and a line that waits, take no part in the conversation. */
const isParty = (part: LinePart): part is Role => part !== 'supervisor' && part !== 'otherLine';

function referredOf(call: Call, role: Role, { number, by }: Referred, around: TranslationContext): CallEvent {
  const whose = roleOf(call, by);
  const party = whose !== undefined && isParty(whose) ? whose : null;
  return { type: 'referred', role, by: party, byLeg: by, number, target: around.phoneTarget(number) };
}

/**
 * What the switch told, as an event of this call; undefined when it means nothing to it.
 * Legs that the call has let go of (a cancelled consultation, an agent who was given up) are silent here: their
 * times are on the leg's own record.
 */
export function translate(call: Call, event: SwitchEvent, around: TranslationContext): CallEvent | undefined {
  const role = roleOf(call, event.leg);
  if (role === undefined) return undefined;
  switch (event.type) {
    case 'legParked':
      if (event.referred !== undefined && isParty(role)) return referredOf(call, role, event.referred, around);
      if (role === 'subcentre' && !event.answered) return { type: 'subcentreEarlyMedia' };
      return { type: parked[role] };
    case 'legTreated':
      return role === 'citizen' ? { type: 'citizenTreated', found: false } : undefined;
    case 'legAnswered':
      if (role === 'subcentre') return { type: 'subcentreAnswered' };
      return role === 'citizen' ? { type: 'citizenAnswered' } : undefined;
    case 'legRinging': {
      const type = ringing[role];
      return type === undefined ? undefined : { type };
    }
    case 'legEnded': {
      const end: LegEnd = { cause: event.cause, sipStatus: event.sipStatus, endedBy: event.endedBy };
      return { type: ended[role], end };
    }
    case 'legBridged': {
      const other = around.legs.get(event.other) === undefined ? undefined : roleOf(call, event.other);
      if (role === 'otherLine' || other === 'otherLine') return { type: 'otherLineBridged' };
      // Nobody is ever bridged to a supervisor.
      if (other === undefined || !isParty(other) || !isParty(role)) return undefined;
      return { type: 'bridged', a: role, b: other };
    }
    case 'conferenceJoined':
      return isParty(role) ? { type: 'joined', role } : undefined;
    case 'supervising':
      if (role !== 'supervisor') return undefined;
      return { type: 'supervisorThere', agentLeg: event.agentLeg, mode: event.mode };
    case 'digit':
      return role === 'citizen' ? { type: 'citizenDigit', digit: event.digit } : undefined;
    case 'playEnded':
      return role === 'citizen' ? { type: 'citizenPlayEnded', playId: event.playId, failed: event.failed } : undefined;
    case 'recordingStopped':
      return event.failed ? { type: 'recordingFailed', path: event.path, failure: 'not-written' } : undefined;
    case 'legUnbridged':
    case 'phoneHeld':
    case 'phoneResumed':
    case 'recordingStarted':
    case 'conferenceLeft':
      // Known, and told by a stronger event (parked, ended) where it matters.
      return undefined;
  }
}

/** A new call from a citizen's parked leg. */
export function citizenCall(
  id: string,
  event: Extract<SwitchEvent, { type: 'legParked' }>,
  flowId: string,
  nowMs: number,
): Call {
  const callerNumber = normaliseNumber(event.callerNumber).normalised;
  // A number in the name's place, however written, is no name; shown as one it would not be masked.
  const nameIsNumber = normaliseNumber(event.callerName).normalised === callerNumber;
  return newCall({
    id,
    citizenLeg: event.leg,
    callerNumber,
    callerName: nameIsNumber ? callerNumber : callerNameOf(event.callerName),
    dialledNumber: event.dialledNumber,
    startedAtMs: nowMs,
    flowId,
  });
}
