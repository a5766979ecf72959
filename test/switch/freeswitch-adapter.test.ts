/** The adapter of src/switch/freeswitch on a real switch: the embedded one, or FreeSWITCH where that is under test. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { randomIds } from '../../src/kernel/ids.ts';
import { createFreeSwitch } from '../../src/switch/freeswitch/adapter.ts';
import { displayName } from '../../src/switch/freeswitch/originate.ts';
import type {
  LinkEvent,
  OriginateRequest,
  RegistrationEvent,
  Sound,
  SwitchEvent,
  TelephoneSwitch,
} from '../../src/switch/port.ts';
import { Bench } from '../support/bench.ts';
import { RecordedLog } from '../support/recorded-log.ts';
import { Watch } from '../support/watch.ts';

type Heard = SwitchEvent | RegistrationEvent | LinkEvent;
const done = { ok: true, value: undefined };
const silence = (durationMs: number): Sound => ({ kind: 'silence', durationMs });

/** A control of its own: an adapter and all that it told. */
class Control {
  readonly freeSwitch: TelephoneSwitch;
  readonly heard: Heard[] = [];
  readonly #watch = new Watch('control');

  constructor(bench: Bench) {
    this.freeSwitch = createFreeSwitch({
      ...bench.sut.esl,
      domain: bench.sut.domain,
      recordingsFolder: bench.sut.recordingsFolder,
      commandDeadlineMs: 3000,
      wayOutAfterS: 90,
      log: new RecordedLog(),
      clock: systemClock,
      ids: randomIds,
    });
    const hear = (event: Heard): void => {
      this.heard.push(event);
      this.#watch.note(JSON.stringify(event));
    };
    this.freeSwitch.start({ onLeg: hear, onRegistration: hear, onLink: hear });
  }

  /** The first event of a type that has these fields, among those told since `from`. */
  async until<T extends Heard['type']>(type: T, fields: object = {}, from = 0): Promise<Extract<Heard, { type: T }>> {
    const fits = (event: Heard): event is Extract<Heard, { type: T }> =>
      event.type === type && Object.entries(fields).every(([name, value]) => Reflect.get(event, name) === value);
    return this.#watch.until(`${type} ${JSON.stringify(fields)}`, 8000, () => this.heard.slice(from).find(fits));
  }

  count(type: Heard['type'], fields: object = {}): number {
    const entries = Object.entries(fields);
    return this.heard.filter(
      (event) => event.type === type && entries.every(([name, value]) => Reflect.get(event, name) === value),
    ).length;
  }

  play(leg: string, playId: string, sounds: Sound[], forever = false) {
    return this.freeSwitch.play({ leg, playId, sounds, forever });
  }
}

