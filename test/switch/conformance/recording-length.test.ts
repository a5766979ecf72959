import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Citizen } from '../../support/bench.ts';
import { hasTone, isSilent, sampleRate } from '../../support/phone/hearing.ts';
import { startBench } from '../../support/start-bench.ts';
import { readWavFile } from '../../support/wav.ts';

/** Issue 3, section 1: right length ±100 ms. */
const toleranceMs = 100;
/** Sound is judged in pieces of 50 ms: whole periods of every tone here. */
const pieceMs = 50;

const bench = startBench();

/** The two ends of a span, each somewhere between a command and its answer. */
interface Moment {
  readonly fromMs: number;
  readonly toMs: number;
}

async function moment(does: () => Promise<unknown>): Promise<Moment> {
  const fromMs = performance.now();
  await does();
  return { fromMs, toMs: performance.now() };
}

/** How far `ms` lies outside of what the span between both moments can have been; 0 inside of it. */
function missesBy(ms: number, first: Moment, last: Moment): number {
  const shortestMs = last.fromMs - first.toMs;
  const longestMs = last.toMs - first.fromMs;
  return Math.round(Math.max(shortestMs - ms, ms - longestMs, 0));
}

/** How many milliseconds of the channel are this one of the tones, cut pieces included; undefined: silence. */
function lengthOf(channel: Int16Array, hz: number | undefined): number {
  const size = (pieceMs * sampleRate) / 1000;
  let pieces = 0;
  for (let at = 0; at + size <= channel.length; at += size) {
    const piece = channel.subarray(at, at + size);
    if (hz === undefined ? isSilent(piece) : hasTone(piece, hz)) pieces += 1;
  }
  return pieces * pieceMs;
}

/** Where a voice begins or ends in the middle of a piece, the piece may count for either side. */
const contentToleranceMs = toleranceMs + 2 * pieceMs;

class Recording {
  readonly #file: string;
  readonly #leg: string;
  #started: Moment | undefined;

  constructor(citizen: Citizen, name: string) {
    this.#file = join(bench.sut.recordingsFolder, name);
    this.#leg = citizen.leg;
  }

  async do(what: 'start' | 'mask' | 'unmask'): Promise<Moment> {
    const when = await moment(() => bench.ok(`uuid_record ${this.#leg} ${what} ${this.#file}`));
    if (what === 'start') this.#started = when;
    return when;
  }

  /** Stops; both channels, whose length is right. */
  async stop(): Promise<{ readonly said: Int16Array; readonly heard: Int16Array; readonly stopped: Moment }> {
    const stopped = await moment(() => bench.ok(`uuid_record ${this.#leg} stop ${this.#file}`));
    await bench.esl.event('RECORD_STOP', { 'Record-File-Path': this.#file });
    const [said, heard] = (await readWavFile(this.#file)).channels;
    if (said === undefined || heard === undefined || this.#started === undefined) throw new Error('no stereo file');
    const lengthMs = (said.length * 1000) / sampleRate;
    expect(missesBy(lengthMs, this.#started, stopped), `of ${lengthMs} ms`).toBeLessThanOrEqual(toleranceMs);
    expect(heard).toHaveLength(said.length);
    return { said, heard, stopped };
  }
}

/** Seed row A19; issue 3, section 1 (recording). */
describe('a recording is as long as what it holds, ±100 ms', () => {
  it('of a talk, with one voice on each channel from the beginning to the end', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 700 });
    await Promise.all([citizen.call.hearsOnly([700]), agent.call.hearsOnly([400])]);
    const recording = new Recording(citizen, 'talk.wav');
    const started = await recording.do('start');
    await pause(2000);
    const { said, heard, stopped } = await recording.stop();
    expect(missesBy(lengthOf(said, 400), started, stopped)).toBeLessThanOrEqual(contentToleranceMs);
    expect(missesBy(lengthOf(heard, 700), started, stopped)).toBeLessThanOrEqual(contentToleranceMs);
    expect([lengthOf(said, 700), lengthOf(heard, 400)]).toEqual([0, 0]);
  });

  it('across a transfer to another agent, with the wait in between', async () => {
    const [citizen, first] = await bench.talk({ citizenHz: 400, agentHz: 700 });
    const second = await bench.answeredAgent('1002', { toneHz: 900 });
    await Promise.all([citizen.call.hearsOnly([700]), first.call.hearsOnly([400])]);
    const recording = new Recording(citizen, 'transfer.wav');
    const started = await recording.do('start');
    await pause(800);
    const left = await moment(async () => {
      await bench.ok(`uuid_transfer ${first.leg} parked XML yihaotong`);
      await bench.parked(citizen.leg, 2);
    });
    await pause(600);
    const joined = await moment(() => bench.bridge(citizen.leg, second.leg));
    await pause(800);
    const { said, heard, stopped } = await recording.stop();
    expect(missesBy(lengthOf(said, 400), started, stopped)).toBeLessThanOrEqual(contentToleranceMs);
    expect(missesBy(lengthOf(heard, 700), started, left)).toBeLessThanOrEqual(contentToleranceMs);
    expect(missesBy(lengthOf(heard, undefined), left, joined)).toBeLessThanOrEqual(contentToleranceMs);
    expect(missesBy(lengthOf(heard, 900), joined, stopped)).toBeLessThanOrEqual(contentToleranceMs);
    expect([lengthOf(said, 700), lengthOf(said, 900), lengthOf(heard, 400)]).toEqual([0, 0, 0]);
  });

  it('across a pause, which is as long in the file as it was', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 700 });
    await Promise.all([citizen.call.hearsOnly([700]), agent.call.hearsOnly([400])]);
    const recording = new Recording(citizen, 'pause.wav');
    await recording.do('start');
    await pause(700);
    const masked = await recording.do('mask');
    await pause(700);
    const unmasked = await recording.do('unmask');
    await pause(700);
    const { said, heard } = await recording.stop();
    for (const channel of [said, heard]) {
      expect(missesBy(lengthOf(channel, undefined), masked, unmasked)).toBeLessThanOrEqual(contentToleranceMs);
    }
  });
});
