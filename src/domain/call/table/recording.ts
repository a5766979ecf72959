/** A recording that is cut short: the talk goes on, and whoever needs the recording is told. Issue 3, section 1, «disk full». */
import { type Call, callStates, type RecordingFailure } from '../call.ts';
import { type Decision, type Row, row, stay } from '../decision.ts';

const anywhere = callStates;
const lostText =
  '录音中断：录音磁盘已满或不可写，本次通话录音不完整。通话不受影响，请继续；请把要点记入工单，并告知班长。';

/** Told to the agent who has the call, or had it last: on FreeSWITCH the news may come with the citizen's end. */
function lost(call: Call, failure: RecordingFailure): Decision {
  const to = call.agent?.personId ?? call.lastAgentId;
  return stay({ ...call, recordingFailure: failure }, to === null ? [] : [{ do: 'notice', text: lostText, to }]);
}

export const recordingRows: readonly Row[] = [
  row(
    anywhere,
    'recordingFailed',
    'Told once; the talk is worth more than its recording.',
    (call, event) => lost(call, event.failure),
    {
      when: (call, event) => call.recordingFailure === null && call.recordingPath === event.path,
    },
  ),
  row(anywhere, 'recordingFailed', 'Known already, or a recording that is not the call’s own.', 'ignore'),
  row(
    anywhere,
    'commandFailed',
    'The switch could not begin the recording: no folder or file could be made.',
    (call) => lost(call, 'not-started'),
    {
      // Without an answer it may have begun; a gone leg needs none, and a lost link tells nothing of the disk.
      when: (call, event) => event.command === 'record' && event.kind === 'refused' && call.recordingFailure === null,
    },
  ),
];
