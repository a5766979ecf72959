import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MediaEngine, MediaLeg, MediaLegHandlers } from '../../src/switch/embedded/media/api.ts';
import { createMediaEngine } from '../../src/switch/embedded/media/engine.ts';
import { parseWav } from '../../src/switch/embedded/media/wav-reader.ts';
import { EVENT_TYPE, RtpPhone } from '../support/rtp-phone.ts';
import { power, sine, toneAt, wavFile } from '../support/tones.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };
const deaf: MediaLegHandlers = { onDigit: () => {}, onRtpTimeout: () => {} };
const SPAN = 1600;

let engine: MediaEngine;
let folder: string;
const phones: RtpPhone[] = [];

const until = (condition: () => boolean, what: string): Promise<void> =>
  vi.waitFor(() => expect(condition(), what).toBe(true), { timeout: 8000, interval: 10 });

function newEngine(over: { rtpTimeoutMs?: number; rtpPortMin?: number; rtpPortMax?: number } = {}): MediaEngine {
  const rtpPortMin = 20_000 + 2 * Math.floor(Math.random() * 5900);
  return createMediaEngine({
    bindAddress: '127.0.0.1',
    rtpPortMin,
    rtpPortMax: rtpPortMin + 200,
    rtpTimeoutMs: 0,
    log: quiet,
    ...over,
  });
}

async function connect(
  law: 'PCMA' | 'PCMU' = 'PCMA',
  handlers = deaf,
): Promise<{ readonly phone: RtpPhone; readonly leg: MediaLeg }> {
  const phone = await RtpPhone.open(law);
  phones.push(phone);
  const leg = await engine.createLeg(handlers);
  leg.setRemote(phone.remote());
  phone.aim(leg.localPort);
  return { phone, leg };
}

function bridge(a: MediaLeg, b: MediaLeg): void {
  a.route({ kind: 'bridge', other: b });
  b.route({ kind: 'bridge', other: a });
}

const hears = (phone: RtpPhone, hz: number): boolean => {
  const samples = phone.lastSamples(SPAN);
  return samples.length === SPAN && toneAt(samples, hz) > 0.9;
};

async function channelsOf(path: string): Promise<readonly [Int16Array, Int16Array]> {
  const file = await readFile(path);
  const format = parseWav(file);
  if (!format.ok || format.value.channels !== 2) throw new Error('a stereo WAV file was expected');
  const { frames, dataOffset } = format.value;
  const channel = (side: number): Int16Array =>
    Int16Array.from({ length: frames }, (_, n) => file.readInt16LE(dataOffset + n * 4 + side * 2));
  return [channel(0), channel(1)];
}

beforeEach(async () => {
  engine = newEngine();
  folder = await mkdtemp(join(tmpdir(), 'media-'));
});

afterEach(async () => {
  await engine.close();
  await Promise.all(phones.splice(0).map((phone) => phone.close()));
  await rm(folder, { recursive: true, force: true });
});

