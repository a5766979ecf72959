/** The applications that run on a parked leg (contract: playback, record, answer, sleep; and a few that cost nothing). */
import type { Channel } from './channel.ts';
import type { SwitchContext } from './context.ts';
import { answer, hangup, preAnswer, ringReady } from './lifecycle.ts';
import { startRecording } from './recording.ts';

export interface ApplicationRequest {
  readonly application: string;
  readonly argument: string;
  /** How often; Infinity for ever. Only playback repeats. */
  readonly loops: number;
}

/** Ends a running application; its `done` is then no longer wanted. */
export type StopApplication = () => void;

const NO_RESPONSE = '_none_';
const MAX_SLEEP_MS = 3_600_000;
const nothingToStop: StopApplication = () => undefined;

/** Splits FreeSWITCH's playback argument into its sources. */
export function playbackSources(argument: string): string[] {
  const list = argument.startsWith('file_string://') ? argument.slice('file_string://'.length) : argument;
  return list.split('!').filter((source) => source !== '');
}

function play(
  context: SwitchContext,
  channel: Channel,
  request: ApplicationRequest,
  done: (response: string) => void,
): StopApplication {
  const { media } = channel;
  // As in FreeSWITCH, sound for a caller who is not answered yet goes out as early media.
  preAnswer(context, channel);
  const sources = playbackSources(request.argument);
  if (media === undefined || sources.length === 0) {
    done('PLAYBACK ERROR');
    return nothingToStop;
  }
  media.play({
    sources,
    loops: request.loops,
    onEnded: (result) => done(result.reason === 'missing' ? 'FILE NOT FOUND' : 'FILE PLAYED'),
  });
  return () => media.stopPlaying();
}

/** `record <path> [seconds]`: what the leg says, until the time is up or it is stopped. */
function record(
  context: SwitchContext,
  channel: Channel,
  argument: string,
  done: (response: string) => void,
): StopApplication {
  const [path = '', seconds = '0'] = argument.trim().split(/\s+/);
  const maxDurationMs = /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : 0;
  const started = startRecording(context, channel, {
    path,
    stereo: false,
    maxDurationMs,
    onEnded: () => done('FILE RECORDED'),
  });
  if (!started) done('RECORD ERROR');
  return () => {
    channel.media?.stopRecording(path);
  };
}

function sleep(context: SwitchContext, argument: string, done: (response: string) => void): StopApplication {
  const delayMs = /^\d{1,9}$/.test(argument.trim()) ? Math.min(Number(argument), MAX_SLEEP_MS) : 0;
  const timer = context.clock.setTimer(delayMs, () => done(NO_RESPONSE));
  return () => timer.cancel();
}

function setVariable(channel: Channel, argument: string): void {
  const equals = argument.indexOf('=');
  if (equals > 0) channel.variables.set(argument.slice(0, equals).trim(), argument.slice(equals + 1));
}

/** Starts an application. `done` may be called before this returns. */
export function launchApplication(
  context: SwitchContext,
  channel: Channel,
  request: ApplicationRequest,
  done: (response: string) => void,
): StopApplication {
  const { application, argument } = request;
  if (application === 'playback') return play(context, channel, request, done);
  if (application === 'endless_playback') return play(context, channel, { ...request, loops: Infinity }, done);
  if (application === 'record') return record(context, channel, argument, done);
  if (application === 'sleep') return sleep(context, argument, done);
  if (application === 'answer') answer(context, channel);
  else if (application === 'pre_answer') preAnswer(context, channel);
  else if (application === 'ring_ready') ringReady(channel);
  else if (application === 'set') setVariable(channel, argument);
  else if (application === 'hangup') {
    hangup(context, channel, argument === '' ? 'NORMAL_CLEARING' : argument);
    return nothingToStop;
  } else {
    context.log.warn(
      { uuid: channel.uuid, application },
      'an application that this switch does not have was asked for',
    );
    done('-ERR no such application');
    return nothingToStop;
  }
  done(NO_RESPONSE);
  return nothingToStop;
}
