/** Events on their way to those who listen: made once, serialised once, handed out after the command that caused them. */
import { hostname } from 'node:os';
import type { Ids } from '../../../kernel/ids.ts';
import { encodePlainEvent } from '../../esl/wire.ts';

export type HeaderList = Array<readonly [name: string, value: string]>;

/** One who listens. */
export interface EventSink {
  wants(name: string, subclass: string | undefined): boolean;
  deliver(frame: Buffer): void;
}

export interface EventContent {
  readonly headers: HeaderList;
  readonly body?: string;
  readonly subclass?: string;
}

interface PendingEvent {
  readonly name: string;
  readonly subclass: string | undefined;
  readonly frame: Buffer;
}

/** `YYYY-MM-DD HH:MM:SS` in UTC. */
function plainDate(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

export class EventBus {
  readonly coreUuid: string;
  readonly #sinks = new Set<EventSink>();
  readonly #hostname = hostname();
  #pending: PendingEvent[] = [];
  #sequence = 0;

  constructor(ids: Ids) {
    this.coreUuid = ids.uuid();
  }

  add(sink: EventSink): void {
    this.#sinks.add(sink);
  }

  remove(sink: EventSink): void {
    this.#sinks.delete(sink);
  }

  /** Tells an event. `make` is only called when somebody wants it. */
  emit(name: string, make: () => EventContent, subclass?: string): void {
    let wanted = false;
    for (const sink of this.#sinks) wanted ||= sink.wants(name, subclass);
    if (!wanted) return;
    const content = make();
    this.#sequence += 1;
    // Microseconds since the epoch (FreeSWITCH's unit), from the clock that has them.
    const atMicros = Math.floor((performance.timeOrigin + performance.now()) * 1000);
    const date = new Date(atMicros / 1000);
    const headers: HeaderList = [['Event-Name', name]];
    if (subclass !== undefined) headers.push(['Event-Subclass', subclass]);
    headers.push(
      ['Core-UUID', this.coreUuid],
      ['FreeSWITCH-Hostname', this.#hostname],
      ['FreeSWITCH-Switchname', this.#hostname],
      ['Event-Date-Local', plainDate(date)],
      ['Event-Date-GMT', date.toUTCString()],
      ['Event-Date-Timestamp', String(atMicros)],
      ['Event-Sequence', String(this.#sequence)],
    );
    for (const header of content.headers) headers.push(header);
    if (this.#pending.length === 0) queueMicrotask(() => this.#flush());
    this.#pending.push({ name, subclass, frame: encodePlainEvent(headers, content.body) });
  }

  /** Runs when the present piece of work is done, so that a command's reply is written before its events. */
  #flush(): void {
    const events = this.#pending;
    this.#pending = [];
    for (const event of events) {
      for (const sink of this.#sinks) if (sink.wants(event.name, event.subclass)) sink.deliver(event.frame);
    }
  }
}