describe('a bridge', () => {
  it.each([
    ['PCMA', 'PCMA'],
    ['PCMA', 'PCMU'],
  ] as const)('carries speech both ways, %s to %s', async (one, other) => {
    const a = await connect(one);
    const b = await connect(other);
    bridge(a.leg, b.leg);
    a.phone.speak(500);
    b.phone.speak(1100);
    await until(() => hears(a.phone, 1100) && hears(b.phone, 500), 'each hears the other');
    const packets = b.phone.heard;
    expect(packets[0]?.marker).toBe(true);
    expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(packets.every(({ payloadType }) => payloadType === b.phone.payloadType)).toBe(true);
  });

  it('keeps one stream with rising numbers when the leg changes from music to one peer and to another', async () => {
    const a = await connect();
    const b = await connect();
    const c = await connect();
    a.leg.play({ sources: ['tone_stream://%(1000,0,300);loops=-1'], loops: 1, onEnded: () => {} });
    await until(() => hears(a.phone, 300), 'the tone is heard');
    a.leg.stopPlaying();
    b.phone.speak(700);
    c.phone.speak(900);
    bridge(a.leg, b.leg);
    await until(() => hears(a.phone, 700), 'b is heard');
    bridge(a.leg, c.leg);
    await until(() => hears(a.phone, 900), 'c is heard');
    const { heard } = a.phone;
    expect(new Set(heard.map(({ ssrc }) => ssrc)).size).toBe(1);
    for (let n = 1; n < heard.length; n += 1) {
      expect(((heard[n]?.sequence ?? 0) - (heard[n - 1]?.sequence ?? 0)) & 0xffff).toBe(1);
      expect(((heard[n]?.timestamp ?? 0) - (heard[n - 1]?.timestamp ?? 0)) | 0).toBeGreaterThan(0);
    }
    expect(heard.filter(({ marker }) => marker).length).toBeGreaterThanOrEqual(3);
  });

  it('relays a key with the payload type of the far side and tells it once', async () => {
    const digits: string[] = [];
    const a = await connect('PCMA', { onDigit: (digit) => digits.push(digit), onRtpTimeout: () => {} });
    const b = await connect();
    b.leg.setRemote(b.phone.remote({ telephoneEventType: 96 }));
    bridge(a.leg, b.leg);
    a.phone.sendKey(5);
    await until(() => b.phone.heard.filter(({ payloadType }) => payloadType === 96).length === 8, 'all packets');
    expect(digits).toEqual(['5']);
    expect(b.phone.heard.every(({ payload }) => payload[0] === 5)).toBe(true);
  });

  it('plays hold music to the other while one is held, and sends the held one nothing', async () => {
    const music = join(folder, 'moh.wav');
    await writeFile(music, wavFile([sine(400, 8000)]));
    engine.setHoldMusic(music);
    const a = await connect();
    const b = await connect();
    bridge(a.leg, b.leg);
    a.phone.speak(500);
    b.phone.speak(1100);
    await until(() => hears(a.phone, 1100) && hears(b.phone, 500), 'they talk');
    a.leg.setHeld(true);
    const before = a.leg.stats().packetsSent;
    await until(() => hears(b.phone, 400), 'b hears the music');
    expect(a.leg.stats().packetsSent).toBe(before);
    a.leg.setHeld(false);
    await until(() => hears(a.phone, 1100) && hears(b.phone, 500), 'they talk again');
  });

  it('goes by where packets come from, and listens to nobody else then', async () => {
    const a = await connect();
    const b = await connect();
    // The description names a port where nobody is, as behind a NAT.
    a.leg.setRemote(a.phone.remote({ port: 9 }));
    bridge(a.leg, b.leg);
    b.phone.speak(1100);
    a.phone.speak(500);
    await until(() => hears(a.phone, 1100), 'a is found');
    const stranger = await RtpPhone.open();
    phones.push(stranger);
    stranger.aim(a.leg.localPort);
    const received = b.phone.heard.length;
    stranger.speak(2000);
    await until(() => b.phone.heard.length > received + 20, 'time goes on');
    expect(toneAt(b.phone.lastSamples(SPAN), 2000)).toBeLessThan(0.01);
    expect(stranger.heard).toEqual([]);
  });

  it('is not hurt by garbage', async () => {
    const a = await connect();
    const b = await connect();
    bridge(a.leg, b.leg);
    for (let n = 0; n < 300; n += 1) {
      a.phone.sendRaw(Buffer.from(Array.from({ length: n % 60 }, () => Math.floor(Math.random() * 256))));
    }
    a.phone.speak(500);
    await until(() => hears(b.phone, 500), 'speech comes through');
  });
});

