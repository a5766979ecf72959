import { describe, expect, it } from 'vitest';
import type { EslEvent } from '../../src/switch/esl/event.ts';
import { readPlainEvent } from '../../src/switch/esl/event.ts';
import { encodePlainEvent } from '../../src/switch/esl/wire.ts';
import { readReply } from '../../src/switch/freeswitch/replies.ts';
import { takeSnapshot } from '../../src/switch/freeswitch/snapshot.ts';
import { playbackArgument, switchPath } from '../../src/switch/freeswitch/sounds.ts';
import { translateEvent } from '../../src/switch/freeswitch/translate-event.ts';

/** An event as it comes off the wire. */
function event(name: string, headers: Record<string, string> = {}): EslEvent {
  const bytes = encodePlainEvent(
    Object.entries({
      'Event-Name': name,
      'Event-Date-Timestamp': '1795304509343559',
      'Unique-ID': 'leg-1',
      'Call-Direction': 'inbound',
      ...headers,
    }),
  );
  const read = readPlainEvent(bytes.subarray(bytes.indexOf('\n\n') + 2));
  if (read === undefined) throw new Error('no event');
  return read;
}

const base = { leg: 'leg-1', atMs: 1_795_304_509_343 };

describe('events of the switch', () => {
  it('say who waits', () => {
    const headers = {
      'Answer-State': 'ringing',
      variable_yht_role: 'citizen',
      variable_yht_dialled: '12345',
      'Caller-Destination-Number': 'parked',
      'Caller-Caller-ID-Number': '13800001111',
      'Caller-Caller-ID-Name': '张三 100%',
      variable_sip_network_ip: '192.0.2.7',
    };
    expect(translateEvent(event('CHANNEL_PARK', headers))).toEqual({
      ...base,
      type: 'legParked',
      direction: 'inbound',
      role: 'citizen',
      callId: undefined,
      answered: false,
      callerNumber: '13800001111',
      callerName: '张三 100%',
      dialledNumber: '12345',
      sourceAddress: '192.0.2.7',
    });
  });

  it('say of a leg that we rang what we gave it, not what FreeSWITCH turned round', () => {
    const headers = {
      'Call-Direction': 'outbound',
      'Answer-State': 'answered',
      variable_yht_role: 'agent',
      variable_yht_call: 'call-1',
      'Caller-Caller-ID-Number': '1001',
      variable_origination_caller_id_number: '13800001111',
      variable_origination_caller_id_name: '张三',
    };
    expect(translateEvent(event('CHANNEL_PARK', headers))).toMatchObject({
      role: 'agent',
      callId: 'call-1',
      answered: true,
      callerNumber: '13800001111',
      callerName: '张三',
    });
  });

  it.each([
    ['CHANNEL_PROGRESS', { 'Call-Direction': 'outbound' }, { type: 'legRinging' }],
    ['CHANNEL_PROGRESS_MEDIA', { 'Call-Direction': 'outbound' }, { type: 'legRinging' }],
    ['CHANNEL_PROGRESS', {}, undefined],
    ['CHANNEL_ANSWER', {}, { type: 'legAnswered' }],
    ['CHANNEL_BRIDGE', { 'Bridge-A-Unique-ID': 'leg-1', 'Bridge-B-Unique-ID': 'leg-2' }, { other: 'leg-2' }],
    ['CHANNEL_BRIDGE', { 'Bridge-A-Unique-ID': 'leg-2', 'Bridge-B-Unique-ID': 'leg-1' }, { other: 'leg-2' }],
    ['CHANNEL_UNBRIDGE', {}, { type: 'legUnbridged' }],
    ['CHANNEL_HOLD', {}, { type: 'phoneHeld' }],
    ['CHANNEL_UNHOLD', {}, { type: 'phoneResumed' }],
    ['DTMF', { 'DTMF-Digit': '#' }, { type: 'digit', digit: '#' }],
    ['RECORD_START', { 'Record-File-Path': '/r/a.wav' }, { type: 'recordingStarted', path: '/r/a.wav' }],
    ['RECORD_STOP', { 'Record-File-Path': '/r/a.wav' }, { type: 'recordingStopped', path: '/r/a.wav', failed: false }],
    [
      'RECORD_STOP',
      { 'Record-File-Path': '/r/a.wav', 'Record-Completion-Cause': 'uri-failure' },
      { type: 'recordingStopped', path: '/r/a.wav', failed: true },
    ],
    ['CHANNEL_CREATE', {}, undefined],
    ['HEARTBEAT', {}, undefined],
  ] as const)('%s %j', (name, headers, expected) => {
    const said = translateEvent(event(name, headers));
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatchObject({ ...base, ...expected });
  });

  it.each([
    ['FILE PLAYED', {}, false],
    ['FILE NOT FOUND', {}, true],
    ['PLAYBACK ERROR', { 'Channel-State-Number': '4' }, true],
    ['PLAYBACK ERROR', { 'Channel-State-Number': '3' }, false],
    ['PLAYBACK ERROR', {}, false],
    ['PLAYBACK ERROR', { 'Hangup-Cause': 'NORMAL_CLEARING' }, false],
  ] as const)('a playback that ended with %s %j', (response, headers, failed) => {
    const complete = { Application: 'playback', 'Application-UUID': 'p1', 'Application-Response': response };
    expect(translateEvent(event('CHANNEL_EXECUTE_COMPLETE', { ...complete, ...headers }))).toEqual({
      ...base,
      type: 'playEnded',
      playId: 'p1',
      failed,
    });
    expect(translateEvent(event('CHANNEL_EXECUTE_COMPLETE', { ...complete, Application: 'park' }))).toBeUndefined();
  });

  it.each([
    [{ variable_sip_hangup_disposition: 'recv_bye', variable_sip_term_status: '200' }, 'phone', 200],
    [{ variable_sip_hangup_disposition: 'recv_refuse', variable_sip_invite_failure_status: '486' }, 'phone', 486],
    [{ variable_sip_hangup_disposition: 'send_bye' }, 'switch', undefined],
    [{ variable_sip_hangup_disposition: 'send_cancel' }, 'switch', undefined],
    [{}, 'unknown', undefined],
  ] as const)('the end of a leg %j', (headers, endedBy, sipStatus) => {
    const ended = { 'Hangup-Cause': 'USER_BUSY', variable_hangup_cause_q850: '17', ...headers };
    expect(translateEvent(event('CHANNEL_HANGUP_COMPLETE', ended))).toEqual({
      ...base,
      type: 'legEnded',
      cause: 'USER_BUSY',
      q850: 17,
      sipStatus,
      endedBy,
    });
  });

  it('tell of conferences and registrations', () => {
    const conference = { 'Event-Subclass': 'conference::maintenance', 'Conference-Name': 'c1', 'Member-ID': '7' };
    expect(translateEvent(event('CUSTOM', { ...conference, Action: 'add-member' }))).toEqual({
      ...base,
      type: 'conferenceJoined',
      conference: 'c1',
      memberId: '7',
    });
    expect(translateEvent(event('CUSTOM', { ...conference, Action: 'del-member' }))).toMatchObject({
      type: 'conferenceLeft',
    });
    expect(translateEvent(event('CUSTOM', { ...conference, Action: 'start-talking' }))).toBeUndefined();
    const contact = '"" <sip:1007@192.0.2.9:5060>';
    expect(
      translateEvent(event('CUSTOM', { 'Event-Subclass': 'sofia::register', 'from-user': '1007', contact })),
    ).toEqual({ type: 'registered', user: '1007', contact: 'sip:1007@192.0.2.9:5060', atMs: base.atMs });
    expect(translateEvent(event('CUSTOM', { 'Event-Subclass': 'sofia::expire', user: '1007' }))).toMatchObject({
      type: 'unregistered',
      user: '1007',
    });
  });

  it('say who showed which password', () => {
    const attempt = (result: string) =>
      translateEvent(
        event('CUSTOM', {
          ...{ 'Event-Subclass': 'sofia::register_attempt', username: '1007' },
          ...{ 'network-ip': '192.0.2.9', 'auth-result': result },
        }),
      );
    const who = { user: '1007', address: '192.0.2.9', atMs: base.atMs };
    expect(attempt('FORBIDDEN')).toEqual({ type: 'passwordShown', right: false, ...who });
    expect(attempt('SUCCESS')).toEqual({ type: 'passwordShown', right: true, ...who });
    expect(attempt('RENEWED')).toEqual({ type: 'passwordShown', right: true, ...who });
    expect(attempt('STALE')).toBeUndefined();
  });
});

