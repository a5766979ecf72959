/** Many calls at once, each brought into its state as in real life: by phones and by desks. */
import type { OrderBody } from '../../../src/desk/protocol.ts';
import type { IncomingCall } from '../phone/incoming-call.ts';
import type { OutgoingCall } from '../phone/outgoing-call.ts';
import { createPhone, type TestPhone } from '../phone/phone.ts';
import { Watch } from '../watch.ts';
import { each } from './each.ts';
import { type CrowdState, type PlannedCall, planCalls, planPeople, withAgent } from './plan.ts';
import { type Ring, Seat, tones } from './seat.ts';
import { promptTones, Stage, type StageOptions } from './stage.ts';

/** So many calls are brought into their states at the same time. */
const callsAtOnce = 12;
const seatsAtOnce = 20;
const stepMs = 30_000;
/** Phones ring for two minutes at most; one that has not rung for longer than this outlasts the longest fault. */
const freshMs = 20_000;
/** The key that leads to a person from everywhere, and the one from each of the two menus to the other. */
const keys = { person: '0', otherMenu: '2' } as const;

export interface CrowdCall extends Omit<PlannedCall, 'state'> {
  /** Where it was brought to last. */
  state: CrowdState;
  readonly phone: TestPhone;
  readonly citizen: OutgoingCall;
  /** Known as soon as a phone was rung for it. */
  callId: string | undefined;
  agent: { readonly seat: Seat; readonly call: IncomingCall } | undefined;
  subcentre: IncomingCall | undefined;
  supervisor: { readonly seat: Seat; readonly call: IncomingCall } | undefined;
}

export class Crowd {
  readonly stage: Stage;
  readonly agents: readonly Seat[];
  readonly supervisors: readonly Seat[];
  readonly calls: CrowdCall[] = [];
  /** Every call that came to a phone of the centre, oldest first. */
  readonly rings: readonly Ring[];
  /** What citizens and phones do is told here. */
  readonly watch: Watch;
  readonly #subcentre: TestPhone;
  readonly #subcentreCalls: ReadonlyMap<string, IncomingCall>;
  readonly #phones: TestPhone[] = [];

  private constructor(parts: {
    stage: Stage;
    agents: readonly Seat[];
    supervisors: readonly Seat[];
    rings: readonly Ring[];
    watch: Watch;
    subcentre: TestPhone;
    subcentreCalls: ReadonlyMap<string, IncomingCall>;
  }) {
    this.stage = parts.stage;
    this.agents = parts.agents;
    this.supervisors = parts.supervisors;
    this.rings = parts.rings;
    this.watch = parts.watch;
    this.#subcentre = parts.subcentre;
    this.#subcentreCalls = parts.subcentreCalls;
  }

  /** Starts everything and brings so many calls into their states. */
  static async gather(count: number, options: Omit<StageOptions, 'people'> = {}): Promise<Crowd> {
    const planned = planCalls(count);
    const stage = await Stage.open({ ...options, people: planPeople(planned) });
    let crowd: Crowd | undefined;
    try {
      crowd = await Crowd.#people(stage);
      await crowd.#arrive(planned);
      return crowd;
    } catch (error) {
      await crowd?.close();
      if (crowd === undefined) await stage.close();
      throw error;
    }
  }