describe('a conference', () => {
  it.each([3, 5])('lets each of %i hear exactly the others', async (count) => {
    const tones = [400, 700, 1000, 1300, 1700].slice(0, count);
    const members = await Promise.all(tones.map((_, at) => connect(at % 2 === 0 ? 'PCMA' : 'PCMU')));
    const conference = engine.conference('council');
    for (const [at, { phone, leg }] of members.entries()) {
      leg.route({ kind: 'conference', conference });
      phone.speak(tones[at] ?? 0, 4000);
    }
    expect(conference.size).toBe(count);
    const share = 1 / (count - 1);
    await until(
      () =>
        members.every(({ phone }, at) =>
          tones.every((hz, other) => {
            const heard = toneAt(phone.lastSamples(SPAN), hz);
            return other === at ? heard < 0.02 : heard > share * 0.7;
          }),
        ),
      'each hears all the others',
    );
    members[0]?.leg.route({ kind: 'silent' });
    expect(conference.size).toBe(count - 1);
    await until(() => toneAt(members[1]?.phone.lastSamples(SPAN) ?? new Int16Array(), 400) < 0.02, 'one has gone');
  });
});

describe('a recording', () => {
  it('has what the leg says on the left, what it hears on the right, and lasts as long as the call', async () => {
    const path = join(folder, 'deep', 'call.wav');
    const a = await connect('PCMA');
    const b = await connect('PCMU');
    bridge(a.leg, b.leg);
    a.phone.speak(500);
    b.phone.speak(1100);
    await until(() => hears(a.phone, 1100) && hears(b.phone, 500), 'they talk');
    const ended = vi.fn();
    const startedMs = performance.now();
    a.leg.startRecording({ path, stereo: true, maxDurationMs: 0, onEnded: ended });
    const from = b.phone.heard.length;
    await until(() => b.phone.heard.length > from + 120, 'some seconds pass');
    const wallMs = performance.now() - startedMs;
    expect(a.leg.stopRecording(path)).toBe(true);
    await until(() => ended.mock.calls.length === 1, 'the file is complete');
    expect(ended.mock.calls[0]?.[0]).toMatchObject({ reason: 'stopped' });
    const [left, right] = await channelsOf(path);
    expect(Math.abs(left.length / 8 - wallMs)).toBeLessThan(100);
    expect(toneAt(left.subarray(SPAN, -SPAN), 500)).toBeGreaterThan(0.95);
    expect(toneAt(right.subarray(SPAN, -SPAN), 1100)).toBeGreaterThan(0.95);
  });

  it('bears 5 % loss and 40 ms of jitter', async () => {
    const path = join(folder, 'rough.wav');
    const a = await connect();
    const b = await connect();
    bridge(a.leg, b.leg);
    a.phone.network = { loseEvery: 20, jitterMs: 40 };
    const ended = vi.fn();
    a.phone.speak(500);
    await until(() => b.phone.heard.length > 5, 'speech flows');
    a.leg.startRecording({ path, stereo: true, maxDurationMs: 0, onEnded: ended });
    await until(() => b.phone.heard.length > 125, 'some seconds pass');
    a.leg.stopRecording(path);
    await until(() => ended.mock.calls.length === 1, 'the file is complete');
    const [left] = await channelsOf(path);
    // Lost packets are silence in their place; all the others stand where they belong, in phase.
    expect(toneAt(left.subarray(SPAN, -SPAN), 500)).toBeGreaterThan(0.85);
    expect(a.leg.stats().packetsLost).toBeGreaterThan(3);
  });

  it('is silent while masked and goes on in time', async () => {
    const path = join(folder, 'masked.wav');
    const a = await connect();
    const ended = vi.fn();
    a.phone.speak(500);
    await until(() => a.leg.stats().packetsReceived > 3, 'speech flows');
    const startedMs = performance.now();
    const position = (): number => Math.round((performance.now() - startedMs) * 8);
    a.leg.startRecording({ path, stereo: true, maxDurationMs: 0, onEnded: ended });
    const start = a.leg.stats().packetsReceived;
    await until(() => a.leg.stats().packetsReceived > start + 30, 'open');
    const maskedAt = position();
    expect(a.leg.maskRecording(path, true)).toBe(true);
    await until(() => a.leg.stats().packetsReceived > start + 60, 'masked');
    const unmaskedAt = position();
    a.leg.maskRecording(path, false);
    await until(() => a.leg.stats().packetsReceived > start + 90, 'open again');
    a.leg.stopRecording(path);
    await until(() => ended.mock.calls.length === 1, 'the file is complete');
    const [left] = await channelsOf(path);
    expect(toneAt(left.subarray(800, maskedAt - 800), 500)).toBeGreaterThan(0.95);
    expect(power(left.subarray(maskedAt + 80, unmaskedAt - 80))).toBe(0);
    expect(toneAt(left.subarray(unmaskedAt + 800, -800), 500)).toBeGreaterThan(0.95);
  });

  it('tells failed when the file cannot be written, and the call goes on', async () => {
    const a = await connect();
    const b = await connect();
    bridge(a.leg, b.leg);
    await writeFile(join(folder, 'plain'), '');
    const ended = vi.fn();
    const path = join(folder, 'plain', 'no-folder.wav');
    a.leg.startRecording({ path, stereo: true, maxDurationMs: 0, onEnded: ended });
    a.phone.speak(500);
    await until(() => hears(b.phone, 500), 'speech goes on');
    await until(() => ended.mock.calls.length === 1, 'the failure is told');
    expect(ended.mock.calls[0]?.[0]).toMatchObject({ reason: 'failed' });
    expect(a.leg.stopRecording(path)).toBe(false);
  });

  it('is readable while it is still being written, as after a crash', async () => {
    const path = join(folder, 'growing.wav');
    const a = await connect();
    a.phone.speak(500);
    a.leg.startRecording({ path, stereo: true, maxDurationMs: 0, onEnded: () => {} });
    await vi.waitFor(
      async () => {
        const [left] = await channelsOf(path);
        expect(left.length).toBeGreaterThan(4000);
        expect(toneAt(left.subarray(SPAN), 500)).toBeGreaterThan(0.9);
      },
      { timeout: 8000, interval: 100 },
    );
  });

  it('ends by itself at its limit, and with the leg', async () => {
    const a = await connect();
    const limited = vi.fn();
    const open = vi.fn();
    a.leg.startRecording({ path: join(folder, 'a.wav'), stereo: false, maxDurationMs: 200, onEnded: limited });
    a.leg.startRecording({ path: join(folder, 'b.wav'), stereo: false, maxDurationMs: 0, onEnded: open });
    await until(() => limited.mock.calls.length === 1, 'the limit is reached');
    a.leg.close();
    await until(() => open.mock.calls.length === 1, 'the end of the leg is told');
    expect(limited.mock.calls[0]?.[0]).toMatchObject({ reason: 'limit' });
    expect(open.mock.calls[0]?.[0]).toMatchObject({ reason: 'stopped' });
  });
});

