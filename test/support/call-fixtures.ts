import type {
  AgentPart,
  Call,
  CallEvent,
  ConsultPart,
  PhoneTarget,
  Role,
  SupervisorPart,
} from '../../src/domain/call/call.ts';
import { timerNames } from '../../src/domain/call/call.ts';
import type { Surroundings } from '../../src/domain/call/decision.ts';
import { newCall as arrived } from '../../src/domain/call/new-call.ts';

/** A citizen who has just come in. */
export function newCall(): Call {
  return arrived({
    id: '00000000-0000-4000-8000-000000000001',
    citizenLeg: 'leg-citizen',
    callerNumber: '13800001234',
    callerName: '',
    dialledNumber: '12345',
    startedAtMs: 0,
    flowId: 'direct',
  });
}

export function agentPart(): AgentPart {
  return {
    personId: 'person-1',
    name: '王敏',
    extension: '1001',
    leg: 'leg-agent',
    fencingToken: '1',
    offeredAtMs: 10,
    answeredAtMs: null,
    place: 'dialling',
    otherLine: null,
  };
}

export function consultPart(): ConsultPart {
  return {
    number: '12366',
    name: '纳税服务热线',
    gateway: 'subcentre-12366',
    leg: 'leg-subcentre',
    place: 'dialling',
    answeredAtMs: null,
    mode: 'consult',
    referred: false,
  };
}

export function supervisorPart(): SupervisorPart {
  return {
    personId: 'person-9',
    name: '班长',
    extension: '1009',
    leg: 'leg-supervisor',
    agentLeg: 'leg-agent',
    mode: 'listen',
    place: 'dialling',
  };
}

export function aroundNow(): Surroundings {
  return {
    nowMs: 1000,
    recordingPath: '/recordings/one.wav',
    flow: {
      id: 'direct',
      title: '直达',
      start: 'person',
      operatorDigit: '0',
      operatorQueue: 'citizen',
      steps: { person: { kind: 'queue', queue: 'citizen' } },
    },
    settings: {
      ringTimeoutMs: 20_000,
      consultRingTimeoutMs: 30_000,
      queueMaxWaitMs: 600_000,
      announceEveryMs: 30_000,
      autoResumeMs: 8000,
      lineChangeMs: 500,
      ratingEnabled: true,
      ratingTimeoutMs: 10_000,
      stepTimeoutMs: 4000,
    },
  };
}

const referredBy = (by: Role | null, byLeg: string, role: Role, target: PhoneTarget): CallEvent => ({
  type: 'referred',
  role,
  by,
  byLeg,
  number: '12366',
  target,
});

/** One of each event, and a few variants that decide differently. */
export function everyEvent(): CallEvent[] {
  const ends = ['NORMAL_CLEARING', 'USER_BUSY', 'NO_ANSWER', 'MEDIA_TIMEOUT'].map((cause) => ({
    cause,
    sipStatus: undefined,
    endedBy: 'phone' as const,
  }));
  return [
    { type: 'citizenAnswered' },
    { type: 'citizenFound', sinceMs: 5 },
    { type: 'citizenParked' },
    { type: 'citizenTreated', found: false },
    { type: 'citizenTreated', found: true },
    ...ends.map((end): CallEvent => ({ type: 'citizenEnded', end })),
    { type: 'citizenDigit', digit: '1' },
    { type: 'citizenDigit', digit: '9' },
    { type: 'citizenPlayEnded', playId: '00000000-0000-4000-8000-000000000001-1', failed: false },
    { type: 'citizenPlayEnded', playId: 'late', failed: true },
    { type: 'queueFull' },
    { type: 'recordingFailed', path: '/recordings/one.wav', failure: 'not-written' },
    { type: 'recordingFailed', path: '/recordings/other.wav', failure: 'disk-full' },
    { type: 'commandFailed', command: 'record', kind: 'refused' },
    { type: 'agentReserved', agent: agentPart() },
    { type: 'agentRinging' },
    { type: 'agentParked' },
    ...ends.map((end): CallEvent => ({ type: 'agentEnded', end })),
    { type: 'agentEnded', end: { cause: 'CRASH', sipStatus: undefined, endedBy: 'unknown' } },
    { type: 'agentEnded', end: { cause: 'ATTENDED_TRANSFER', sipStatus: undefined, endedBy: 'switch' } },
    { type: 'subcentreRinging' },
    { type: 'subcentreEarlyMedia' },
    { type: 'subcentreAnswered' },
    { type: 'subcentreParked' },
    ...ends.map((end): CallEvent => ({ type: 'subcentreEnded', end })),
    { type: 'bridged', a: 'citizen', b: 'agent' },
    { type: 'bridged', a: 'agent', b: 'subcentre' },
    { type: 'joined', role: 'citizen' },
    { type: 'joined', role: 'agent' },
    { type: 'joined', role: 'subcentre' },
    ...timerNames.map((timer): CallEvent => ({ type: 'timer', timer })),
    { type: 'commandFailed', command: 'playCitizen', kind: 'refused' },
    { type: 'commandFailed', command: 'bridge', kind: 'gone' },
    { type: 'commandFailed', command: 'originateAgent', kind: 'refused' },
    { type: 'commandFailed', command: 'originateSubcentre', kind: 'refused' },
    { type: 'hold' },
    { type: 'resume' },
    { type: 'hangup' },
    { type: 'consult', consult: consultPart() },
    { type: 'consult', consult: { ...consultPart(), mode: 'transfer' } },
    { type: 'cancelConsult' },
    { type: 'joinThreeWay' },
    ...(['citizen', 'subcentre'] as const).flatMap((role): CallEvent[] => [
      referredBy('agent', 'leg-agent', role, { to: 'subcentre', consult: { ...consultPart(), referred: true } }),
      referredBy('agent', 'leg-agent', role, { to: 'queue' }),
      referredBy('agent', 'leg-agent', role, { to: 'unknown' }),
      referredBy(null, 'leg-nobody', role, { to: 'queue' }),
    ]),
    ...([{ to: 'subcentre', consult: consultPart() }, { to: 'queue' }, { to: 'unknown' }] as const).map(
      (target): CallEvent => ({ type: 'secondLine', leg: 'leg-second', number: '12366', target }),
    ),
    { type: 'otherLineParked' },
    { type: 'otherLineBridged' },
    ...ends.map((end): CallEvent => ({ type: 'otherLineEnded', end })),
    { type: 'leave' },
    { type: 'supervise', supervisor: supervisorPart() },
    { type: 'superviseMode', personId: 'person-9', mode: 'barge' },
    { type: 'superviseMode', personId: 'somebody else', mode: 'barge' },
    { type: 'superviseLeave', personId: 'person-9' },
    { type: 'supervisorRinging' },
    { type: 'supervisorParked' },
    { type: 'supervisorThere', agentLeg: 'leg-agent', mode: 'listen' },
    { type: 'supervisorThere', agentLeg: 'leg-agent', mode: 'barge' },
    ...ends.map((end): CallEvent => ({ type: 'supervisorEnded', end })),
    { type: 'commandFailed', command: 'originateSupervisor', kind: 'refused' },
    { type: 'commandFailed', command: 'supervise', kind: 'deadline' },
    { type: 'restored' },
  ];
}