describe('sounds', () => {
  const file = (path: string) => ({ kind: 'file', path }) as const;

  it('become what playback understands', () => {
    const said = (...sounds: Parameters<typeof playbackArgument>[0]) => playbackArgument(sounds, undefined);
    expect(said(file('/p/问候.wav'))).toEqual({ ok: true, value: '/p/问候.wav' });
    expect(said({ kind: 'ringback' })).toEqual({ ok: true, value: 'tone_stream://%(1000,4000,450);loops=-1' });
    expect(said(file('/p/a b.wav'), { kind: 'silence', durationMs: 500 }, file('/p/c.wav'))).toEqual({
      ok: true,
      value: 'file_string:///p/a b.wav!silence_stream://500!/p/c.wav',
    });
    expect(playbackArgument([file('a.wav')], '/prompts')).toEqual({ ok: true, value: '/prompts/a.wav' });
  });

  it('are refused when the switch would read something else in them', () => {
    for (const path of [
      '',
      '/a!b',
      '/\u0024{x}',
      "/a'b",
      '/a\nb',
      '/p/../secret.wav',
      '/a@@1',
      '/{x}',
      'relative.wav',
    ]) {
      expect(switchPath(path, undefined), path).toMatchObject({ ok: false, error: { kind: 'bad-argument' } });
    }
    expect(playbackArgument([], undefined)).toMatchObject({ ok: false });
    expect(playbackArgument([{ kind: 'silence', durationMs: 0 }], undefined)).toMatchObject({ ok: false });
  });
});

