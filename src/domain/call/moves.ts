/** Moves that several tables share: putting legs together, taking them apart, letting them go. */
import type { Call, Effect, LinePart, Place, Role, SeatOutcome } from './call.ts';
import { type Decision, go, play, type Surroundings } from './decision.ts';
import { type EndClass, endingOfCause, unseen } from './ending.ts';

/** Where a role's leg is; `gone` when there is none. */
export function placeOf(call: Call, role: LinePart): Place {
  if (role === 'otherLine') return call.agent?.otherLine?.place ?? 'gone';
  if (role === 'supervisor') return call.supervisor?.place ?? 'gone';
  if (role === 'citizen') return call.citizenPlace;
  if (role === 'agent') return call.agent?.place ?? 'gone';
  return call.consult?.place ?? 'gone';
}

/** The roles whose legs have not gone; who only listens is none. */
export function presentRoles(call: Call): Role[] {
  const roles: readonly Role[] = ['citizen', 'agent', 'subcentre'];
  return roles.filter((role) => placeOf(call, role) !== 'gone');
}

/** The leg of a role. */
export function legOf(call: Call, role: LinePart): string | null {
  if (role === 'otherLine') return call.agent?.otherLine?.leg ?? null;
  if (role === 'supervisor') return call.supervisor?.leg ?? null;
  if (role === 'citizen') return call.citizenLeg;
  return (role === 'agent' ? call.agent?.leg : call.consult?.leg) ?? null;
}

/** The call with one leg's place changed; nothing happens when that leg is not there. */
export function placed(call: Call, role: Role, place: Place): Call {
  if (role === 'citizen') return { ...call, citizenPlace: place };
  if (role === 'agent') return call.agent === null ? call : { ...call, agent: { ...call.agent, place } };
  return call.consult === null ? call : { ...call, consult: { ...call.consult, place } };
}

/** Hangs a role's leg up, if it is there; of an agent both lines. */
export function hangup(call: Call, role: Role, cause = 'NORMAL_CLEARING'): Effect[] {
  const leg = legOf(call, role);
  const other: Effect[] = role === 'agent' ? hangupOtherLine(call) : [];
  return leg === null || placeOf(call, role) === 'gone' ? other : [...other, { do: 'hangup', leg, cause }];
}

function hangupOtherLine(call: Call): Effect[] {
  const leg = legOf(call, 'otherLine');
  return leg === null ? [] : [{ do: 'hangup', leg, cause: 'NORMAL_CLEARING' }];
}

/** The line that waits is not needed any more: the agent goes on on the one that he talks on, or leaves. */
export function withoutOtherLine(call: Call): [Call, Effect[]] {
  if (call.agent === null || call.agent.otherLine === null) return [call, []];
  return [{ ...call, agent: { ...call.agent, otherLine: null } }, hangupOtherLine(call)];
}

/** The consultation by the phone is over: the agent is on the line again on which he has the citizen. */
export function backOnFirstLine(call: Call): [Call, Effect[]] {
  const { agent } = call;
  if (agent === null || agent.otherLine === null) return [call, []];
  const { leg, place } = agent.otherLine;
  const second: Effect = { do: 'hangup', leg: agent.leg, cause: 'NORMAL_CLEARING' };
  return [{ ...call, agent: { ...agent, leg, place, otherLine: null } }, [second]];
}

/** Bridges two roles as soon as both are parked; before that the state's rows for `…Parked` call this again. */
export function bridgeWhenParked(call: Call, a: Role, b: Role): [Call, Effect[]] {
  if (placeOf(call, a) !== 'parked' || placeOf(call, b) !== 'parked') return [call, []];
  return [placed(placed(call, a, 'moving'), b, 'moving'), [{ do: 'bridge', a, b }]];
}

