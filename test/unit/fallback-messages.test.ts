import { describe, expect, it } from 'vitest';
import { readFallbackName } from '../../src/services/calls/fallback-messages.ts';

const uuid = '0023069b-ec44-4ef2-8de6-245d60f07018';

describe('the names of messages that the dialplan recorded', () => {
  it('tell when, who and which number', () => {
    expect(readFallbackName('/r/fallback', `1795305154_013800001234_12345_${uuid}.wav`)).toEqual({
      callerNumber: '13800001234',
      dialledNumber: '12345',
      leg: uuid,
      recordingPath: `/r/fallback/1795305154_013800001234_12345_${uuid}.wav`,
      atMs: 1795305154000,
    });
    expect(readFallbackName('/r', `1795305154_anonymous_12345_${uuid}.wav`)?.callerNumber).toBe('');
  });

  it.each(['x.wav', `1795305154_1_12345_${uuid}.wav.new`, `1795305154_../../etc_12345_${uuid}.wav`, '.hidden'])(
    'are not taken from %s',
    (name) => {
      expect(readFallbackName('/r', name)).toBeUndefined();
    },
  );
});
