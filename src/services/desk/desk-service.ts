import {
  type DeskPush,
  type DeskRequest,
  type DraftView,
  type OrderBody,
  orderBodySchema,
} from '../../desk/protocol.ts';
import type { AgentPart, Call, CallEvent, ConsultPart } from '../../domain/call/call.ts';
import type { Clock } from '../../kernel/clock.ts';
import { withinTime } from '../../kernel/deadline.ts';
import { errorChain, UserError } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { SeatBook } from '../acd/seat-book.ts';
import type { CallObserver } from '../calls/call-observers.ts';
import type { CallRuntime } from '../calls/call-runtime.ts';
import type { CallerHistory, DeskStore, Person, StoredDraft } from '../ports.ts';
import { type DeskOutcome, refused } from './outcome.ts';
import { Supervisors } from './supervisors.ts';
import { deskCallView, seatView, todayView, type ViewContext } from './views.ts';

/** Whom a hotline's number reaches. */
export interface ConsultTarget {
  readonly number: string;
  readonly name: string;
  readonly gateway: string | null;
}

export interface DeskServiceOptions {
  readonly runtime: CallRuntime;
  readonly seats: SeatBook;
  readonly store: DeskStore<OrderBody>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly views: ViewContext;
  readonly consultTarget: (number: string) => ConsultTarget | undefined;
  readonly push: (personId: string, push: DeskPush) => void;
  /** Resolves when all that has happened so far is stored, or not for a while. */
  readonly stored: () => Promise<void>;
  /** The start of today by the city's own clock. */
  readonly dayStartMs: (nowMs: number) => number;
}

/** A person's part in a call that his desk shows. */
interface Shown {
  readonly callId: string;
  readonly as: 'agent' | 'subcentre';
}

const emptyDraft = (callId: string): DraftView => ({
  callId,
  version: 0,
  body: orderBodySchema.parse({}),
  orderId: null,
  orderNo: null,
});

/** Below the page's own deadline, so that the page hears a reason and not silence. */
const saveDeadlineMs = 3_000;
const popWaitsMs = 300;

/**
 * What the desks see and what their buttons do. It owns who is shown which call; calls, seats and drafts belong to
 * others. Each desk gets only what concerns its own person.
 */
export class DeskService implements CallObserver {
  readonly #options: DeskServiceOptions;
  readonly #people = new Map<string, Person>();
  /** The call on a person's desk; it stays until the next one, so that the form can be finished in wrap-up. */
  readonly #shown = new Map<string, Shown>();
  readonly #history = new Map<string, Promise<CallerHistory>>();
  readonly #knownHistory = new Map<string, CallerHistory>();
  readonly #subcentreWatchers = new Map<string, readonly string[]>();
  readonly #last = new Map<string, Call>();
  readonly #supervisors: Supervisors;

  constructor(options: DeskServiceOptions) {
    this.#options = options;
    this.#supervisors = new Supervisors(options);
  }

  /** Everything on a person's desk, for a page that has just opened. */
  async snapshot(personId: string): Promise<DeskPush> {
    const person = await this.#person(personId);
    const shown = this.#shown.get(personId);
    const call = shown === undefined ? undefined : this.#last.get(shown.callId);
    const today = await this.#today(person);
    const unfinished = shown === undefined && this.#inWrapUp(personId) ? today[0]?.callId : undefined;
    const callId = shown?.callId ?? unfinished;
    const draft = callId === undefined ? undefined : await this.#options.store.draft(callId);
    return {
      type: 'snapshot',
      person: { id: person.id, name: person.name, role: person.role, extension: person.extension },
      seat: seatView(this.#options.seats.get(personId)),
      call: shown === undefined || call === undefined ? null : this.#view(call, shown.as, person),
      // The form of a wrap-up that a restart has cut from its call must be there even if nothing was typed yet.
      draft: draft ?? (unfinished === undefined ? null : emptyDraft(unfinished)),
      today,
      live: this.#supervisors.list(person),
    };
  }

  /** An agent whose call had ended before a restart still has its work order before him. */
  #inWrapUp(personId: string): boolean {
    return this.#options.seats.get(personId)?.status === 'wrapUp';
  }

  presence(personId: string, change: 1 | -1): void {
    this.#options.seats.desk(personId, change);
    this.#supervisors.presence(personId, change);
  }

