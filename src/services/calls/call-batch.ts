import type { Call } from '../../domain/call/call.ts';
import type { CallBatch, JournalEntry, LegRecord } from '../ports.ts';

/** What waits to be stored. */
export interface Backlog {
  readonly calls: ReadonlyMap<string, Call>;
  readonly legs: ReadonlyMap<string, LegRecord>;
  readonly journal: readonly JournalEntry[];
}

/**
 * The next things to store, about `limit` of each. A call goes with all of its lines: stored ahead of them it would
 * come back from a crash with a journal that ends elsewhere. A leg is never written before its call.
 */
export function nextBatch({ calls, legs, journal }: Backlog, limit: number): CallBatch {
  const linesOf = new Map<string, JournalEntry[]>();
  for (const entry of journal) {
    const lines = linesOf.get(entry.callId);
    if (lines === undefined) linesOf.set(entry.callId, [entry]);
    else lines.push(entry);
  }
  const chosen: Call[] = [];
  // A step that left the call as it was adds a line to a call that is stored already.
  const lines = journal.filter((entry) => !calls.has(entry.callId)).slice(0, limit);
  for (const call of calls.values()) {
    const own = linesOf.get(call.id) ?? [];
    const full = chosen.length >= limit || lines.length + own.length > limit;
    if (full && chosen.length > 0) break;
    chosen.push(call);
    lines.push(...own);
  }
  const inBatch = new Set(chosen.map((call) => call.id));
  const writable = [...legs.values()].filter((leg) => inBatch.has(leg.callId) || !calls.has(leg.callId));
  return { calls: chosen, journal: lines, legs: writable.slice(0, limit) };
}

/**
 * Splits what was kept before another control led. That one has gone on from what the store knew, so nothing of a call
 * that the store knows may be added, nor of one whose parties it may have found on the switch; a call of which the
 * store knows nothing and that was over is missing there and no more.
 * @param stored the last journal position in the store, by call
 */
export function beforeAnotherLed(
  kept: CallBatch,
  stored: ReadonlyMap<string, number>,
): { readonly missing: CallBatch; readonly contradicting: CallBatch } {
  const over = new Set(kept.calls.filter((call) => call.state === 'ended').map((call) => call.id));
  const part = (wanted: boolean): CallBatch => {
    const isIn = (callId: string) => (over.has(callId) && !stored.has(callId)) === wanted;
    return {
      calls: kept.calls.filter((call) => isIn(call.id)),
      journal: kept.journal.filter((entry) => isIn(entry.callId)),
      legs: kept.legs.filter((leg) => isIn(leg.callId)),
    };
  };
  return { missing: part(true), contradicting: part(false) };
}

/**
 * What an earlier process kept, without what the store knows better: it may have been stored, and gone on, between
 * the keeping and the crash.
 * @param stored the last journal position in the store, by call
 */
export function onlyNews(kept: CallBatch, stored: ReadonlyMap<string, number>): CallBatch {
  const keptUpTo = new Map<string, number>();
  for (const { callId, position } of kept.journal) {
    keptUpTo.set(callId, Math.max(position, keptUpTo.get(callId) ?? -1));
  }
  const isNews = (callId: string) => (keptUpTo.get(callId) ?? -1) > (stored.get(callId) ?? -1);
  return {
    calls: kept.calls.filter((call) => isNews(call.id)),
    journal: kept.journal.filter((entry) => isNews(entry.callId)),
    legs: kept.legs.filter((leg) => isNews(leg.callId)),
  };
}
