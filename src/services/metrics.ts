import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AgentPart, Call, CallEvent } from '../domain/call/call.ts';
import type { Dispatcher } from './acd/dispatcher.ts';
import type { SeatBook } from './acd/seat-book.ts';
import type { CallObserver } from './calls/call-observers.ts';
import type { CallRuntime } from './calls/call-runtime.ts';
import type { CallWriter } from './calls/call-writer.ts';
import type { PhoneGuard } from './phone-guard.ts';

/** The service's own registry, so that two services in one process (tests) don't share numbers. */
export class Metrics implements CallObserver {
  readonly registry = new Registry();
  readonly #offered: Counter;
  readonly #noticed: Counter;
  readonly #ended: Counter<'class' | 'reason'>;
  readonly #recordingsFailed: Counter;
  readonly #answerSeconds: Histogram;
  readonly #talkSeconds: Histogram;

  constructor(parts: {
    runtime: CallRuntime;
    seats: SeatBook;
    dispatcher: Dispatcher;
    writer: CallWriter;
    guard: PhoneGuard;
    sockets: () => number;
    linkUp: () => boolean;
    leads: () => boolean;
  }) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#offered = new Counter({ name: 'yht_offers_total', help: 'Offers to agents’ phones', registers });
    this.#noticed = new Counter({ name: 'yht_desk_notices_total', help: 'Warnings shown on desks', registers });
    this.#recordingsFailed = new Counter({
      name: 'yht_recordings_failed_total',
      help: 'Recordings that were cut short or never began, while the call went on',
      registers,
    });
    new Counter({
      name: 'yht_phone_bans_total',
      help: 'Phones banned for wrong passwords',
      registers,
      collect() {
        this.reset();
        this.inc(parts.guard.total);
      },
    });
    this.#ended = new Counter({
      name: 'yht_calls_ended_total',
      help: 'Ended calls',
      labelNames: ['class', 'reason'],
      registers,
    });
    // 15 s is the national standard’s answer time (GB/T 33358-2016), so it is a bucket’s edge.
    this.#answerSeconds = new Histogram({
      name: 'yht_answer_seconds',
      help: 'From the queue to the agent',
      buckets: [1, 3, 5, 10, 15, 20, 30, 60, 120, 300],
      registers,
    });
    this.#talkSeconds = new Histogram({
      name: 'yht_talk_seconds',
      help: 'Agent’s answer to the end',
      buckets: [10, 30, 60, 120, 180, 300, 600, 1800],
      registers,
    });
    this.#gauge('yht_calls_live', 'Live calls', () => parts.runtime.size);
    new Counter({
      name: 'yht_calls_refused_total',
      help: 'Callers who got a busy tone, because twice the limit of live calls was there',
      registers,
      collect() {
        this.reset();
        this.inc(parts.runtime.refused);
      },
    });
    this.#gauge('yht_queue_waiting', 'Callers who wait', () => parts.dispatcher.waiting);
    this.#gauge('yht_seats_available', 'Seats that may be offered a call', () => parts.seats.available().length);
    this.#gauge('yht_desk_sockets', 'Open desk sockets', parts.sockets);
    this.#gauge('yht_store_backlog', 'Records that wait to be stored', () => parts.writer.backlog);
    this.#gauge('yht_leader', 'This control leads', () => (parts.leads() ? 1 : 0));
    this.#gauge('yht_switch_up', 'Link to the switch', () => (parts.linkUp() ? 1 : 0));
  }

  onCall(before: Call | undefined, after: Call, _event: CallEvent | undefined): void {
    if (after.agentAnsweredAtMs !== null && before?.agentAnsweredAtMs === null && after.queuedAtMs !== null) {
      this.#answerSeconds.observe((after.agentAnsweredAtMs - after.queuedAtMs) / 1000);
    }
    if (after.recordingFailure !== null && before?.recordingFailure === null) this.#recordingsFailed.inc();
    if (after.state !== 'ended' || before?.state === 'ended') return;
    this.#ended.inc({ class: after.endClass ?? 'unknown', reason: after.endReason ?? 'unknown' });
    if (after.agentAnsweredAtMs !== null && after.endedAtMs !== null) {
      this.#talkSeconds.observe((after.endedAtMs - after.agentAnsweredAtMs) / 1000);
    }
  }

  onOffer(_call: Call, _agent: AgentPart): void {
    this.#offered.inc();
  }

  onOfferGone(): void {
    // Counted by the seat's outcome in the journal; a gauge of its own would double it.
  }

  onConsult(): void {
    // The consultation's end is told by the call's journal.
  }

  onNotice(): void {
    this.#noticed.inc();
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