  /** A button was pressed or the form changed. */
  async request(personId: string, request: DeskRequest): Promise<DeskOutcome> {
    const { seats } = this.#options;
    switch (request.do) {
      case 'ready':
      case 'break':
      case 'signOff':
      case 'endWrapUp':
        if (seats.get(personId) === undefined) return refused('no-seat', '您没有座席，不能更改状态');
        if (request.do === 'endWrapUp') await seats.endWrapUp(personId);
        else if (request.do === 'ready') await seats.choose(personId, 'ready', null);
        else if (request.do === 'break') await seats.choose(personId, 'break', request.reason);
        else await seats.choose(personId, 'offline', null);
        return { ok: true };
      case 'saveDraft':
        return this.#stored(() => this.#saveDraft(personId, request.callId, request.baseVersion, request.body));
      case 'saveOrder':
        return this.#stored(() => this.#saveOrder(personId, request.callId, request.baseVersion, request.body));
      case 'consult':
      case 'transfer':
        return this.#consult(personId, request.callId, request.number, request.do);
      case 'supervise':
        return this.#supervisors.supervise(await this.#person(personId), request.callId, request.mode);
      case 'superviseLeave':
        return this.#supervisors.leave(await this.#person(personId), request.callId);
      default:
        return this.#command(personId, request.callId, { type: request.do });
    }
  }

  // What calls tell: --------------------------------------------------------------------------------------------

  onCall(before: Call | undefined, after: Call, event: CallEvent | undefined): void {
    this.#last.set(after.id, after);
    this.#supervisors.changed();
    // The card is read while the caller still hears the greeting, so that the pop need not wait for it.
    // Nobody sees the card of a caller who is turned away, and a crowd of them must not load the database.
    if (before === undefined && after.endReason === null) this.#loadHistory(after);
    if (event?.type === 'restored') this.#takeUp(after);
    if (before?.agent && after.agent === null) this.#part(before.agent.personId, after, 'agent', true, event);
    else if (after.agent !== null && after.state !== 'offering')
      this.#part(after.agent.personId, after, 'agent', false, event);
    for (const personId of this.#subcentreWatchers.get(after.id) ?? []) {
      this.#part(personId, after, 'subcentre', after.consult === null, event);
    }
    if (after.consult === null && before?.consult) this.#subcentreWatchers.delete(after.id);
    if (after.state === 'ended') this.#onEnded(after);
  }

  onOffer(call: Call, agent: AgentPart): void {
    this.#last.set(call.id, call);
    this.#shown.set(agent.personId, { callId: call.id, as: 'agent' });
    this.#pop(agent.personId, call, 'agent');
  }

  onOfferGone(call: Call, agent: AgentPart, reason: string): void {
    if (this.#shown.get(agent.personId)?.callId === call.id) this.#shown.delete(agent.personId);
    this.#options.push(agent.personId, { type: 'offerGone', callId: call.id, reason });
  }

  onConsult(call: Call): void {
    const number = call.consult?.number;
    if (number === undefined) return;
    this.#spawn('pop at the sub-centre', async () => {
      const people = await this.#options.store.subcentrePeople(number);
      if (this.#last.get(call.id)?.consult === null) return;
      this.#subcentreWatchers.set(call.id, people);
      for (const personId of people) {
        this.#shown.set(personId, { callId: call.id, as: 'subcentre' });
        this.#pop(personId, call, 'subcentre');
      }
    });
  }

  onNotice(call: Call, text: string, to = call.agent?.personId): void {
    if (to !== undefined) this.#options.push(to, { type: 'notice', level: 'warning', text });
  }

  /** One line that concerns the whole house. */
  tellSupervisors(text: string): void {
    this.#supervisors.tell(text);
  }

  /** A seat changed: its own desk is told. */
  onSeat(personId: string): void {
    this.#options.push(personId, { type: 'seat', seat: seatView(this.#options.seats.get(personId)) });
  }

  // Pushes: -----------------------------------------------------------------------------------------------------

