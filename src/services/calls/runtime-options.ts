import type { Call, CallSettings, PhoneTarget } from '../../domain/call/call.ts';
import type { Flow } from '../../domain/ivr/flow.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { TelephoneSwitch } from '../../switch/port.ts';
import type { Dispatcher } from '../acd/dispatcher.ts';
import type { SeatBook } from '../acd/seat-book.ts';
import type { CallStore } from '../ports.ts';
import type { CallWriter } from './call-writer.ts';

/** Everything that the call runtime is handed. */
export interface CallRuntimeOptions {
  readonly telephone: TelephoneSwitch;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly settings: CallSettings & { readonly maxLiveCalls: number };
  readonly flow: Flow;
  readonly promptPath: (id: string) => string;
  readonly recordingPath: (call: Call) => string;
  readonly hotlineNumber: string;
  readonly phoneTarget: (number: string) => PhoneTarget;
  readonly seats: SeatBook;
  readonly dispatcher: Dispatcher;
  readonly writer: CallWriter;
  readonly store: CallStore;
}
