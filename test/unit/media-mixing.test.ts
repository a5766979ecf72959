import { describe, expect, it } from 'vitest';
import { JitterBuffer } from '../../src/switch/embedded/media/jitter-buffer.ts';
import { addFrame, mixWithout } from '../../src/switch/embedded/media/mixing.ts';
import { RecordingLane } from '../../src/switch/embedded/media/recording-lane.ts';
import { keyTone, renderTone } from '../../src/switch/embedded/media/tones.ts';
import { decodeTables, encodeInto } from '../../src/switch/embedded/rtp/g711.ts';
import { sine, toneAt } from '../support/tones.ts';

describe('mixing', () => {
  it('leaves out the own voice', () => {
    const sum = new Int32Array(2);
    const own = Int16Array.of(1000, -1000);
    addFrame(sum, own);
    addFrame(sum, Int16Array.of(5, 7));
    const out = new Int16Array(2);
    mixWithout(sum, own, out);
    expect([...out]).toEqual([5, 7]);
    mixWithout(sum, undefined, out);
    expect([...out]).toEqual([1005, -993]);
  });

  it('clips instead of wrapping, and only at the end', () => {
    const sum = new Int32Array(2);
    const loud = Int16Array.of(30_000, -30_000);
    for (let n = 0; n < 3; n += 1) addFrame(sum, loud);
    const out = new Int16Array(2);
    mixWithout(sum, loud, out);
    expect([...out]).toEqual([32_767, -32_768]);
    addFrame(sum, Int16Array.of(-30_000, 30_000));
    addFrame(sum, Int16Array.of(-30_000, 30_000));
    mixWithout(sum, undefined, out);
    expect([...out]).toEqual([30_000, -30_000]);
  });
});

describe('the jitter buffer', () => {
  const table = decodeTables.PCMA;
  const source = {};
  const frameOf = (from: number): Uint8Array => {
    const bytes = new Uint8Array(160);
    encodeInto(bytes, 0, sine(500, 160, 8000, from), 'PCMA');
    return bytes;
  };

  /** Plays frame by frame; `arrives` says at which frame the packet n comes. */
  function run(frames: number, arrives: (n: number) => number): Int16Array {
    const buffer = new JitterBuffer();
    const heard = new Int16Array(frames * 160);
    const frame = new Int16Array(160);
    for (let now = 0; now < frames; now += 1) {
      for (let n = Math.max(0, now - 20); n <= now; n += 1) {
        if (arrives(n) === now) buffer.put(source, frameOf(n * 160), 0, 160, (0xffff_f000 + n * 160) >>> 0, table);
      }
      buffer.get(frame);
      heard.set(frame, now * 160);
    }
    return heard;
  }

  it('plays a steady stream without a hole, across the wrap of its timestamps', () => {
    expect(toneAt(run(200, (n) => n).subarray(1600), 500)).toBeGreaterThan(0.99);
  });

  it('grows with jitter and then plays without holes, reordered packets in their place', () => {
    // Every third packet comes three frames late, behind the two after it.
    const heard = run(300, (n) => (n % 3 === 0 ? n + 3 : n));
    expect(toneAt(heard.subarray(8000), 500)).toBeGreaterThan(0.99);
  });

  it('plays silence for what is lost', () => {
    const heard = run(200, (n) => (n % 10 === 0 ? -1 : n));
    expect(toneAt(heard.subarray(8000), 500)).toBeGreaterThan(0.85);
  });

  it('finds back after the sender began anew', () => {
    const buffer = new JitterBuffer();
    const frame = new Int16Array(160);
    const heard: number[] = [];
    for (let n = 0; n < 100; n += 1) {
      const timestamp = n < 50 ? n * 160 : 3_000_000_000 + n * 160;
      buffer.put(source, frameOf(n * 160), 0, 160, timestamp, table);
      buffer.get(frame);
      if (n >= 60) heard.push(...frame);
    }
    expect(toneAt(Int16Array.from(heard), 500)).toBeGreaterThan(0.99);
  });

  it('shrinks again when the network has calmed down', () => {
    const buffer = new JitterBuffer();
    const frame = new Int16Array(160);
    buffer.put(source, frameOf(0), 0, 160, 0, table);
    for (let n = 0; n < 5; n += 1) buffer.get(frame);
    for (let n = 1; n < 1000; n += 1) {
      buffer.put(source, frameOf(n * 160), 0, 160, n * 160, table);
      if (n === 5) expect(buffer.targetSamples).toBeGreaterThan(320);
      if (n > 5) buffer.get(frame);
    }
    expect(buffer.targetSamples).toBeLessThanOrEqual(320);
  });
});

