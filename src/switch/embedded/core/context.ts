/** What all parts of the switch's core share. */
import type { Clock } from '../../../kernel/clock.ts';
import type { Ids } from '../../../kernel/ids.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { EmbeddedSwitchConfig } from '../config.ts';
import type { MediaEngine } from '../media/api.ts';
import type { Channel } from './channel.ts';
import type { EventBus, HeaderList } from './events.ts';

export interface SwitchContext {
  /** The settings now in force: users, gateways and hotline numbers change on SIGHUP. */
  readonly config: () => EmbeddedSwitchConfig;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly media: MediaEngine;
  readonly events: EventBus;
  /** Channels that live, by UUID. */
  readonly channels: Map<string, Channel>;
  /** Told after each leg's end. */
  onChannelGone(): void;
  /** Conferences by name: member number to channel. */
  readonly conferences: Map<string, Map<number, Channel>>;
  /** Global variables, which only control sets; never more than `MAX_GLOBALS`. */
  readonly globals: Map<string, string>;
  readonly counters: SwitchCounters;
}

export const MAX_GLOBALS = 20_000;

export interface SwitchCounters {
  /** Channels since the start. */
  channels: number;
  /** Calls refused because `limits.maxCalls` was reached, or no RTP port was free. */
  overload: number;
  /** Members since the start; the last one's number. */
  members: number;
}

/** Tells a channel event with its own headers and the extra ones. */
export function emitChannelEvent(context: SwitchContext, name: string, channel: Channel, extra: HeaderList = []): void {
  context.events.emit(name, () => ({ headers: [...channel.headers(), ...extra] }));
}
