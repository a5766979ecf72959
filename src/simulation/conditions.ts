import type { Call } from '../domain/call/call.ts';
import { houseTimes, type SimulatedControl } from './control.ts';
import type { PhoneSide } from './nodes.ts';
import type { SimulatedStore } from './store.ts';
import type { SimLeg } from './switch-legs.ts';

/** Something that may be so for a moment, but not for longer than its bound. */
export interface Condition {
  readonly rule: string;
  readonly key: string;
  readonly detail: string;
  readonly boundMs: number;
  /** When it is known to have begun; else when it was first seen. */
  readonly sinceMs?: number;
  /** Calls, legs and people to look at. */
  readonly about: readonly string[];
}

const stepBoundMs = houseTimes.stepTimeoutMs + 2_000;

/** How long a call may stay in a state that ends by itself; the others last as long as people want. */
const stateBoundMs: Partial<Record<Call['state'], number>> = {
  answering: stepBoundMs,
  flow: 90_000,
  waiting: houseTimes.queueMaxWaitMs + houseTimes.ringTimeoutMs + 10_000,
  offering: houseTimes.ringTimeoutMs + 5_000,
  connecting: stepBoundMs,
  holding: stepBoundMs,
  consultRinging: houseTimes.consultRingTimeoutMs + 5_000,
  consultConnecting: stepBoundMs,
  joining: stepBoundMs,
  transferConnecting: stepBoundMs,
  rejoining: stepBoundMs,
  separated: stepBoundMs,
  rating: 62_000,
  closing: 32_000,
  ending: stepBoundMs,
};

/** States in which the citizen is parked and hears something. */
const hearing: ReadonlySet<Call['state']> = new Set(['waiting', 'offering', 'held', 'consultRinging', 'consulting']);

function* callConditions(call: Call, core: Pick<PhoneSide, 'leg' | 'legs'>): Generator<Condition> {
  const about = [call.id, call.citizenLeg];
  const boundMs = stateBoundMs[call.state];
  if (boundMs !== undefined) {
    const detail = `call in ${call.state}`;
    yield { rule: 'no call is stuck', key: `${call.id} ${call.state} ${call.stateSinceMs}`, detail, boundMs, about };
  }
  const citizen = core.leg(call.citizenLeg);
  if (citizen === undefined) return;
  if (hearing.has(call.state) && citizen.playing === undefined) {
    const detail = `state ${call.state}, the citizen’s leg is ${citizen.place}`;
    yield { rule: 'who waits hears something', key: `${call.id} silent`, detail, boundMs: 6_000, about };
  }
  const { supervisor } = call;
  if (supervisor?.place === 'supervising') {
    const { supervising } = core.leg(supervisor.leg) ?? {};
    if (supervising?.mode !== supervisor.mode || supervising.agentLeg !== call.agent?.leg) {
      const detail = `${supervisor.mode} at ${call.agent?.leg}, but the switch has ${JSON.stringify(supervising)}`;
      const rule = 'a supervisor is heard by whom he believes';
      yield { rule, key: `${call.id} supervisor`, detail, boundMs: 6_000, about: [...about, supervisor.leg] };
    }
  }
  const parted = partedWords(call, core);
  if (parted !== undefined) {
    yield { rule: 'who talks is connected', key: `${call.id} ${call.state}`, detail: parted, boundMs: 7_000, about };
  }
}

/** How the switch disagrees with a call whose parties talk; undefined when it agrees. */
function partedWords(call: Call, core: Pick<PhoneSide, 'leg' | 'legs'>): string | undefined {
  const pairs: Partial<Record<Call['state'], readonly (string | undefined)[]>> = {
    talking: [call.citizenLeg, call.agent?.leg],
    consulting: [call.agent?.leg, call.consult?.leg],
    withSubcentre: [call.citizenLeg, call.consult?.leg],
    agentWithSubcentre: [call.agent?.leg, call.consult?.leg],
    threeWay: [call.citizenLeg, call.agent?.leg, call.consult?.leg],
  };
  const ids = pairs[call.state];
  if (ids === undefined) return undefined;
  const legs = ids.map((id) => (id === undefined ? undefined : core.leg(id)));
  const [first] = legs;
  const together = legs.every((leg) => leg !== undefined && (leg === first || areConnected(leg, first)));
  return together ? undefined : `${call.state}, but the legs are ${legs.map((leg) => leg?.place ?? 'gone').join(', ')}`;
}

function areConnected(a: SimLeg, b: SimLeg | undefined): boolean {
  if (b === undefined) return false;
  if (a.place === 'bridged') return a.partner === b;
  return a.conference !== undefined && a.conference === b.conference;
}