describe('the place of a packet in a recording', () => {
  const source = {};

  it('follows the timestamp, not the arrival', () => {
    const lane = new RecordingLane();
    expect(lane.place(source, 1000, 160, 8000)).toBe(7840);
    expect(lane.place(source, 1320, 160, 8500)).toBe(8160);
    expect(lane.place(source, 1160, 160, 8501)).toBe(8000);
  });

  it('follows a sender whose clock runs slow or fast', () => {
    for (const ppm of [-200, 200]) {
      const lane = new RecordingLane();
      const minutes = 60;
      let worst = 0;
      for (let n = 0; n < minutes * 3000; n += 1) {
        const arrival = Math.round(n * 160 * (1 + ppm / 1e6)) + 160 + ((n * 7) % 160);
        const at = lane.place(source, (n * 160) >>> 0, 160, arrival) ?? Number.NaN;
        worst = Math.max(worst, Math.abs(arrival - 160 - at));
      }
      expect(worst).toBeLessThan(640);
    }
  });

  it('is found anew when the sender restarts or its clock stood still', () => {
    const lane = new RecordingLane();
    lane.place(source, 1000, 160, 8000);
    expect(lane.place(source, 900_000, 160, 8160)).toBe(8000);
    // Half a second and more behind: the second packet in its own time settles it.
    expect(lane.place(source, 900_160, 160, 14_000)).toBeUndefined();
    expect(lane.place(source, 900_320, 160, 14_160)).toBe(14_000);
    expect(lane.place({}, 5, 160, 20_000)).toBe(19_840);
  });
});

describe('a tone stream', () => {
  it('is rendered with its cadence', () => {
    const tone = renderTone('%(1000,4000,450);loops=-1');
    if (!tone.ok) throw new Error(tone.error);
    expect(tone.value.times).toBe(Number.POSITIVE_INFINITY);
    expect(tone.value.samples).toHaveLength(40_000);
    expect(toneAt(tone.value.samples.subarray(0, 8000), 450)).toBeGreaterThan(0.99);
    expect(toneAt(tone.value.samples.subarray(8000), 450)).toBe(0);
  });

  it('takes several frequencies and several groups', () => {
    const tone = renderTone('%(200,0,440,480)%(200, 0, 600);loops=3');
    if (!tone.ok) throw new Error(tone.error);
    expect(tone.value.times).toBe(3);
    const [first, second] = [tone.value.samples.subarray(0, 1600), tone.value.samples.subarray(1600)];
    expect(toneAt(first, 440)).toBeGreaterThan(0.45);
    expect(toneAt(first, 480)).toBeGreaterThan(0.45);
    expect(toneAt(second, 600)).toBeGreaterThan(0.99);
  });

  it.each(['', '%(1,2)', '%(0,0,450)', '%(99999,0,450)', 'L=3;%(1,2,3)', '%(1,2,3,4,5,6,7)', '%(a,b,c)'])(
    'is refused when it is %s',
    (text) => {
      expect(renderTone(text).ok).toBe(false);
    },
  );

  it('of a key has its two frequencies', () => {
    const samples = new Int16Array(1600);
    const frame = new Int16Array(160);
    for (let n = 0; n < 10; n += 1) {
      keyTone(9, n, frame);
      samples.set(frame, n * 160);
    }
    expect(toneAt(samples, 852)).toBeGreaterThan(0.45);
    expect(toneAt(samples, 1477)).toBeGreaterThan(0.45);
  });
});
