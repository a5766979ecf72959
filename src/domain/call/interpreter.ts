/** The one interpreter of the call's state tables. */
import { type Call, type CallEvent, deskCommands, type Place, type Role } from './call.ts';
import type { Decision, Row, Surroundings } from './decision.ts';
import { placed } from './moves.ts';
import { arrivalRows } from './table/arrival.ts';
import { conferenceRows } from './table/conference.ts';
import { consultRows } from './table/consult.ts';
import { endingRows } from './table/ending.ts';
import { foundRows } from './table/found.ts';
import { musicRows } from './table/music.ts';
import { queueRows } from './table/queue.ts';
import { recordingRows } from './table/recording.ts';
import { referRows } from './table/refer.ts';
import { guardAttendedTransfer, secondLineRows } from './table/second-line.ts';
import { followAgent, superviseRows } from './table/supervise.ts';
import { talkRows } from './table/talk.ts';
import { treatedRows } from './table/treated.ts';

/** All rows, in the order in which they are tried. */
export const callTable: readonly Row[] = [
  ...superviseRows,
  ...recordingRows,
  ...treatedRows,
  ...arrivalRows,
  ...musicRows,
  ...referRows,
  ...secondLineRows,
  ...foundRows,
  ...queueRows,
  ...talkRows,
  ...conferenceRows,
  ...consultRows,
  ...endingRows,
];

export type Verdict = 'acted' | 'ignored' | 'refused' | 'unforeseen';

export interface Step extends Decision {
  /**
   * `refused`: a desk command that the state does not allow; `unforeseen`: no row at all, which is our own mistake
   * and is logged as one (a test walks every state and event so that there is none).
   */
  readonly verdict: Verdict;
}

/** Where the legs are is a fact, whatever the state makes of it. */
function applyFacts(call: Call, event: CallEvent, nowMs: number): Call {
  switch (event.type) {
    case 'citizenParked':
      return placed(call, 'citizen', 'parked');
    case 'agentRinging':
      return placed(call, 'agent', 'ringing');
    case 'agentParked':
      return placed(call, 'agent', 'parked');
    case 'subcentreRinging':
      return placed(call, 'subcentre', 'ringing');
    case 'subcentreEarlyMedia':
      return placed(call, 'subcentre', 'early');
    case 'subcentreParked':
      return placed(call, 'subcentre', 'parked');
    case 'referred': {
      const parked = placed(call, event.role, 'parked');
      return event.by === null ? parked : placed(parked, event.by, 'parked');
    }
    case 'bridged':
      return together(placed(placed(call, event.a, 'bridged'), event.b, 'bridged'), [event.a, event.b], nowMs);
    case 'joined':
      return together(placed(call, event.role, 'conference'), [event.role], nowMs);
    case 'otherLineParked':
      return withOtherLine(call, 'parked');
    case 'otherLineBridged':
      return withOtherLine(call, 'bridged');
    case 'supervisorRinging':
      return call.supervisor === null ? call : { ...call, supervisor: { ...call.supervisor, place: 'ringing' } };
    default:
      return call;
  }
}

function withOtherLine(call: Call, place: Place): Call {
  const { agent } = call;
  if (agent === null || agent.otherLine === null) return call;
  return { ...call, agent: { ...agent, otherLine: { ...agent.otherLine, place } } };
}

function together(call: Call, roles: readonly Role[], nowMs: number): Call {
  return roles.includes('citizen') ? { ...call, togetherAtMs: nowMs } : call;
}

function fits(row: Row, call: Call, event: CallEvent): boolean {
  if (row.on !== event.type || !row.from.includes(call.state)) return false;
  if (event.type === 'timer' && row.timer !== undefined && row.timer !== event.timer) return false;
  return row.when === undefined || row.when(call, event);
}

/**
 * One step of a call: facts first, then the first row that fits.
 * Pure: the same call, event and surroundings always give the same step.
 */
export function step(call: Call, event: CallEvent, around: Surroundings): Step {
  const known = applyFacts(call, event, around.nowMs);
  const row = callTable.find((candidate) => fits(candidate, known, event));
  if (row === undefined) {
    const isCommand = (deskCommands as readonly string[]).includes(event.type);
    return { call: known, effects: [], verdict: isCommand ? 'refused' : 'unforeseen' };
  }
  if (row.act === 'ignore') return { call: known, effects: [], verdict: 'ignored' };
  const acted = followAgent(row.act(known, event, around), event.type === 'restored', around);
  const decided = guardAttendedTransfer(call, acted);
  return { ...decided, verdict: 'acted' };
}
