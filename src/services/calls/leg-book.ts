import type { Call, LinePart } from '../../domain/call/call.ts';
import { endingOfCause } from '../../domain/call/ending.ts';
import type { SwitchEvent } from '../../switch/port.ts';
import type { LegRecord } from '../ports.ts';

/** Which leg belongs to which call and part, with its times for the record. Legs are kept until their end is told. */
export class LegBook {
  readonly #legs = new Map<string, LegRecord>();

  get size(): number {
    return this.#legs.size;
  }

  get(leg: string): LegRecord | undefined {
    return this.#legs.get(leg);
  }

  /** The leg that plays this part in the call; one that is known already stays as it is. */
  addOf(call: Call, part: LinePart, atMs: number): LegRecord {
    const whose = partOf(call, part);
    const known = this.#legs.get(whose.leg);
    if (known !== undefined) return known;
    const record: LegRecord = {
      ...whose,
      callId: call.id,
      // On the books both lines are the agent's.
      role: part === 'otherLine' ? 'agent' : part,
      createdAtMs: atMs,
      ringingAtMs: null,
      answeredAtMs: null,
      endedAtMs: null,
      endClass: null,
      endReason: null,
      cause: null,
      sipStatus: null,
    };
    this.#legs.set(whose.leg, record);
    return record;
  }

  restore(record: LegRecord): void {
    if (record.endedAtMs === null) this.#legs.set(record.leg, record);
  }

  /** Notes what an event says of the leg's times; undefined when nothing changed or the leg is not known. */
  note(event: SwitchEvent): LegRecord | undefined {
    const leg = this.#legs.get(event.leg);
    if (leg === undefined) return undefined;
    const changed = noted(leg, event);
    if (changed === leg) return undefined;
    if (changed.endedAtMs === null) this.#legs.set(event.leg, changed);
    else this.#legs.delete(event.leg);
    return changed;
  }

  /** Forgets a leg whose end was never told. */
  forget(leg: string): void {
    this.#legs.delete(leg);
  }

  ofCall(callId: string): LegRecord[] {
    return [...this.#legs.values()].filter((leg) => leg.callId === callId);
  }

  all(): LegRecord[] {
    return [...this.#legs.values()];
  }
}

function partOf(call: Call, role: LinePart): Pick<LegRecord, 'leg' | 'party' | 'personId' | 'direction'> {
  if (role === 'citizen') {
    return { leg: call.citizenLeg, party: call.callerNumber, personId: null, direction: 'inbound' };
  }
  if (role === 'agent' && call.agent !== null) {
    const { leg, extension, personId, otherLine } = call.agent;
    // The second line is the phone's own call.
    return { leg, party: extension, personId, direction: otherLine === null ? 'outbound' : 'inbound' };
  }
  if (role === 'otherLine' && call.agent !== null && call.agent.otherLine !== null) {
    const { extension, personId, otherLine } = call.agent;
    return { leg: otherLine.leg, party: extension, personId, direction: 'outbound' };
  }
  if (role === 'subcentre' && call.consult !== null) {
    return { leg: call.consult.leg, party: call.consult.number, personId: null, direction: 'outbound' };
  }
  if (role === 'supervisor' && call.supervisor !== null) {
    const { leg, extension, personId } = call.supervisor;
    return { leg, party: extension, personId, direction: 'outbound' };
  }
  throw new Error(`The call has no ${role}`);
}

function noted(leg: LegRecord, event: SwitchEvent): LegRecord {
  if (event.type === 'legRinging' && leg.ringingAtMs === null) return { ...leg, ringingAtMs: event.atMs };
  if (event.type === 'legAnswered' && leg.answeredAtMs === null) return { ...leg, answeredAtMs: event.atMs };
  if (event.type !== 'legEnded') return leg;
  const ending = endingOfCause(event.cause);
  return {
    ...leg,
    endedAtMs: event.atMs,
    endClass: ending.endClass,
    endReason: ending.reason,
    cause: event.cause,
    sipStatus: event.sipStatus ?? null,
  };
}