/** Parks legs that are talking. A bridged pair is opened in one command, conference members one by one. */
export function parkAll(call: Call, roles: readonly Role[]): [Call, Effect[]] {
  let after = call;
  const effects: Effect[] = [];
  let bridgeOpened = false;
  for (const role of roles) {
    const place = placeOf(after, role);
    if (place === 'bridged') {
      if (!bridgeOpened) effects.push({ do: 'park', role, both: true });
      bridgeOpened = true;
      after = placed(after, role, 'moving');
    } else if (place === 'conference') {
      effects.push({ do: 'park', role, both: false });
      after = placed(after, role, 'moving');
    }
  }
  return [after, effects];
}

/** Citizen and agent are put together again (or for the first time). */
export function connectAgent(call: Call, around: Surroundings, before: readonly Effect[] = []): Decision {
  if (call.agent !== null && call.agent.otherLine !== null) return returnToFirstLine(call, around, before);
  const [bridged, effects] = bridgeWhenParked(call, 'citizen', 'agent');
  return go(bridged, 'connecting', around, [{ do: 'cancelTimer', timer: 'autoResume' }, ...before, ...effects]);
}

/**
 * The second line ends, and the citizen comes back by himself a moment later. Many a phone takes its first line off hold
 * as soon as the second one ends, and FreeSWITCH asks a phone that holds to speak again as soon as it is bridged; when the
 * two INVITEs cross, FreeSWITCH goes on taking the phone for one that holds and sends it nothing.
 */
function returnToFirstLine(call: Call, around: Surroundings, before: readonly Effect[]): Decision {
  const [onFirstLine, hangups] = backOnFirstLine(call);
  return go({ ...onFirstLine, resumesByItself: true }, 'held', around, [
    ...before,
    ...hangups,
    { do: 'startTimer', timer: 'autoResume', delayMs: around.settings.lineChangeMs },
  ]);
}

/** Music for a parked citizen. */
export function music(call: Call): [Call, Effect[]] {
  const [after, effect] = play(call, ['music'], true);
  return [after, [effect]];
}

/** The agent's part is over; the seat is told how. */
export function releaseAgent(call: Call, outcome: SeatOutcome): [Call, Effect[]] {
  if (call.agent === null) return [call, []];
  const { agent } = call;
  const effects: Effect[] = [...hangupOtherLine(call), { do: 'releaseSeat', agent, outcome }];
  if (agent.answeredAtMs === null) effects.push({ do: 'offerGone', agent, reason: outcome });
  return [{ ...call, agent: null }, effects];
}

/** Notes why the call ends; the first reason stays. */
export function because(call: Call, endClass: EndClass, endReason: string): Call {
  return call.endClass === null ? { ...call, endClass, endReason } : call;
}

/** The reason of a call that the citizen ended. */
export function citizenEndReason(call: Call, cause: string): Call {
  const ending = endingOfCause(cause);
  if (ending.endClass === 'upstream') return because(call, 'upstream', ending.reason);
  // Who of the two hung up, nobody saw.
  if (cause === unseen && call.agentAnsweredAtMs !== null) return because(call, ending.endClass, ending.reason);
  if (call.agentAnsweredAtMs !== null) return because(call, 'success', 'citizen-hung-up');
  return because(call, 'caller', call.queuedAtMs === null ? 'abandoned-in-flow' : 'abandoned-waiting');
}

/** Back to the queue with the first join time, so that the citizen keeps the place. */
export function requeue(call: Call, around: Surroundings, before: readonly Effect[] = []): Decision {
  const queue = call.queue ?? 'citizen';
  const queuedAtMs = call.queuedAtMs ?? around.nowMs;
  const [parked, parkEffects] = parkAll({ ...call, queue, queuedAtMs }, ['citizen']);
  // On the way into a bridge that did not come about: parked anew, he is told of and hears music.
  if (call.citizenPlace === 'moving') parkEffects.push({ do: 'park', role: 'citizen', both: false });
  const [playing, musicEffects] = parked.citizenPlace === 'parked' ? music(parked) : [parked, []];
  return go(playing, 'waiting', around, [
    ...before,
    { do: 'cancelTimer', timer: 'ring' },
    ...parkEffects,
    // The search for an agent does not wait for the switch to take the music.
    { do: 'enqueue', queue, first: call.queuedAtMs === null },
    ...musicEffects,
    { do: 'startTimer', timer: 'announce', delayMs: around.settings.announceEveryMs },
  ]);
}

