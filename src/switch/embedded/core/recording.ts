/** Recordings of a leg. */
import { isAbsolute } from 'node:path';
import type { Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';

export interface RecordingOptions {
  readonly path: string;
  readonly stereo: boolean;
  /** 0 for no limit. */
  readonly maxDurationMs: number;
  onEnded?(): void;
}

/** More recordings of one leg at once are nobody's wish. */
const MAX_RECORDINGS_PER_LEG = 8;

/** Begins a recording; false when the leg has no media, the path is not absolute or is being written already. */
export function startRecording(context: SwitchContext, channel: Channel, options: RecordingOptions): boolean {
  const { path } = options;
  const { media, recordings } = channel;
  if (media === undefined || channel.ended || !isAbsolute(path)) return false;
  if (recordings.has(path) || recordings.size >= MAX_RECORDINGS_PER_LEG) return false;
  const complete = new Promise<void>((resolve) => {
    media.startRecording({
      path,
      stereo: options.stereo,
      maxDurationMs: options.maxDurationMs,
      onEnded: (result) => {
        recordings.delete(path);
        if (result.reason === 'failed') {
          context.log.error({ uuid: channel.uuid, path, error: result.error }, 'the recording failed');
        }
        channel.variables.set('record_ms', String(result.durationMs));
        channel.variables.set('record_seconds', String(Math.floor(result.durationMs / 1000)));
        emitChannelEvent(context, 'RECORD_STOP', channel, [
          ['Record-File-Path', path],
          ['Record-Completion-Cause', result.reason === 'failed' ? 'uri-failure' : 'success'],
        ]);
        options.onEnded?.();
        resolve();
      },
    });
  });
  recordings.set(path, complete);
  emitChannelEvent(context, 'RECORD_START', channel, [['Record-File-Path', path]]);
  return true;
}
