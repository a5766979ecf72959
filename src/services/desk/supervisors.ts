import type { DeskPush, LiveCallView } from '../../desk/protocol.ts';
import type { Call, CallEvent, SuperviseMode, SupervisorPart } from '../../domain/call/call.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { CallRuntime } from '../calls/call-runtime.ts';
import type { Person } from '../ports.ts';
import { type DeskOutcome, refused } from './outcome.ts';
import { liveCallView, type ViewContext } from './views.ts';

export interface SupervisorsOptions {
  readonly runtime: CallRuntime;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly views: ViewContext;
  readonly push: (personId: string, push: DeskPush) => void;
}

/** Changes of so long are told together; at a busy hour a list changes many times a second. */
const gatherMs = 300;
/** Calls in one list; those with an agent come first. */
const listLength = 200;

/** What supervisors see of the live calls, and how they listen to them. It owns who of them is looking. */
export class Supervisors {
  readonly #options: SupervisorsOptions;
  readonly #known = new Map<string, Person>();
  readonly #windows = new Map<string, number>();
  #gathering: Timer | undefined;

  constructor(options: SupervisorsOptions) {
    this.#options = options;
  }

  /** The list for a desk that has just opened; from now on this person is told of changes. Empty for all others. */
  list(person: Person): LiveCallView[] {
    if (person.role !== 'supervisor') return [];
    this.#known.set(person.id, person);
    const { runtime, views } = this.#options;
    const calls = runtime.all().filter((call) => call.state !== 'ending' && call.state !== 'ended');
    const ordered = calls.toSorted(
      (a, b) => Number(b.agent !== null) - Number(a.agent !== null) || a.startedAtMs - b.startedAtMs,
    );
    return ordered.slice(0, listLength).map((call) => liveCallView(call, person, views));
  }

  presence(personId: string, change: 1 | -1): void {
    const windows = (this.#windows.get(personId) ?? 0) + change;
    if (windows > 0) this.#windows.set(personId, windows);
    else this.#windows.delete(personId);
    // A page that resumes gets no snapshot, and nothing was told while it was away.
    if (change === 1 && this.#known.has(personId)) this.changed();
  }

  /** A call has changed. */
  changed(): void {
    const isLooking = [...this.#known.keys()].some((personId) => this.#windows.has(personId));
    if (!isLooking || this.#gathering !== undefined) return;
    this.#gathering = this.#options.clock.setTimer(gatherMs, () => {
      this.#gathering = undefined;
      for (const [personId, person] of this.#known) {
        if (this.#windows.has(personId)) this.#options.push(personId, { type: 'live', live: this.list(person) });
      }
    });
  }

  /** An error line on each supervisor's open page; one that opens later sees it at the calls concerned. */
  tell(text: string): void {
    for (const personId of this.#known.keys()) {
      if (this.#windows.has(personId)) this.#options.push(personId, { type: 'notice', level: 'error', text });
    }
  }

  /** Begins to listen to a call, or changes to whom he is heard there. */
  async supervise(person: Person, callId: string, mode: SuperviseMode): Promise<DeskOutcome> {
    if (person.role !== 'supervisor') return refused('not-allowed', '只有班长可以监听通话');
    const { runtime, ids } = this.#options;
    const call = runtime.get(callId);
    if (call === undefined) return refused('call-ended', '通话已结束');
    const { supervisor, agent } = call;
    if (supervisor?.personId === person.id)
      return this.#ask(call, { type: 'superviseMode', personId: person.id, mode });
    if (supervisor !== null) return refused('supervised', `${supervisor.name}正在监听该通话`);
    if (person.extension === null) return refused('no-phone', '您没有话机，不能监听');
    if (runtime.all().some((other) => other.supervisor?.personId === person.id)) {
      return refused('supervising', '请先退出正在监听的通话');
    }
    if (agent === null || agent.answeredAtMs === null) return refused('not-now', '坐席未在通话，不能监听');
    const part: SupervisorPart = {
      personId: person.id,
      name: person.name,
      extension: person.extension,
      leg: ids.uuid(),
      agentLeg: agent.leg,
      mode,
      place: 'dialling',
    };
    return this.#ask(call, { type: 'supervise', supervisor: part });
  }

  async leave(person: Person, callId: string): Promise<DeskOutcome> {
    const call = this.#options.runtime.get(callId);
    if (call?.supervisor?.personId !== person.id) return refused('not-supervising', '您未在监听该通话');
    return this.#ask(call, { type: 'superviseLeave', personId: person.id });
  }

  async #ask(call: Call, event: CallEvent): Promise<DeskOutcome> {
    const verdict = await this.#options.runtime.ask(call.id, event);
    if (verdict === 'gone') return refused('call-ended', '通话已结束');
    if (verdict === 'linkDown') return refused('switch-unreachable', '与交换机的连接中断，通话仍在继续，请稍候再操作');
    return verdict === 'refused' ? refused('not-now', '当前状态下不能监听') : { ok: true };
  }
}