describe('the FreeSWITCH adapter on a real switch', () => {
  let bench: Bench;
  const controls: Control[] = [];

  beforeAll(async () => {
    bench = await Bench.open();
  });
  afterEach(async () => {
    for (const control of controls.splice(0)) await control.freeSwitch.close();
    await bench.settle();
  });
  afterAll(() => bench.close());

  async function control(): Promise<Control> {
    const made = new Control(bench);
    controls.push(made);
    await made.until('linkUp');
    return made;
  }

  /** A citizen whom control has answered. */
  async function citizen(desk: Control) {
    const rung = await bench.rings();
    await desk.until('legParked', { leg: rung.leg });
    expect(await desk.freeSwitch.claim(rung.leg, 'citizen')).toEqual(done);
    expect(await desk.freeSwitch.answer(rung.leg)).toEqual(done);
    await desk.until('legAnswered', { leg: rung.leg });
    return rung;
  }

  function request(change: Partial<OriginateRequest> = {}): OriginateRequest {
    return {
      leg: randomUUID(),
      target: { kind: 'phone', user: '1001' },
      role: 'agent',
      callId: randomUUID(),
      callerNumber: '13800001111',
      callerName: '张三',
      ringTimeoutMs: 5000,
      ...change,
    };
  }

  it('tells a citizen who waits, and plays, repeats, replaces and stops what he hears', async () => {
    const desk = await control();
    const { leg } = await citizen(desk);
    expect(await desk.until('legParked', { leg })).toMatchObject({
      direction: 'inbound',
      role: 'citizen',
      answered: false,
      callerNumber: '13800000001',
      dialledNumber: '12345',
      sourceAddress: '127.0.0.1',
    });
    expect(await desk.play(leg, 'once', [silence(200)])).toEqual(done);
    expect(await desk.until('playEnded', { leg, playId: 'once' })).toMatchObject({ failed: false });
    expect(await desk.play(leg, 'missing', [{ kind: 'file', path: '/nowhere/x.wav' }])).toEqual(done);
    expect(await desk.until('playEnded', { playId: 'missing' })).toMatchObject({ failed: true });
    // Two rounds of a repeated sound are no end of it; a ringback that replaces it is.
    expect(await desk.play(leg, 'repeated', [silence(300), silence(300)], true)).toEqual(done);
    const rounds = { 'Unique-ID': leg, 'Application-UUID': 'repeated' };
    await bench.esl.event('CHANNEL_EXECUTE_COMPLETE', rounds, { nth: 2 });
    expect(desk.count('playEnded', { playId: 'repeated' })).toBe(0);
    expect(await desk.play(leg, 'ringback', [{ kind: 'ringback' }])).toEqual(done);
    expect(desk.count('playEnded', { playId: 'repeated' })).toBe(1);
    expect(await desk.freeSwitch.stopPlaying(leg)).toEqual(done);
    expect(await desk.until('playEnded', { playId: 'ringback' })).toMatchObject({ failed: false });
    expect(await desk.freeSwitch.stopPlaying(leg)).toEqual(done);
    expect(await desk.freeSwitch.hangup(leg, 'NORMAL_CLEARING')).toEqual(done);
    expect(await desk.until('legEnded', { leg })).toMatchObject({ cause: 'NORMAL_CLEARING', endedBy: 'switch' });
    expect(await desk.freeSwitch.hangup(leg, 'NORMAL_CLEARING')).toMatchObject({ error: { kind: 'gone' } });
    expect(await desk.play(leg, 'late', [silence(200)])).toMatchObject({ error: { kind: 'gone' } });
  });

  it('rings a phone with a difficult name, bridges, records, parks, and confers', async () => {
    const desk = await control();
    const { leg } = await citizen(desk);
    const phone = await bench.agent('1001');
    await desk.until('registered', { user: '1001' });
    const asked = request({ callerName: '张"三", 100% {x} a=b', sipHeaders: { 'X-Yht-Call': 'a, b "c" 100%41 中文' } });
    const invited = phone.nextInvite();
    expect(await desk.freeSwitch.originate(asked)).toEqual(done);
    const call = await invited;
    expect([call.callerName, call.callerNumber]).toEqual([displayName(asked.callerName), '13800001111']);
    expect(call.header('X-Yht-Call')).toBe('a, b "c" 100%41 中文');
    call.ring();
    await desk.until('legRinging', { leg: asked.leg });
    call.answer();
    expect(await desk.until('legParked', { leg: asked.leg })).toMatchObject({
      direction: 'outbound',
      role: 'agent',
      callId: asked.callId,
      answered: true,
    });
    await desk.play(leg, 'music', [silence(700)], true);
    expect(await desk.freeSwitch.bridge(leg, asked.leg)).toEqual(done);
    const bridged = await desk.until('legBridged');
    expect([bridged.leg, bridged.other].sort()).toEqual([leg, asked.leg].sort());
    expect(await desk.until('playEnded', { playId: 'music' })).toMatchObject({ failed: false });

    const path = join(bench.sut.recordingsFolder, `${leg}.wav`);
    expect(await desk.freeSwitch.startRecording(leg, path)).toEqual(done);
    await desk.until('recordingStarted', { leg, path });
    expect(await desk.freeSwitch.pauseRecording(leg, path)).toEqual(done);
    expect(await desk.freeSwitch.resumeRecording(leg, path)).toEqual(done);
    expect(await desk.freeSwitch.stopRecording(leg, path)).toEqual(done);
    await desk.until('recordingStopped', { leg, path });

    const before = desk.heard.length;
    expect(await desk.freeSwitch.park(leg, true)).toEqual(done);
    await desk.until('legParked', { leg }, before);
    await desk.until('legParked', { leg: asked.leg }, before);
    for (const each of [leg, asked.leg]) {
      expect(await desk.freeSwitch.claim(each, each === leg ? 'citizen' : 'agent')).toEqual(done);
      expect(await desk.freeSwitch.joinConference(each, 'c-1', false)).toEqual(done);
      await desk.until('conferenceJoined', { leg: each, conference: 'c-1' });
    }
    const second = await control();
    const { snapshot } = await second.until('linkUp');
    expect(snapshot.legs.map(({ conference, parked }) => [conference, parked])).toEqual([
      ['c-1', false],
      ['c-1', false],
    ]);
    expect(snapshot.registrations.map(({ user }) => user)).toContain('1001');
    await call.giveUp();
    expect(await desk.until('legEnded', { leg: asked.leg })).toMatchObject({ endedBy: 'phone' });
    await desk.until('conferenceLeft', { leg: asked.leg });
  });

  it('tells the end of a phone that is busy, and of one that is not there, once', async () => {
    const desk = await control();
    const phone = await bench.agent('1002');
    const busy = request({ target: { kind: 'phone', user: '1002' } });
    const invited = phone.nextInvite();
    expect(await desk.freeSwitch.originate(busy)).toEqual(done);
    (await invited).reject(486);
    expect(await desk.until('legEnded', { leg: busy.leg })).toMatchObject({ cause: 'USER_BUSY', sipStatus: 486 });
    const absent = request({ target: { kind: 'phone', user: '1003' } });
    expect(await desk.freeSwitch.originate(absent)).toEqual(done);
    expect(await desk.until('legEnded', { leg: absent.leg })).toMatchObject({ cause: 'USER_NOT_REGISTERED' });
    // A later job has ended as well, so no second end of the first two is on its way.
    const last = request({ target: { kind: 'phone', user: '1004' } });
    await desk.freeSwitch.originate(last);
    await desk.until('legEnded', { leg: last.leg });
    expect([busy, absent].map(({ leg }) => desk.count('legEnded', { leg }))).toEqual([1, 1]);
  });

  it('takes over what an earlier control left: legs as they are, and a playback that it did not begin', async () => {
    const first = await control();
    const { leg } = await citizen(first);
    await first.play(leg, 'left playing', [silence(20_000)], true);
    await first.freeSwitch.close();
    const second = await control();
    const { snapshot } = await second.until('linkUp');
    expect(snapshot.legs).toMatchObject([
      { leg, role: 'citizen', answered: true, parked: true, bridgedTo: undefined, dialledNumber: '12345' },
    ]);
    expect(await second.play(leg, 'new', [silence(200)])).toEqual(done);
    expect(await second.until('playEnded', { leg, playId: 'new' })).toMatchObject({ failed: false });
    expect(second.count('playEnded')).toBe(1);
  });
});