describe('playback', () => {
  it('plays a sequence to its end, in order', async () => {
    await writeFile(join(folder, 'one.wav'), wavFile([sine(500, 3200)]));
    await writeFile(join(folder, 'two.wav'), wavFile([sine(900, 3200), sine(900, 3200)]));
    const a = await connect();
    const ended = vi.fn();
    const sources = [join(folder, 'one.wav'), 'silence_stream://200', join(folder, 'two.wav')];
    a.leg.play({ sources, loops: 1, onEnded: ended });
    await until(() => ended.mock.calls.length === 1, 'it ends');
    expect(ended.mock.calls[0]?.[0]).toEqual({ reason: 'done' });
    await until(() => a.phone.heard.length === 50, 'a second has been heard');
    const all = a.phone.lastSamples(8000);
    expect(toneAt(all.subarray(0, 3200), 500)).toBeGreaterThan(0.95);
    expect(power(all.subarray(3200, 4800))).toBeLessThan(100);
    expect(toneAt(all.subarray(4800), 900)).toBeGreaterThan(0.95);
  });

  it('stops when asked, and a new one stops the old one first', async () => {
    const a = await connect();
    const order: string[] = [];
    const tone = (name: string, hz: number): void =>
      a.leg.play({
        sources: [`tone_stream://%(500,0,${hz});loops=-1`],
        loops: Number.POSITIVE_INFINITY,
        onEnded: ({ reason }) => order.push(`${name} ${reason}`),
      });
    tone('first', 500);
    await until(() => hears(a.phone, 500), 'the first is heard');
    tone('second', 900);
    expect(order).toEqual([]);
    await until(() => hears(a.phone, 900), 'the second is heard');
    a.leg.stopPlaying();
    await until(() => order.length === 2, 'both have ended');
    expect(order).toEqual(['first stopped', 'second stopped']);
  });

  it('names the source that is missing after playing what came before', async () => {
    await writeFile(join(folder, 'one.wav'), wavFile([sine(500, 1600)]));
    await writeFile(join(folder, 'bad.wav'), 'RIFF and nothing else');
    const a = await connect();
    const ended = vi.fn();
    const bad = join(folder, 'bad.wav');
    a.leg.play({ sources: [join(folder, 'one.wav'), bad], loops: 1, onEnded: ended });
    await until(() => ended.mock.calls.length === 1, 'it ends');
    expect(ended.mock.calls[0]?.[0]).toEqual({ reason: 'missing', missing: bad });
    await until(() => a.phone.heard.length >= 10, 'the first was played');
  });
});

