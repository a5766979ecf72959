import { dirname } from 'node:path';
import type { Call, CallEvent } from '../../domain/call/call.ts';
import type { Clock } from '../../kernel/clock.ts';
import { withinTime } from '../../kernel/deadline.ts';
import { errorChain } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { CallObserver } from './call-observers.ts';
import type { CallRuntime } from './call-runtime.ts';

/** Half a minute of one stereo recording (8 kHz, 16 bit): below it none can become whole. */
const fullBytes = 1 << 20;
/** Some four and a half hours of talk. */
const lowBytes = 512 * fullBytes;
const lookWithinMs = 2_000;
/** On a full disk every call fails; the supervisors are told of it, not of each. */
const tellAgainMs = 60_000;

/** What is known of the place for recordings. */
export interface RecordingRoom {
  /** `unknown`: it could not be looked at, which a network file system that hangs looks like too. */
  readonly state: 'ok' | 'low' | 'full' | 'unknown';
  readonly freeBytes: number | null;
  /** Recordings that were cut short since the start of the service. */
  readonly failed: number;
}

export interface RecordingAlarmOptions {
  readonly runtime: CallRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly folder: string;
  /** Free bytes on the disk of a folder; rejects when there is no such folder. */
  readonly freeBytes: (folder: string) => Promise<number>;
  /** One line for everybody who supervises. */
  readonly tellSupervisors: (text: string) => void;
}

/**
 * Raises the alarm when recordings are lost. FreeSWITCH tells of a file that it could not write when the leg ends, and
 * only in its event; so the free space is looked at whenever a recording begins or fails, and when somebody asks after
 * our health: once it is gone, every call that is being recorded is told.
 *
 * It owns what is known of the room; the calls own what became of their recordings.
 */
export class RecordingAlarm implements CallObserver {
  readonly #options: RecordingAlarmOptions;
  #state: RecordingRoom['state'] = 'unknown';
  #freeBytes: number | null = null;
  #failed = 0;
  #folder: string;
  #looking: Promise<void> | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RecordingAlarmOptions) {
    this.#options = options;
    this.#folder = options.folder;
  }

  /** Looks at the disk and says what it found; within 2 s, also when the disk does not answer. */
  async room(): Promise<RecordingRoom> {
    await this.#look();
    return { state: this.#state, freeBytes: this.#freeBytes, failed: this.#failed };
  }

  onCall(before: Call | undefined, after: Call, event: CallEvent | undefined): void {
    if (after.recordingPath === null) return;
    const begins = before !== undefined && before.recordingPath !== after.recordingPath;
    const fails = before?.recordingFailure === null && after.recordingFailure !== null;
    if (begins) this.#folder = dirname(after.recordingPath);
    if (fails) this.#lost(after);
    if (begins || fails || event?.type === 'restored') void this.#look();
  }

  onOffer(): void {
    // Nothing is recorded yet.
  }

  onOfferGone(): void {
    // Nothing was recorded.
  }

  onConsult(): void {
    // The recording goes on.
  }

  onNotice(): void {
    // Told by the desks.
  }

  #lost(call: Call): void {
    const { clock, log, tellSupervisors } = this.#options;
    this.#failed += 1;
    log.error(
      { callId: call.id, path: call.recordingPath, failure: call.recordingFailure, freeBytes: this.#freeBytes },
      'a recording was cut short, the call goes on: make room on the disk of RECORDINGS_FOLDER, or mend its rights',
    );
    if (clock.now() - this.#toldAtMs < tellAgainMs) return;
    this.#toldAtMs = clock.now();
    tellSupervisors(
      `录音中断：录音磁盘已满或不可写，通话不受影响但录音不完整（启动以来共 ${this.#failed} 路）。请立即通知运维清理录音磁盘。`,
    );
  }

  /** Never rejects. One look at a time; who asks meanwhile gets the same answer. */
  #look(): Promise<void> {
    this.#looking ??= this.#measure().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #measure(): Promise<void> {
    const { clock, freeBytes, folder } = this.#options;
    // The day's folder is made with the day's first recording.
    const measuring = freeBytes(this.#folder).catch(() => freeBytes(folder));
    try {
      this.#freeBytes = await withinTime(clock, 'looking at the recordings’ disk', lookWithinMs, measuring);
      this.#found(this.#freeBytes < fullBytes ? 'full' : this.#freeBytes < lowBytes ? 'low' : 'ok');
    } catch (error) {
      this.#freeBytes = null;
      this.#found('unknown', errorChain(error));
    }
  }

  #found(state: RecordingRoom['state'], error?: string): void {
    const { runtime, log, tellSupervisors } = this.#options;
    const before = this.#state;
    this.#state = state;
    if (state !== before) this.#tellChange(before, error, log, tellSupervisors);
    if (state !== 'full') return;
    for (const { id, recordingPath, recordingFailure, endedAtMs } of runtime.all()) {
      if (recordingPath === null || recordingFailure !== null || endedAtMs !== null) continue;
      runtime.post(id, { type: 'recordingFailed', path: recordingPath, failure: 'disk-full' });
    }
  }

  #tellChange(
    before: RecordingRoom['state'],
    error: string | undefined,
    log: Logger,
    tellSupervisors: (text: string) => void,
  ): void {
    const where = { folder: this.#folder, freeBytes: this.#freeBytes, error };
    switch (this.#state) {
      case 'full':
        log.error(
          where,
          'the disk of the recordings is full: calls go on without them; make room in RECORDINGS_FOLDER',
        );
        break;
      case 'low':
        log.warn(where, 'the disk of the recordings is nearly full; make room in RECORDINGS_FOLDER');
        tellSupervisors('录音磁盘将满：剩余空间不足，满后通话将没有录音。请通知运维清理录音磁盘。');
        break;
      case 'unknown':
        log.error(where, 'the disk of the recordings can’t be looked at; is RECORDINGS_FOLDER there?');
        break;
      case 'ok':
        if (before !== 'unknown') log.info(where, 'the disk of the recordings has room again');
    }
  }
}