/** Hangs up whoever is left and waits for their ends. */
export function endAll(call: Call, around: Surroundings, before: readonly Effect[] = []): Decision {
  const effects: Effect[] = [
    ...before,
    ...(['flow', 'queueMax', 'announce', 'ring', 'consultRing', 'autoResume', 'rating'] as const).map(
      (timer): Effect => ({ do: 'cancelTimer', timer }),
    ),
    ...hangup(call, 'citizen'),
    ...hangup(call, 'agent'),
    ...hangup(call, 'subcentre'),
  ];
  if (call.queuedAtMs !== null && call.agentAnsweredAtMs === null) effects.unshift({ do: 'dequeue' });
  return endedIfAlone(go(call, 'ending', around, effects), around);
}

/** `ended` once no leg is left. */
export function endedIfAlone(decision: Decision, around: Surroundings): Decision {
  const { call } = decision;
  if (call.citizenPlace !== 'gone' || call.agent !== null || call.consult !== null) return decision;
  const known = because(call, 'unknown', 'no-reason');
  const done = go({ ...known, endedAtMs: around.nowMs }, 'ended', around);
  return { call: done.call, effects: [...decision.effects, ...done.effects] };
}

/** Nobody can be had: who shows a number is called back (src/domain/call/callback.ts), who hides it is asked to call later. */
export function busyPrompts(call: Call): readonly string[] {
  return [call.callerNumber === '' ? 'queue-full-busy' : 'busy-callback'];
}

/** Says something to the parked citizen and hangs up. */
export function closeWith(call: Call, prompts: readonly string[], around: Surroundings): Decision {
  const [playing, effect] = play(call, prompts);
  return go(playing, 'closing', around, [
    { do: 'cancelTimer', timer: 'rating' },
    effect,
    { do: 'startTimer', timer: 'step', delayMs: 30_000 },
  ]);
}

/** The agent has gone and the citizen is parked: ask for a rating, or say goodbye. */
export function afterAgent(decision: Decision, around: Surroundings): Decision {
  const { call } = decision;
  if (call.agentAnsweredAtMs === null) {
    const queued = requeue(call, around);
    return { call: queued.call, effects: [...decision.effects, ...queued.effects] };
  }
  if (!around.settings.ratingEnabled) {
    const closing = closeWith(call, ['goodbye'], around);
    return { call: closing.call, effects: [...decision.effects, ...closing.effects] };
  }
  const asked = askRating(call, ['rating-ask'], around);
  return { call: asked.call, effects: [...decision.effects, ...asked.effects] };
}

/** Longest time for the rating with all its questions, so that wrong keys can't hold the line for ever. */
const ratingLimitMs = 60_000;

/** Asks for the rating. The wait for a key begins when the question has been said (`waitForRating`). */
export function askRating(call: Call, prompts: readonly string[], around: Surroundings): Decision {
  const [playing, effect] = play(call, prompts);
  const asked = go(playing, 'rating', around);
  const leftMs = asked.call.stateSinceMs + ratingLimitMs - around.nowMs;
  const limit: Effect = { do: 'startTimer', timer: 'rating', delayMs: Math.max(0, leftMs) };
  return { call: asked.call, effects: [...asked.effects, effect, limit] };
}

/** The question has been said: now the citizen has his time to press a key. */
export function waitForRating(call: Call, around: Surroundings): Decision {
  const leftMs = call.stateSinceMs + ratingLimitMs - around.nowMs;
  const delayMs = Math.max(0, Math.min(around.settings.ratingTimeoutMs, leftMs));
  return { call, effects: [{ do: 'startTimer', timer: 'rating', delayMs }] };
}
