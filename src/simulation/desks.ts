import {
  type DeskCall,
  type DeskPush,
  type DeskRequest,
  type LiveCallView,
  type OrderBody,
  type SeatStatusView,
  superviseModes,
} from '../desk/protocol.ts';
import type { DeskOutcome } from '../services/desk/outcome.ts';
import type { Person } from '../services/ports.ts';
import type { VirtualClock } from './clock.ts';
import type { SimulatedControl } from './control.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';

export interface DesksOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace;
  readonly people: readonly Person[];
  readonly subcentres: readonly string[];
  readonly control: () => SimulatedControl | undefined;
  /** A request and what came of it; undefined while it has no answer. */
  readonly onRequest: (request: DeskRequest, outcome: DeskOutcome | 'failed' | undefined) => void;
}

interface Desk {
  readonly person: Person;
  /** The control that this page is connected to. */
  socket: SimulatedControl | undefined;
  wanted: boolean;
  seat: SeatStatusView | undefined;
  call: DeskCall | null;
  live: readonly LiveCallView[];
  draftVersion: number;
}

const anyCommand = ['hold', 'resume', 'hangup', 'cancelConsult', 'joinThreeWay', 'leave'] as const;
const body: OrderBody = {
  citizenName: '李明',
  contactNumber: '',
  matterType: '咨询',
  category: '',
  address: '',
  content: '路灯不亮',
  unit: '',
};

/** The people at the desks: pages that come and go, and buttons that are pressed at good and bad moments. */
export class Desks {
  readonly #options: DesksOptions;
  readonly #desks = new Map<string, Desk>();
  #calm = true;

  constructor(options: DesksOptions) {
    this.#options = options;
    for (const person of options.people) {
      const desk: Desk = {
        person,
        socket: undefined,
        wanted: true,
        seat: undefined,
        call: null,
        live: [],
        draftVersion: 0,
      };
      this.#desks.set(person.id, desk);
    }
  }

  busy(): void {
    this.#calm = false;
    for (const desk of this.#desks.values()) {
      desk.wanted = true;
      this.#connectSoon(desk);
      if (desk.person.role !== 'subcentre') this.#think(desk);
    }
  }

  /** Nobody presses anything any more; the pages stay open. */
  quiet(): void {
    this.#calm = true;
  }

  /** A control came up: pages reconnect by and by. */
  controlUp(): void {
    for (const desk of this.#desks.values()) this.#connectSoon(desk);
  }

  push(personId: string, push: DeskPush): void {
    const desk = this.#desks.get(personId);
    if (desk?.socket === undefined) return;
    switch (push.type) {
      case 'snapshot':
        desk.seat = push.seat;
        desk.call = push.call;
        desk.live = push.live;
        desk.draftVersion = push.draft?.version ?? 0;
        return;
      case 'seat':
        desk.seat = push.seat;
        return;
      case 'offer':
        desk.call = push.call;
        desk.draftVersion = push.draft?.version ?? 0;
        return;
      case 'call':
        desk.call = push.call;
        return;
      case 'offerGone':
        if (desk.call?.callId === push.callId) desk.call = null;
        return;
      case 'draft':
        if (desk.call?.callId === push.draft.callId) desk.draftVersion = push.draft.version;
        return;
      case 'live':
        desk.live = push.live;
        return;
      case 'today':
      case 'notice':
        return;
    }
  }

  #connectSoon(desk: Desk): void {
    const { clock, random } = this.#options;
    clock.setTimer(random.between(50, 3_000), () => this.#connect(desk));
  }

  #connect(desk: Desk): void {
    const control = this.#options.control();
    if (!desk.wanted || control === undefined || desk.socket === control) return;
    // A page stays with a control that lives, even with one that another has taken over from.
    if (desk.socket?.alive && !desk.socket.clock.frozen) return;
    this.#disconnect(desk);
    desk.socket = control;
    control.whenAwake(() => this.#enter(desk, control));
  }

  #enter(desk: Desk, control: SimulatedControl): void {
    control.desk.presence(desk.person.id, 1);
    control.desk.snapshot(desk.person.id).then(
      (snapshot) => {
        if (desk.socket === control) this.push(desk.person.id, snapshot);
      },
      () => {
        // The hub closes a page's socket that can't be given its snapshot, and the page comes again.
        if (desk.socket !== control) return;
        this.#disconnect(desk);
        this.#connectSoon(desk);
      },
    );
  }