describe('a leg', () => {
  it('presses a key with two tones where the far side knows no telephone events', async () => {
    const a = await connect();
    a.leg.setRemote(a.phone.remote({ telephoneEventType: undefined }));
    a.leg.sendDigit('9', 200);
    await until(() => a.phone.heard.length >= 10, 'the tones have come');
    const tones = a.phone.lastSamples(SPAN);
    expect(toneAt(tones, 852)).toBeGreaterThan(0.4);
    expect(toneAt(tones, 1477)).toBeGreaterThan(0.4);
  });

  it('sends a key as a telephone event with three end packets', async () => {
    const a = await connect();
    a.leg.sendDigit('#', 100);
    await until(() => a.phone.heard.length === 7, 'all packets have come');
    const events = a.phone.heard;
    expect(events.every(({ payloadType, payload }) => payloadType === EVENT_TYPE && payload[0] === 11)).toBe(true);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(events.map(({ payload }) => payload.readUInt16BE(2))).toEqual([160, 320, 480, 640, 800, 800, 800]);
    expect(events.map(({ payload }) => (payload[1] ?? 0) >> 7)).toEqual([0, 0, 0, 0, 1, 1, 1]);
    expect(events.map(({ marker }) => marker)).toEqual([true, false, false, false, false, false, false]);
  });

  it('tells once when the far side has fallen silent', async () => {
    await engine.close();
    engine = newEngine({ rtpTimeoutMs: 150 });
    const onRtpTimeout = vi.fn();
    const a = await connect('PCMA', { onDigit: () => {}, onRtpTimeout });
    a.phone.speak(500);
    await until(() => a.leg.stats().packetsReceived > 20, 'it speaks');
    expect(onRtpTimeout).not.toHaveBeenCalled();
    a.phone.hush();
    await until(() => onRtpTimeout.mock.calls.length === 1, 'the silence is told');
  });

  it('is refused when the ports are used up, closed ones resting', async () => {
    await engine.close();
    const first = 20_000 + 2 * Math.floor(Math.random() * 5900);
    engine = newEngine({ rtpPortMin: first, rtpPortMax: first + 3 });
    const one = await engine.createLeg(deaf);
    await engine.createLeg(deaf);
    expect(one.localPort % 2).toBe(0);
    await expect(engine.createLeg(deaf)).rejects.toThrow('No RTP port is free');
    one.close();
    await expect(engine.createLeg(deaf)).rejects.toThrow('No RTP port is free');
  });
});