  #pop(personId: string, call: Call, as: Shown['as']): void {
    const send = (person: Person, draft: StoredDraft<OrderBody> | undefined) =>
      this.#options.push(personId, { type: 'offer', call: this.#view(call, as, person), draft: draft ?? null });
    const person = this.#people.get(personId);
    // The first offer of a call finds everything in memory and goes out before the phone is rung.
    if (person !== undefined && this.#knownHistory.has(call.id) && call.agentAnsweredAtMs === null) {
      send(person, undefined);
      return;
    }
    const reading = this.#options.store.draft(call.id);
    this.#spawn('pop', async () => {
      const [known, draft] = await Promise.all([
        this.#person(personId),
        this.#soon('draft', reading),
        this.#soon('history', this.#history.get(call.id)),
      ]);
      send(known, draft);
      if (draft !== undefined) return;
      const late = await reading;
      if (late !== undefined) this.#options.push(personId, { type: 'draft', draft: late });
    });
  }

  /** A pop without history or draft is better than a late one: the phone rings already. */
  async #soon<T>(what: string, reading: Promise<T> | undefined): Promise<T | undefined> {
    if (reading === undefined) return undefined;
    return withinTime(this.#options.clock, what, popWaitsMs, reading).catch((error: unknown) => {
      this.#options.log.warn({ what, error: errorChain(error) }, 'the pop goes without this');
      return undefined;
    });
  }

  #part(personId: string, call: Call, as: Shown['as'], gone: boolean, _event: CallEvent | undefined): void {
    const shown = this.#shown.get(personId);
    if (shown?.callId !== call.id) return;
    const person = this.#people.get(personId);
    if (person === undefined) return;
    this.#options.push(personId, { type: 'call', call: this.#view(call, as, person, gone) });
    if (gone) this.#pushToday(person);
  }

  /** After a restart no desk shows anything: the calls that are going on come back to the desks where they belong. */
  #takeUp(call: Call): void {
    if (!this.#history.has(call.id)) this.#loadHistory(call);
    const { agent, consult, lastAgentId } = call;
    const watchers: string[] = [];
    if (agent !== null) {
      this.#shown.set(agent.personId, { callId: call.id, as: 'agent' });
      watchers.push(agent.personId);
    } else if (lastAgentId !== null && this.#inWrapUp(lastAgentId) && !this.#shown.has(lastAgentId)) {
      this.#shown.set(lastAgentId, { callId: call.id, as: 'agent' });
      watchers.push(lastAgentId);
    }
    this.#spawn('desks after a restart', async () => {
      const people = consult === null ? [] : await this.#options.store.subcentrePeople(consult.number);
      await this.#history.get(call.id);
      if (people.length > 0 && this.#last.get(call.id)?.consult !== null) {
        this.#subcentreWatchers.set(call.id, people);
        for (const personId of people) this.#shown.set(personId, { callId: call.id, as: 'subcentre' });
        watchers.push(...people);
      }
      // Pages that were quicker to reconnect than the calls to be restored were shown an empty desk; the others ask when
      // they come.
      for (const personId of watchers.filter((one) => this.#people.has(one)))
        this.#options.push(personId, await this.snapshot(personId));
    });
  }

  #onEnded(call: Call): void {
    const concerned = new Set(
      [...this.#shown].flatMap(([personId, shown]) => (shown.callId === call.id ? [personId] : [])),
    );
    if (call.lastAgentId !== null) concerned.add(call.lastAgentId);
    this.#subcentreWatchers.delete(call.id);
    // Calls that desks still show are few: at most one for each person. Their cards are wanted by a page's reload.
    for (const [callId, last] of this.#last) {
      const needed = last.state !== 'ended' || [...this.#shown.values()].some((shown) => shown.callId === callId);
      if (needed) continue;
      this.#last.delete(callId);
      this.#history.delete(callId);
      this.#knownHistory.delete(callId);
    }
    for (const personId of concerned) {
      const person = this.#people.get(personId);
      if (person !== undefined) this.#pushToday(person);
    }
  }

  #view(call: Call, as: Shown['as'], person: Person, gone?: boolean) {
    const over = gone ?? (as === 'agent' ? call.agent?.personId !== person.id : call.consult === null);
    const history = this.#knownHistory.get(call.id);
    return deskCallView(call, as, over, person.role, history, this.#options.clock.now(), this.#options.views);
  }

  #loadHistory(call: Call): void {
    // Callers who hide their number have nothing in common but that.
    if (call.callerNumber === '') {
      this.#knownHistory.set(call.id, { earlierCalls: [], openOrders: [] });
      return;
    }
    const loading = this.#options.store.history(call.callerNumber, call.id).catch((error: unknown): CallerHistory => {
      // A pop without history is better than no pop.
      this.#options.log.error({ callId: call.id, error: errorChain(error) }, 'caller’s history could not be read');
      return { earlierCalls: [], openOrders: [] };
    });
    this.#history.set(call.id, loading);
    this.#spawn('history', async () => {
      const history = await loading;
      if (this.#history.has(call.id)) this.#knownHistory.set(call.id, history);
    });
  }

  #pushToday(person: Person): void {
    this.#spawn('today’s calls', async () => {
      // The list is read from the store, and the call that it is about is still on its way there.
      await this.#options.stored();
      this.#options.push(person.id, { type: 'today', today: await this.#today(person) });
    });
  }

  async #today(person: Person) {
    const { store, clock, dayStartMs, views } = this.#options;
    const calls = await store.today(person, dayStartMs(clock.now()));
    return calls.map((call) => todayView(call, person.role, views));
  }

  // Requests: ---------------------------------------------------------------------------------------------------

  async #command(personId: string, callId: string, event: CallEvent): Promise<DeskOutcome> {
    const call = this.#options.runtime.get(callId);
    if (call === undefined) return refused('call-ended', '通话已结束');
    if (call.agent?.personId !== personId) return refused('not-your-call', '该通话不在您的座席上');
    const verdict = await this.#options.runtime.ask(callId, event);
    if (verdict === 'gone') return refused('call-ended', '通话已结束');
    if (verdict === 'linkDown') return refused('switch-unreachable', '与交换机的连接中断，通话仍在继续，请稍候再操作');
    return verdict === 'refused' ? refused('not-now', '当前状态下不能执行此操作') : { ok: true };
  }

  #consult(personId: string, callId: string, number: string, mode: 'consult' | 'transfer'): Promise<DeskOutcome> {
    const target = this.#options.consultTarget(number);
    // Only the directory's numbers: a desk is no way to call the world at the city's cost.
    if (target === undefined) return Promise.resolve(refused('unknown-target', `${number} 不在转接目录中`));
    const consult: ConsultPart = {
      ...target,
      leg: this.#options.ids.uuid(),
      place: 'dialling',
      answeredAtMs: null,
      mode: mode === 'transfer' ? 'transfer' : 'consult',
      referred: false,
    };
    return this.#command(personId, callId, { type: 'consult', consult });
  }

  /** What can't be promised says so; the page keeps what was typed and sends it again. */
  async #stored(save: () => Promise<DeskOutcome>): Promise<DeskOutcome> {
    const { clock, log } = this.#options;
    try {
      return await withinTime(clock, 'storing what was typed', saveDeadlineMs, save());
    } catch (error) {
      log.error({ error: errorChain(error) }, 'what was typed could not be stored; the page keeps it');
      return refused('store-unavailable', '暂时无法保存，内容已保留在本页，请稍后再试');
    }
  }

  async #saveDraft(personId: string, callId: string, baseVersion: number, body: OrderBody): Promise<DeskOutcome> {
    const owner = await this.#mayWrite(personId, callId);
    if (owner === undefined) return refused('not-your-call', '该通话不在您的座席上，草稿未保存');
    const saved = await this.#options.store.saveDraft({
      callId,
      personId,
      baseVersion,
      body,
      nowMs: this.#options.clock.now(),
    });
    if (!saved.ok) return { ok: false, code: 'draft-conflict', text: '草稿已在别处修改', draft: saved.draft };
    this.#tellDraft(personId, callId, saved.draft);
    return { ok: true, draft: saved.draft };
  }

  async #saveOrder(personId: string, callId: string, baseVersion: number, body: OrderBody): Promise<DeskOutcome> {
    const owner = await this.#mayWrite(personId, callId);
    if (owner === undefined) return refused('not-your-call', '该通话不在您的座席上，工单未保存');
    const lacking = missingFields(body);
    if (lacking.length > 0) return refused('incomplete', `请填写：${lacking.join('、')}`);
    const { store, clock } = this.#options;
    const nowMs = clock.now();
    const saved = await store.saveDraft({ callId, personId, baseVersion, body, nowMs });
    if (!saved.ok)
      return { ok: false, code: 'draft-conflict', text: '草稿已在别处修改，请核对后再保存', draft: saved.draft };
    const order = await store.saveOrder({ callId, personId, callerNumber: owner.callerNumber, body, nowMs });
    const draft = { ...saved.draft, ...order };
    this.#tellDraft(personId, callId, draft);
    const person = this.#people.get(personId);
    if (person !== undefined) this.#pushToday(person);
    return { ok: true, draft };
  }

  /** The agent of the call now, or the last one who had it. */
  async #mayWrite(personId: string, callId: string): Promise<{ callerNumber: string } | undefined> {
    const live = this.#options.runtime.get(callId);
    if (live !== undefined) {
      const mine = live.agent?.personId === personId || (live.agent === null && live.lastAgentId === personId);
      return mine ? { callerNumber: live.callerNumber } : undefined;
    }
    const owner = await this.#options.store.callOwner(callId);
    return owner?.agentId === personId ? owner : undefined;
  }

  #tellDraft(personId: string, callId: string, draft: DraftView): void {
    for (const watcher of new Set([personId, ...(this.#subcentreWatchers.get(callId) ?? [])])) {
      this.#options.push(watcher, { type: 'draft', draft });
    }
  }

  async #person(personId: string): Promise<Person> {
    const known = this.#people.get(personId);
    if (known !== undefined) return known;
    const person = await this.#options.store.person(personId);
    if (person === undefined) throw new UserError('no-such-person', 404, '没有这个用户');
    this.#people.set(personId, person);
    return person;
  }

  #spawn(what: string, work: () => Promise<void>): void {
    work().catch((error: unknown) =>
      this.#options.log.error({ what, error: errorChain(error) }, 'a desk could not be told'),
    );
  }
}

function missingFields(body: OrderBody): string[] {
  const needed: readonly [keyof OrderBody, string][] = [
    ['matterType', '诉求类型'],
    ['content', '诉求内容'],
  ];
  return needed.flatMap(([field, label]) => (body[field].trim() === '' ? [label] : []));
}
