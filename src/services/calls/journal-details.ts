import type { CallEvent } from '../../domain/call/call.ts';

/** What the journal keeps of an event besides its name: what a person would ask for. */
export function journalDetails(event: CallEvent | undefined): Record<string, unknown> {
  switch (event?.type) {
    case 'citizenEnded':
    case 'agentEnded':
    case 'subcentreEnded':
    case 'supervisorEnded':
    case 'otherLineEnded':
      return { cause: event.end.cause, endedBy: event.end.endedBy };
    case 'citizenDigit':
      return { digit: event.digit };
    case 'agentReserved':
      return { personId: event.agent.personId, extension: event.agent.extension };
    case 'consult':
      return { number: event.consult.number, mode: event.consult.mode };
    case 'referred':
      return { number: event.number, by: event.by, to: event.target.to };
    case 'secondLine':
      return { number: event.number, to: event.target.to };
    case 'supervise': {
      const { personId, name, extension, mode } = event.supervisor;
      return { personId, name, extension, mode };
    }
    case 'superviseMode':
      return { personId: event.personId, mode: event.mode };
    case 'superviseLeave':
      return { personId: event.personId };
    case 'supervisorThere':
      return { mode: event.mode };
    case 'timer':
      return { timer: event.timer };
    case 'recordingFailed':
      return { path: event.path, failure: event.failure };
    case 'commandFailed':
      return { command: event.command, kind: event.kind };
    default:
      return {};
  }
}
