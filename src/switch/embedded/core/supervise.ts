/** A supervisor at an agent's leg: the places `listen-<leg>`, `whisper-<leg>` and `barge-<leg>`. */
import type { SuperviseMode } from '../media/api.ts';
import type { Channel } from './channel.ts';
import type { SwitchContext } from './context.ts';

/** What such a place says. */
export interface SupervisePlace {
  readonly mode: SuperviseMode;
  readonly leg: string;
}

/** Reads an extension of the dialplan; undefined when it is another place. */
export function readSupervisePlace(extension: string): SupervisePlace | undefined {
  const match = /^(listen|whisper|barge)-([0-9A-Za-z-]+)$/.exec(extension);
  return match === null ? undefined : { mode: match[1] as SuperviseMode, leg: match[2] ?? '' };
}

/**
 * Puts a leg that has left what it did before to the agent's leg.
 * @param goOn where it goes when there is no such leg (any more), or another supervisor is there.
 */
export function supervise(context: SwitchContext, channel: Channel, place: SupervisePlace, goOn: () => void): void {
  if (channel.ended) return;
  const agent = context.channels.get(place.leg);
  channel.state = 'CS_EXECUTE';
  // As in FreeSWITCH's dialplan, it is told before the leg is looked for.
  context.events.emit(
    'CUSTOM',
    () => ({ headers: [['Supervise-Mode', place.mode], ['Supervise-Leg', place.leg], ...channel.headers()] }),
    'yihaotong::supervise',
  );
  if (agent?.media === undefined || agent === channel || agent.dismissSupervisor !== undefined) {
    goOn();
    return;
  }
  channel.application = 'eavesdrop';
  channel.applicationData = place.leg;
  channel.media?.route({ kind: 'supervise', agent: agent.media, mode: place.mode });
  agent.dismissSupervisor = goOn;
  channel.activity = {
    kind: 'supervise',
    leave: () => {
      agent.dismissSupervisor = undefined;
      channel.application = '';
      channel.applicationData = '';
      channel.media?.route({ kind: 'silent' });
    },
  };
}
