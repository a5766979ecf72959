/** The applications that run on a parked leg (contract: playback, record, answer, sleep; and a few that cost nothing). */
import type { Channel } from './channel.ts';
import type { SwitchContext } from './context.ts';
import { answer, hangup, preAnswer, ringReady } from './lifecycle.ts';
import { startRecording } from './recording.ts';

export interface ApplicationRequest {
  readonly application: string;
  readonly argument: string;
}

/** Ends a running application; its `done` is then no longer wanted. */
export type StopApplication = () => void;

/** Takes the Application-Response. */
type Done = (response: string) => void;
type Application = (context: SwitchContext, channel: Channel, argument: string, done: Done) => StopApplication;

export const NO_RESPONSE = '_none_';
export const FILE_PLAYED = 'FILE PLAYED';
const LIST_PREFIX = 'file_string://';
const MAX_SLEEP_MS = 3_600_000;
const nothingToStop: StopApplication = () => undefined;

/** Plays one after the other. A missing file in a list is passed over in silence, as FreeSWITCH does. */
function playList(context: SwitchContext, channel: Channel, sources: readonly string[], done: Done): void {
  channel.media?.play({
    sources,
    loops: 1,
    onEnded: (result) => {
      const missing = result.reason === 'missing' ? (result.missing ?? '') : undefined;
      if (missing !== undefined) context.log.warn({ uuid: channel.uuid, file: missing }, 'a prompt is missing');
      const missingAt = missing === undefined ? -1 : sources.indexOf(missing);
      const rest = missingAt === -1 ? [] : sources.slice(missingAt + 1);
      if (rest.length === 0) done(FILE_PLAYED);
      else playList(context, channel, rest, done);
    },
  });
}

const playback: Application = (context, channel, argument, done) => {
  const { media } = channel;
  // As in FreeSWITCH, sound for a caller who is not answered yet goes out as early media.
  preAnswer(context, channel);
  const isList = argument.startsWith(LIST_PREFIX);
  const sources = isList ? argument.slice(LIST_PREFIX.length).split('!') : [argument];
  const wanted = sources.filter((source) => source !== '');
  if (media === undefined || wanted.length === 0) {
    done('FILE NOT FOUND');
    return nothingToStop;
  }
  let stopped = false;
  const unlessStopped: Done = (response) => {
    if (!stopped) done(response);
  };
  if (isList) playList(context, channel, wanted, unlessStopped);
  else {
    media.play({
      sources: wanted,
      loops: 1,
      onEnded: (result) => unlessStopped(result.reason === 'missing' ? 'FILE NOT FOUND' : FILE_PLAYED),
    });
  }
  return () => {
    stopped = true;
    media.stopPlaying();
  };
};

/** `record <path> [seconds]`: what the leg says, until the time is up or it is stopped. */
const record: Application = (context, channel, argument, done) => {
  const [path = '', seconds = '0'] = argument.trim().split(/\s+/);
  const maxDurationMs = /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : 0;
  const onEnded = (): void => done(NO_RESPONSE);
  if (!startRecording(context, channel, { path, stereo: false, maxDurationMs, onEnded })) done(NO_RESPONSE);
  return () => {
    channel.media?.stopRecording(path);
  };
};

const sleep: Application = (context, _channel, argument, done) => {
  const delayMs = /^\d{1,9}$/.test(argument.trim()) ? Math.min(Number(argument), MAX_SLEEP_MS) : 0;
  const timer = context.clock.setTimer(delayMs, () => done(NO_RESPONSE));
  return () => timer.cancel();
};

/** One that is over as soon as it has begun. */
function atOnce(run: (context: SwitchContext, channel: Channel, argument: string) => void): Application {
  return (context, channel, argument, done) => {
    run(context, channel, argument);
    done(NO_RESPONSE);
    return nothingToStop;
  };
}

const applications: ReadonlyMap<string, Application> = new Map([
  ['playback', playback],
  ['record', record],
  ['sleep', sleep],
  ['answer', atOnce(answer)],
  ['pre_answer', atOnce(preAnswer)],
  ['ring_ready', atOnce(ringReady)],
  [
    'set',
    atOnce((_context, channel, argument) => {
      const equals = argument.indexOf('=');
      if (equals > 0) channel.variables.set(argument.slice(0, equals).trim(), argument.slice(equals + 1));
    }),
  ],
  [
    'blind_transfer_ack',
    atOnce((_context, channel, argument) => {
      if (argument === 'true') channel.referral?.succeeded();
      else channel.referral?.refused();
    }),
  ],
  ['hangup', atOnce((context, channel, argument) => hangup(context, channel, argument || 'NORMAL_CLEARING'))],
]);

/** Whether there is such an application. */
export function isApplication(name: string): boolean {
  return applications.has(name);
}

/** Starts an application. `done` may be called before this returns; for one that doesn't exist it is. */
export function launchApplication(
  context: SwitchContext,
  channel: Channel,
  request: ApplicationRequest,
  done: Done,
): StopApplication {
  const application = applications.get(request.application);
  if (application !== undefined) return application(context, channel, request.argument, done);
  done(NO_RESPONSE);
  return nothingToStop;
}
