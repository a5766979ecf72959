/** Park: the leg waits for control, and can run applications. */
import type { Timer } from '../../../kernel/clock.ts';
import { ApplicationQueue, type ExecuteRequest } from './application-queue.ts';
import { isApplication } from './applications.ts';
import type { Activity, Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';
import { hangup } from './lifecycle.ts';

export interface ParkActivity extends Activity {
  readonly kind: 'park';
  readonly applications: ApplicationQueue;
}

/** The activity of a parked leg, or undefined. */
export function parkOf(channel: Channel): ParkActivity | undefined {
  return channel.activity.kind === 'park' ? (channel.activity as ParkActivity) : undefined;
}

/** `park_timeout` is `<seconds>[:<cause>]`. As in FreeSWITCH it counts for the first park alone: a hold may last. */
function takeParkTimeout(channel: Channel): { delayMs: number; cause: string } | undefined {
  const match = /^(\d{1,6})(?::(\w+))?$/.exec(channel.variables.get('park_timeout') ?? '');
  channel.variables.delete('park_timeout');
  if (match?.[1] === undefined) return undefined;
  return { delayMs: Number(match[1]) * 1000, cause: match[2] ?? 'NORMAL_CLEARING' };
}

/** Parks a leg that has left what it did before. */
export function park(context: SwitchContext, channel: Channel): void {
  if (channel.ended) return;
  let timer: Timer | undefined;
  let overdue = false;
  const timeout = takeParkTimeout(channel);
  // As in FreeSWITCH, the time limit is looked at between applications, not in the middle of one.
  const expire = (): void => {
    if (applications.busy) overdue = true;
    else hangup(context, channel, timeout?.cause ?? 'NORMAL_CLEARING');
  };
  const applications = new ApplicationQueue(context, channel, () => {
    if (overdue) expire();
  });
  const activity: ParkActivity = {
    kind: 'park',
    applications,
    leave: () => {
      timer?.cancel();
      applications.close();
      channel.application = '';
      channel.applicationData = '';
    },
  };
  channel.activity = activity;
  channel.state = 'CS_EXECUTE';
  channel.application = 'park';
  channel.applicationData = '';
  channel.media?.route({ kind: 'silent' });
  if (timeout !== undefined) timer = context.clock.setTimer(timeout.delayMs, expire);
  emitChannelEvent(context, 'CHANNEL_PARK', channel);
}

/** Runs an application on a leg; one that doesn't exist, or a leg that isn't parked, leads to nothing but the log. */
export function execute(context: SwitchContext, channel: Channel, request: ExecuteRequest): void {
  const { application } = request;
  if (!isApplication(application)) {
    context.log.warn(
      { uuid: channel.uuid, application },
      'an application was asked for that this switch does not have',
    );
  } else if (parkOf(channel)?.applications.push(request) !== true) {
    context.log.warn({ uuid: channel.uuid, application }, 'an application found its leg not parked, or too many wait');
  }
}