describe('replies', () => {
  it.each([
    ['+OK', 'ok'],
    ['+OK Deleted: 0', 'ok'],
    ['-ERR No such channel!', 'gone'],
    ['-ERR Cannot locate session!', 'gone'],
    ['-ERR Invalid uuid', 'gone'],
    ['-ERR invalid session id [x]', 'gone'],
    ['-ERROR', 'gone'],
    ['-ERR Cannot stop record session!', 'refused'],
    ['-USAGE: <uuid>', 'refused'],
    ['', 'refused'],
  ])('%j is %s', (text, expected) => {
    const reply = readReply({ ok: true, value: text });
    expect(reply.ok ? 'ok' : reply.error.kind).toBe(expected);
  });
});

describe('the snapshot', () => {
  const dump = (values: Record<string, string>): string =>
    JSON.stringify({
      'Channel-State': 'CS_EXECUTE',
      'Answer-State': 'answered',
      'Call-Direction': 'inbound',
      ...values,
    });

  const noWait = (): Promise<void> => Promise.resolve();

  function take(answers: Record<string, string>) {
    const api = (line: string) =>
      Promise.resolve({ ok: true, value: answers[line] ?? '-ERR No such channel!' } as const);
    return takeSnapshot(api, noWait, () => 1_000_000);
  }

  const lists = {
    'show channels as json': JSON.stringify({
      row_count: 5,
      rows: ['a', 'b', 'c', 'd', 'e'].map((uuid) => ({ uuid })),
    }),
    'show registrations as json':
      '{"row_count":1,"rows":[{"reg_user":"1007","url":"sofia/agents/sip:1007@192.0.2.9"}]}',
  };

  it('tells which legs wait, talk, confer and hear something', async () => {
    const taken = await take({
      ...lists,
      'uuid_dump a json': dump({
        variable_current_application: 'park',
        variable_bridge_uuid: 'left behind',
        variable_yht_role: 'citizen',
        'Caller-Channel-Created-Time': '1795304509343559',
      }),
      'uuid_dump b json': dump({ 'Channel-State': 'CS_EXCHANGE_MEDIA', variable_signal_bond: 'a' }),
      'uuid_dump c json': dump({
        variable_current_application: 'conference',
        variable_current_application_data: 'c1@yihaotong',
      }),
      'uuid_dump d json': dump({ variable_current_application: 'playback', variable_total_loops: '-1' }),
    });
    if (!taken.ok) throw new Error(taken.error.message);
    const { snapshot, playing } = taken.value;
    expect(snapshot.legs.map(({ leg, parked, bridgedTo, conference }) => [leg, parked, bridgedTo, conference])).toEqual(
      [
        ['a', true, undefined, undefined],
        ['b', false, 'a', undefined],
        ['c', false, undefined, 'c1'],
        ['d', true, undefined, undefined],
      ],
    );
    expect(snapshot.legs[0]).toMatchObject({ role: 'citizen', answered: true, createdAtMs: 1_795_304_509_343 });
    expect([...playing]).toEqual([
      ['a', false],
      ['b', false],
      ['c', false],
      ['d', true],
    ]);
    expect(snapshot.registrations).toEqual([{ user: '1007', contact: 'sip:1007@192.0.2.9' }]);
  });

  it('asks again while the list has fewer legs than the switch has sessions', async () => {
    let asked = 0;
    const taken = await takeSnapshot(
      (line) => {
        const answers: Record<string, string> = {
          status: 'UP 0 years\n9 session(s) since startup\n2 session(s) - peak 2, last 5min 2\n1000 session(s) max\n',
          'show registrations as json': '{"row_count":0}',
          'uuid_dump a json': dump({ variable_current_application: 'park' }),
          'uuid_dump b json': dump({ variable_current_application: 'park' }),
        };
        if (line === 'show channels as json') {
          asked += 1;
          // The first time one leg is missing, the second time one that has ended stands in for it.
          const rows = [[{ uuid: 'a' }], [{ uuid: 'a' }, { uuid: 'ended' }], [{ uuid: 'a' }, { uuid: 'b' }]][asked - 1];
          return Promise.resolve({ ok: true, value: JSON.stringify({ rows }) });
        }
        return Promise.resolve({ ok: true, value: answers[line] ?? '-ERR No such channel!' });
      },
      noWait,
      () => 1_000_000,
    );
    expect(asked).toBe(3);
    expect(taken).toMatchObject({ value: { snapshot: { legs: [{ leg: 'a' }, { leg: 'b' }] } } });
  });

  it.each([
    [`UP 0 years, 0 days, 0 hours, 1 minute, 1 second, 277 milliseconds, 45 microseconds\n`, 1_000_000 - 61_277],
    ['UP 1 year, 1 day, 0 hours, 0 minutes, 0 seconds, 0 milliseconds\n', 1_000_000 - 366 * 86_400_000],
    ['-ERR no reply', undefined],
  ])('tells when the switch began, by %j', async (status, startedAtMs) => {
    expect(await take({ ...lists, status })).toMatchObject({ value: { snapshot: { startedAtMs } } });
  });

  it('is empty when rows are absent, and fails as a whole on half an answer', async () => {
    const none = { 'show channels as json': '{"row_count": 0}', 'show registrations as json': '{"row_count": 0}' };
    expect(await take(none)).toMatchObject({ ok: true, value: { snapshot: { legs: [], registrations: [] } } });
    expect(await take({ ...none, 'show registrations as json': '-ERR' })).toMatchObject({ ok: false });
    expect(await take({ ...lists, 'uuid_dump a json': '{"broken' })).toMatchObject({ ok: false });
  });
});