  #disconnect(desk: Desk): void {
    const control = desk.socket;
    desk.socket = undefined;
    control?.whenAwake(() => control.desk.presence(desk.person.id, -1));
  }

  #think(desk: Desk): void {
    const { clock, random } = this.#options;
    const meanMs = desk.call !== null && desk.call.actions.length > 0 ? 9_000 : 12_000;
    clock.setTimer(random.chance(0.1) ? random.between(0, 300) : random.exponential(meanMs), () => {
      if (this.#calm) return;
      if (random.chance(0.03)) this.#closePage(desk);
      else if (desk.socket?.alive) this.#act(desk);
      this.#think(desk);
    });
  }

  #closePage(desk: Desk): void {
    const { clock, random } = this.#options;
    this.#disconnect(desk);
    desk.wanted = false;
    clock.setTimer(random.chance(0.5) ? random.between(200, 5_000) : random.between(5_000, 60_000), () => {
      desk.wanted = true;
      this.#connect(desk);
    });
  }

  #act(desk: Desk): void {
    const { random } = this.#options;
    const request = this.#choose(desk);
    if (request === undefined) return;
    this.#send(desk, request);
    // Impatient fingers.
    if (random.chance(0.06)) this.#send(desk, request);
    if (random.chance(0.04)) {
      const other = this.#choose(desk);
      if (other !== undefined) this.#send(desk, other);
    }
  }

  #choose(desk: Desk): DeskRequest | undefined {
    const { random } = this.#options;
    if (desk.person.role === 'supervisor') return this.#chooseLive(desk);
    const { call, seat } = desk;
    if (call !== null && random.chance(0.05)) return { do: random.pick(anyCommand), callId: call.callId };
    if (call !== null && call.state !== 'ended') {
      if (random.chance(0.1)) return this.#write(desk, call.callId);
      if (call.actions.length === 0 || random.chance(0.2)) return undefined;
      const action = random.pick(call.actions);
      // Most conversations last longer than a thought.
      if (action === 'hangup' && random.chance(0.6)) return undefined;
      if (action === 'consult' || action === 'transfer') {
        return { do: action, callId: call.callId, number: random.pick(this.#options.subcentres) };
      }
      return { do: action, callId: call.callId };
    }
    if (call !== null && seat?.status === 'wrapUp' && random.chance(0.4)) return this.#write(desk, call.callId);
    switch (seat?.status) {
      case 'wrapUp':
        return random.chance(0.5) ? { do: 'endWrapUp' } : { do: 'ready' };
      case 'offline':
      case 'break':
        return { do: 'ready' };
      default:
        if (random.chance(0.9)) return undefined;
        return random.chance(0.7) ? { do: 'break', reason: '小休' } : { do: 'signOff' };
    }
  }

  /** Mostly a call that he may listen to, now and then one that he may not. */
  #chooseLive(desk: Desk): DeskRequest | undefined {
    const { random } = this.#options;
    const mine = desk.live.find((call) => call.supervisor?.mine === true);
    const offered = desk.live.filter((call) => call.maySupervise || random.chance(0.05));
    const call = mine ?? (offered.length === 0 ? undefined : random.pick(offered));
    if (call === undefined) return undefined;
    if (random.chance(mine === undefined ? 0.02 : 0.3)) return { do: 'superviseLeave', callId: call.callId };
    return { do: 'supervise', callId: call.callId, mode: random.pick(superviseModes) };
  }

  #write(desk: Desk, callId: string): DeskRequest {
    const what = this.#options.random.chance(0.7) ? 'saveDraft' : 'saveOrder';
    return { do: what, callId, baseVersion: desk.draftVersion, body };
  }

  #send(desk: Desk, request: DeskRequest): void {
    const control = desk.socket;
    if (control === undefined) return;
    const about = 'callId' in request ? [request.callId, desk.person.id] : [desk.person.id];
    this.#options.trace.note(about, `${desk.person.name} presses ${request.do}`);
    this.#options.onRequest(request, undefined);
    control.whenAwake(() => this.#ask(desk, control, request));
  }

  #ask(desk: Desk, control: SimulatedControl, request: DeskRequest): void {
    const { trace, onRequest } = this.#options;
    const about = 'callId' in request ? [request.callId, desk.person.id] : [desk.person.id];
    control.desk.request(desk.person.id, request).then(
      (outcome) => {
        if (!outcome.ok) trace.note(about, `${desk.person.name}’s ${request.do} is refused: ${outcome.code}`);
        onRequest(request, outcome);
      },
      (error: unknown) => {
        // The API answers 500 then; the page shows it and keeps what was typed.
        trace.note(about, `${desk.person.name}’s ${request.do} failed: ${String(error)}`);
        onRequest(request, 'failed');
      },
    );
  }
}
