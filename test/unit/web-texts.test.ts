import { describe, expect, it } from 'vitest';
import { type CallEventType, callStates, timerNames } from '../../src/domain/call/call.ts';
import { causeTable, endClasses } from '../../src/domain/call/ending.ts';
import type { FlowPathEntry } from '../../src/domain/ivr/flow-machine.ts';
import { endingWords, texts, wordFor } from '../../web/src/texts.ts';

/** The compiler asks for every event of a call here, and the test for the words of every one. */
const events: Readonly<Record<CallEventType, true> & Record<string, true>> = {
  citizenAnswered: true,
  citizenFound: true,
  citizenParked: true,
  citizenTreated: true,
  citizenEnded: true,
  citizenDigit: true,
  citizenPlayEnded: true,
  queueFull: true,
  recordingFailed: true,
  agentReserved: true,
  agentRinging: true,
  agentParked: true,
  agentEnded: true,
  subcentreRinging: true,
  subcentreEarlyMedia: true,
  subcentreAnswered: true,
  subcentreParked: true,
  subcentreEnded: true,
  bridged: true,
  joined: true,
  timer: true,
  commandFailed: true,
  hold: true,
  resume: true,
  hangup: true,
  consult: true,
  referred: true,
  secondLine: true,
  otherLineParked: true,
  otherLineBridged: true,
  otherLineEnded: true,
  cancelConsult: true,
  joinThreeWay: true,
  leave: true,
  supervise: true,
  superviseMode: true,
  superviseLeave: true,
  supervisorRinging: true,
  supervisorParked: true,
  supervisorThere: true,
  supervisorEnded: true,
  restored: true,
};
/** `entered` and `digit` have words of their own, with the step's name and the key. */
const flowEntries: Record<Exclude<FlowPathEntry['what'], 'entered' | 'digit'>, true> = {
  noInput: true,
  wrongInput: true,
  giveUp: true,
  operator: true,
  missingStep: true,
  tooLong: true,
};

describe('the words of the pages', () => {
  it.each([
    ['states', ['new', ...callStates], texts.callStates],
    ['events', ['arrived', ...Object.keys(events)], texts.callEvents],
    ['timers', timerNames, texts.callTimers],
    ['end classes', endClasses, texts.endClasses],
    ['end reasons', causeTable.map((row) => row.reason), texts.endReasons],
    ['flow entries', Object.keys(flowEntries), texts.record.flowSteps],
  ])('name all %s of a call in Chinese', (_what, codes, table) => {
    const raw = codes.filter((code) => !/\p{Script=Han}/u.test(wordFor(table, code)));
    expect(raw).toEqual([]);
  });

  it('say how a call ended, and show what they don’t know as it is', () => {
    expect(endingWords({ endClass: 'caller', endReason: 'abandoned-waiting' })).toBe('市民放弃 · 排队中放弃');
    expect(endingWords({ endClass: 'unknown', endReason: 'some-new-word' })).toBe('原因不明 · some-new-word');
    expect(endingWords({ endClass: null, endReason: null })).toBe('—');
  });
});