function* legConditions(leg: SimLeg, owners: ReadonlyMap<string, Call>): Generator<Condition> {
  const about = [leg.id, ...(leg.callId === undefined ? [] : [leg.callId])];
  if (leg.place === 'limbo') {
    const detail = `${leg.role}’s leg hears nothing`;
    yield { rule: 'no leg is left in limbo', key: `${leg.id} limbo`, detail, boundMs: 8_000, about };
  }
  if (owners.has(leg.id)) return;
  if (leg.direction === 'outbound') {
    const detail = `${leg.role}’s leg ${leg.id} is ${leg.place}`;
    // A phone that nobody wants any more rings until its time is up, when the wish to stop it was lost.
    const boundMs = houseTimes.consultRingTimeoutMs + 5_000;
    yield { rule: 'every leg is owned', key: `${leg.id} stray`, detail, boundMs, about };
  } else if (leg.place !== 'fallback' && leg.fallbacks.size === 0) {
    const detail = `the citizen’s leg ${leg.id} is ${leg.place}`;
    // Who is found talking comes back when the other one is let go, an order that may have to be given again; and out of a
    // conference some seconds after that.
    const boundMs = leg.place === 'parked' ? 2_000 : 10_000;
    yield { rule: 'every caller is accounted for', key: `${leg.id} lost`, detail, boundMs, about };
  }
}

function* seatConditions(
  control: SimulatedControl,
  store: SimulatedStore,
  nowMs: number,
  holders: ReadonlyMap<string, Call>,
): Generator<Condition> {
  for (const { personId, name, reservation } of control.seats.all()) {
    if (reservation === null) continue;
    if (holders.get(personId)?.agent?.fencingToken === reservation.fencingToken) continue;
    const about = [personId, reservation.callId];
    const key = `${personId} ${reservation.fencingToken}`;
    yield { rule: 'no seat is reserved for nothing', key, detail: `${name}’s seat`, boundMs: 3_000, about };
  }
  for (const { personId, callId, fencingToken, leaseUntilMs } of store.reservations.values()) {
    if (leaseUntilMs <= nowMs || holders.get(personId)?.agent?.fencingToken === fencingToken) continue;
    const key = `stored ${personId} ${fencingToken}`;
    const about = [personId, callId];
    const boundMs = houseTimes.leaseMs + 5_000;
    yield { rule: 'no stored reservation outlives its call', key, detail: `token ${fencingToken}`, boundMs, about };
  }
  const waiting = control.runtime.all().filter((call) => call.state === 'waiting');
  const available = control.seats.available();
  if (waiting.length > 0 && available.length > 0) {
    const about = [...waiting.map((call) => call.id), ...available.map((seat) => seat.personId)];
    const detail = `${waiting.length} wait, ${available.length} are free`;
    yield { rule: 'nobody waits for a free seat', key: 'idle', detail, boundMs: 5_000, about };
  }
}

/** Everything that is not as it should be now, but may be for a moment. */
export function* conditions(
  control: SimulatedControl,
  core: Pick<PhoneSide, 'leg' | 'legs'>,
  store: SimulatedStore,
  nowMs: number,
): Generator<Condition> {
  const owners = new Map<string, Call>();
  const holders = new Map<string, Call>();
  for (const call of control.runtime.all()) {
    owners.set(call.citizenLeg, call);
    if (call.agent !== null) {
      owners.set(call.agent.leg, call);
      if (call.agent.otherLine !== null) owners.set(call.agent.otherLine.leg, call);
      holders.set(call.agent.personId, call);
    }
    if (call.consult !== null) owners.set(call.consult.leg, call);
    if (call.supervisor !== null) owners.set(call.supervisor.leg, call);
    yield* callConditions(call, core);
  }
  const ringing = new Map<string, SimLeg>();
  for (const leg of core.legs()) {
    yield* legConditions(leg, owners);
    // A phone that is dialled and doesn't ring bothers nobody, and nothing tells of it.
    if (leg.role !== 'agent' || leg.place === 'dialling') continue;
    const other = ringing.get(leg.party);
    ringing.set(leg.party, leg);
    // A second line of its own.
    if (other === undefined || leg.direction === 'inbound') continue;
    const about = [other, leg].flatMap((one) => [one.id, ...(one.callId === undefined ? [] : [one.callId])]);
    const detail = `phone ${leg.party} has the legs ${other.id} (${other.place}) and ${leg.id} (${leg.place})`;
    yield { rule: 'no agent is offered two calls at once', key: `${leg.party} twice`, detail, boundMs: 2_000, about };
  }
  yield* seatConditions(control, store, nowMs, holders);
}
