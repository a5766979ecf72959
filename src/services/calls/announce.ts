/** What is told and noted of a leg before the switch is asked for it. */
import type { Call, Effect } from '../../domain/call/call.ts';
import type { CallObservers } from './call-observers.ts';
import type { CallWriter } from './call-writer.ts';
import type { LegBook } from './leg-book.ts';
import type { LegCare } from './leg-care.ts';

export interface AnnounceContext {
  readonly legs: LegBook;
  readonly care: LegCare;
  readonly writer: CallWriter;
  readonly observers: CallObservers;
}

/** The leg is on the books and the desk is told before the phone is rung: the pop is never later than the ring. */
export function announce(effect: Effect, call: Call, atMs: number, around: AnnounceContext): void {
  const { legs, care, writer, observers } = around;
  const { agent } = call;
  if (effect.do === 'originateAgent' && agent !== null) {
    writer.leg(legs.addOf(call, 'agent', atMs));
    observers.tell((observer) => observer.onOffer(call, agent));
  }
  if (effect.do === 'takeLine' && agent !== null) {
    writer.leg(legs.addOf(call, 'agent', atMs));
    // It was parked before anybody knew whose it is.
    care.claim(agent.leg, 'agent');
  }
  if (effect.do === 'originateSupervisor' && call.supervisor !== null) {
    writer.leg(legs.addOf(call, 'supervisor', atMs));
  }
  if (effect.do === 'originateSubcentre' && call.consult !== null) {
    writer.leg(legs.addOf(call, 'subcentre', atMs));
    observers.tell((observer) => observer.onConsult(call));
  }
}