  static async #people(stage: Stage): Promise<Crowd> {
    const rings: Ring[] = [];
    const watch = new Watch('the crowd');
    const onRing = (ring: Ring): void => {
      rings.push(ring);
      watch.note(`${ring.seat.person.login} rings for ${ring.call.callerNumber}`);
    };
    const subcentreCalls = new Map<string, IncomingCall>();
    const subcentre = await createPhone({
      server: stage.switch.trunk,
      user: '12366',
      localPort: stage.subcentrePort,
      toneHz: tones.subcentre,
      onCall: (call) => {
        subcentreCalls.set(call.header('X-Yht-Call'), call);
        call.answer();
        watch.changed();
      },
    });
    const seats: Seat[] = [];
    await each(stage.people, seatsAtOnce, async (person) => {
      seats.push(await Seat.open(stage, person, onRing));
    });
    const agents = seats.filter(({ person }) => person.role === 'agent');
    const supervisors = seats.filter(({ person }) => person.role === 'supervisor');
    await each(agents, seatsAtOnce, async ({ desk }) => {
      await desk.seatIs('with a phone', (seat) => seat.phoneRegistered);
      await desk.do({ do: 'ready' });
    });
    return new Crowd({ stage, agents, supervisors, rings, watch, subcentre, subcentreCalls });
  }

  /** Those who need an agent first: when they have theirs, nobody is free for those who wait. */
  async #arrive(planned: readonly PlannedCall[]): Promise<void> {
    const needing = planned.filter(({ state }) => state !== 'waiting' && state !== 'flow');
    await each(needing, callsAtOnce, (call) => this.bring(call).then(() => undefined));
    // One after the other, so that their places are known.
    for (const call of planned.filter(({ state }) => state === 'waiting')) await this.bring(call);
    await each(
      planned.filter(({ state }) => state === 'flow'),
      callsAtOnce,
      (call) => this.bring(call).then(() => undefined),
    );
  }

  /** A citizen calls, and the call is brought into its state. Those who need an agent get one who is free. */
  async bring(planned: PlannedCall): Promise<CrowdCall> {
    const call = await this.enter(planned);
    const { state } = planned;
    if (state === 'flow') return call;
    await this.askForPerson(call);
    if (state === 'waiting') {
      await call.citizen.hears(promptTones.music, { withinMs: stepMs });
      return call;
    }
    const ring = await this.rungFor(call);
    call.callId = ring.callId;
    call.agent = ring;
    if (state === 'offered') return call;
    await this.talk(call, ring);
    await ring.seat.desk.do({ do: 'saveDraft', callId: ring.callId, baseVersion: 0, body: draftOf(call) });
    await this.#onward(call, ring.callId, ring.seat, state);
    return call;
  }

  /** The agent answers; resolves when the two are together. */
  async talk(call: CrowdCall, { seat, callId, call: ringing }: Ring): Promise<void> {
    call.agent = { seat, call: ringing };
    call.callId = callId;
    ringing.answer();
    // The page shows the talk from the answer on, and its buttons once the two are together.
    await seat.desk.push('call', (push) => push.call.callId === callId && push.call.actions.includes('hold'), stepMs);
  }

  async #onward(call: CrowdCall, callId: string, { desk }: Seat, state: CrowdState): Promise<void> {
    switch (state) {
      case 'held':
        await desk.do({ do: 'hold', callId });
        await desk.callState('held', stepMs);
        return;
      case 'consulting':
      case 'threeWay':
        await desk.do({ do: 'consult', callId, number: '12366' });
        call.subcentre = await this.watch.until('the sub-centre’s phone', stepMs, () =>
          this.#subcentreCalls.get(callId),
        );
        await desk.callState('consulting', stepMs);
        if (state === 'consulting') return;
        await desk.do({ do: 'joinThreeWay', callId });
        await desk.callState('threeWay', stepMs);
        return;
      case 'supervised':
        await this.#listenTo(call, callId);
        return;
      case 'wrapUp':
        await call.citizen.hangup();
        await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp', stepMs);
        await desk.do({ do: 'saveOrder', callId, baseVersion: 1, body: draftOf(call) });
        return;
      default:
        return;
    }
  }

  async #listenTo(call: CrowdCall, callId: string): Promise<void> {
    const taken = new Set(this.calls.map(({ supervisor }) => supervisor?.seat));
    const seat = this.supervisors.find((one) => !taken.has(one));
    if (seat === undefined) throw new Error('there are fewer supervisors than calls to listen to');
    const asked = seat.desk.do({ do: 'supervise', callId, mode: 'listen' });
    // Marked before anything is waited for: another call is looking for a supervisor at the same time.
    const ringing = this.watch.until('the supervisor’s phone', stepMs, () =>
      this.rings.find((ring) => ring.seat === seat && ring.callId === callId),
    );
    call.supervisor = { seat, call: undefined as never };
    await asked;
    const { call: incoming } = await ringing;
    call.supervisor = { seat, call: incoming };
    incoming.answer();
    await seat.desk.liveIs(
      'that is listened to',
      (live) => live.callId === callId && live.supervisor?.mine === true && live.supervisor.there,
      stepMs,
    );
  }

  /** A citizen calls and is answered. */
  async enter(planned: PlannedCall): Promise<CrowdCall> {
    const phone = await this.citizen(planned.number);
    const citizen = await phone.call('12345');
    await citizen.answered({ withinMs: stepMs });
    const none = { callId: undefined, agent: undefined, subcentre: undefined, supervisor: undefined };
    const call: CrowdCall = { ...planned, phone, citizen, ...none };
    this.calls.push(call);
    return call;
  }

  /** A citizen's phone; it is closed with the crowd. */
  async citizen(number: string): Promise<TestPhone> {
    const phone = await createPhone({ server: this.stage.switch.trunk, user: number, toneHz: tones.citizen });
    this.#phones.push(phone);
    return phone;
  }

  /** Presses the key for a person. Before the menu speaks control would not take the key for an answer. */
  async askForPerson({ citizen }: CrowdCall): Promise<void> {
    await citizen.hears(promptTones['greeting-menu'], { withinMs: stepMs });
    await citizen.sendDigit(keys.person);
  }

  /**
   * What time changes is changed back: those in the flow press a key, which counts their tries anew, and phones that
   * have rung for long are refused and ring again, so that none stops to ring in the middle of a fault.
   */
  async refresh(): Promise<void> {
    for (const call of this.in('flow')) await call.citizen.sendDigit(keys.otherMenu);
    const freshSinceMs = performance.now() - freshMs;
    const late = this.in('offered').flatMap((call) => {
      const rings = this.ringsOf(call.number);
      const last = rings.at(-1);
      return last === undefined || last.atMs > freshSinceMs ? [] : [{ call, last, known: rings.length }];
    });
    for (const { last } of late) if (!last.call.isEnded) last.call.reject(486);
    for (const { last } of late) {
      const { desk } = last.seat;
      await desk.seatIs('on a break', ({ status }) => status === 'break', stepMs);
      await desk.do({ do: 'ready' });
    }
    for (const { call, known } of late) call.agent = await this.rungFor(call, known);
  }

  /** The phone that rings for this citizen, after the first `known` that have rung for him. */
  rungFor({ number }: CrowdCall, known = 0): Promise<Ring> {
    return this.watch.until(`a phone for ${number}`, stepMs, () => this.ringsOf(number)[known]);
  }

  /** The agents' phones that have rung for this citizen so far. */
  ringsOf(number: string): Ring[] {
    return this.rings.filter(({ call, seat }) => call.callerNumber === number && seat.person.role === 'agent');
  }

  /** The call is over and counts no more. */
  forget(call: CrowdCall): void {
    const at = this.calls.indexOf(call);
    if (at >= 0) this.calls.splice(at, 1);
  }

  in(...states: readonly CrowdState[]): CrowdCall[] {
    return this.calls.filter(({ state }) => states.includes(state));
  }

  /** Those whom an agent has. */
  get attended(): CrowdCall[] {
    return this.in(...withAgent);
  }

  /** All desks come back by themselves, as pages do. */
  async reopenDesks(): Promise<void> {
    const { webUrl } = this.stage.service;
    await each([...this.agents, ...this.supervisors], seatsAtOnce, (seat) => seat.reopen(webUrl));
  }

  async close(): Promise<void> {
    for (const seat of [...this.agents, ...this.supervisors]) seat.desk.close();
    await Promise.all([
      ...[...this.agents, ...this.supervisors].map((seat) => seat.close()),
      ...this.#phones.map((phone) => phone.close()),
      this.#subcentre.close(),
    ]);
    await this.stage.close();
  }
}

/** What an agent has typed for this citizen. */
export function draftOf({ number }: Pick<PlannedCall, 'number'>): OrderBody {
  return {
    citizenName: `市民${number}`,
    contactNumber: number,
    matterType: '投诉',
    category: '噪音扰民',
    address: '',
    content: `夜间施工，来电${number}`,
    unit: '',
  };
}
