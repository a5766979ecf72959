import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/kernel/clock.ts';
import { randomIds } from '../../../src/kernel/ids.ts';
import { ok } from '../../../src/kernel/result.ts';
import { createFreeSwitch } from '../../../src/switch/freeswitch/adapter.ts';
import { takeSnapshot } from '../../../src/switch/freeswitch/snapshot.ts';
import type { TelephoneSwitch } from '../../../src/switch/port.ts';
import { RecordedLog } from '../../support/recorded-log.ts';
import { startBench } from '../../support/start-bench.ts';
import { Watch } from '../../support/watch.ts';
import { writeToneFile } from '../../support/wav.ts';

const done = { ok: true, value: undefined };
const fallbackHz = 500;
const delayS = 2;

const bench = startBench();
beforeAll(() => writeToneFile(join(bench.sut.promptsFolder, 'fallback.wav'), fallbackHz, 600));

describe('sched_transfer', () => {
  it('adds a task to the leg’s group, which sched_del empties', async () => {
    const { leg } = await bench.answeredCitizen();
    const order = `sched_transfer +${delayS} ${leg} fallback-citizen XML yihaotong`;
    expect(await bench.esl.api(order)).toBe('+OK');
    expect(await bench.esl.api(order)).toBe('+OK');
    expect(await bench.esl.api(`sched_del ${leg}`)).toBe('+OK Deleted: 2');
    expect(await bench.esl.api(`sched_del ${leg}`)).toBe('+OK Deleted: 0');
    const nobody = '00000000-0000-4000-8000-000000000000';
    expect(await bench.esl.api(`sched_transfer +2 ${nobody} parked XML yihaotong`)).toBe('-ERR No such channel!');
    expect(await bench.esl.api('sched_transfer')).toMatch(/^-USAGE: /);
  });

  it('takes a leg out of music and out of a bridge; who is parked again is recorded no longer', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await bench.ok(`sched_transfer +1 ${citizen.leg} fallback-citizen XML yihaotong`);
    const message = { 'Unique-ID': citizen.leg };
    const { headers } = await bench.esl.event('RECORD_START', message);
    expect(headers['Record-File-Path']).toMatch(
      new RegExp(`/fallback/[0-9]{10}_13800000001_12345_${citizen.leg}[.]wav$`),
    );
    await citizen.call.hears(fallbackHz);
    await bench.parked(agent.leg, 2);
    // Of the bridge nothing is left: a control that comes back must not take him for one who talks.
    const taken = await takeSnapshot((line) => bench.esl.api(line).then(ok), pause, Date.now);
    const shown = taken.ok ? taken.value.snapshot.legs.find((one) => one.leg === citizen.leg) : undefined;
    expect(shown).toMatchObject({ answered: true, parked: false });
    expect(shown?.bridgedTo ?? shown?.conference).toBeUndefined();

    // Several tasks can't send him there once more: the place disarms what is left.
    expect(await bench.esl.api(`sched_del ${citizen.leg}`)).toBe('+OK Deleted: 0');
    await bench.ok(`sched_transfer +1 ${citizen.leg} fallback-citizen XML yihaotong`);
    await bench.ok(`uuid_transfer ${citizen.leg} parked XML yihaotong`);
    const stopped = await bench.esl.event('RECORD_STOP', message);
    expect(stopped.headers['Record-File-Path']).toBe(headers['Record-File-Path']);
    await bench.parked(citizen.leg, 2);
    // The dialplan's own for a leg that is parked again, in place of that one.
    expect(await bench.esl.api(`sched_del ${citizen.leg}`)).toBe('+OK Deleted: 1');
    expect(await bench.esl.api(`sched_del ${agent.leg}`)).toBe('+OK Deleted: 1');
  });
});

describe('the way out of those who wait', () => {
  it('is put off while control lives; without it citizens get the message, agents go, and who talks talks on', async () => {
    const { control, events, until } = await startControl();
    const talking = await bench.talk({ citizenHz: 400, agentHz: 650 });
    // That parks the agent as well: one order, so that no second park of his comes behind the bridge.
    await bench.ok(`uuid_transfer ${talking[0].leg} parked XML yihaotong`);
    for (const [index, role] of (['citizen', 'agent'] as const).entries()) {
      const leg = talking[index]?.leg ?? '';
      await bench.parked(leg, 2);
      expect(await control.claim(leg, role)).toEqual(done);
    }
    expect(await control.bridge(talking[0].leg, talking[1].leg)).toEqual(done);
    const waiting = await bench.answeredCitizen();
    const agent = await bench.answeredAgent('1002');
    expect(await control.claim(waiting.leg, 'citizen')).toEqual(done);
    expect(await control.claim(agent.leg, 'agent')).toEqual(done);
    const music = [{ kind: 'ringback' } as const];
    expect(await control.play({ leg: waiting.leg, playId: 'music', sounds: music, forever: true })).toEqual(done);

    // Longer than the delay, and each has exactly one task: it was replaced, not added to.
    await pause(delayS * 1500);
    expect(events.filter((event) => event.startsWith('legTreated') || event.startsWith('legEnded'))).toEqual([]);
    expect(await bench.esl.api(`sched_del ${waiting.leg}`)).toBe('+OK Deleted: 1');
    expect(await control.claim(waiting.leg, 'citizen')).toEqual(done);
    for (const { leg } of talking) expect(await bench.esl.api(`sched_del ${leg}`)).toBe('+OK Deleted: 0');

    // A bridge that the switch refuses leaves him where he was, with his way out.
    const nobody = '00000000-0000-4000-8000-000000000000';
    expect(await control.bridge(waiting.leg, nobody)).toMatchObject({ ok: false, error: { kind: 'gone' } });
    await until(`legTreated ${waiting.leg}`, () => control.close());
    await agent.call.ended();
    await waiting.call.hears(fallbackHz);
    const files = await readdir(join(bench.sut.recordingsFolder, 'fallback'));
    expect(files.filter((name) => name.endsWith(`_${waiting.leg}.wav`))).toHaveLength(1);
    await talking[0].call.hearsOnly([650]);
    await talking[1].call.hearsOnly([400]);
  });

  it('of a leg that an earlier control has sent into a conversation is disarmed', async () => {
    const { control } = await startControl();
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await bench.ok(`uuid_transfer ${citizen.leg} -both parked XML yihaotong`);
    await bench.parked(citizen.leg, 2);
    await bench.parked(agent.leg, 2);
    expect(await control.claim(citizen.leg, 'citizen')).toEqual(done);
    await bench.bridge(citizen.leg, agent.leg);
    // What is told of the bridge reaches control as well, which then disarms.
    await expect.poll(() => bench.esl.api(`sched_del ${citizen.leg}`)).toBe('+OK Deleted: 0');
    expect(await control.disarm(citizen.leg)).toEqual(done);
    await citizen.call.hears(650);
    await control.close();
  });
});

/** A control of its own with a short delay; `until` tells what the switch told another one after this one has gone. */
async function startControl() {
  const events: string[] = [];
  const watch = new Watch('control');
  const control = adapter();
  const listener = adapter();
  for (const one of [control, listener]) {
    const isControl = one === control;
    await new Promise<void>((resolve) => {
      one.start({
        onLeg: (event) => {
          if (isControl) return;
          events.push(`${event.type} ${event.leg}`);
          watch.note(`${event.type} ${event.leg}`);
        },
        onRegistration: () => undefined,
        onLink: () => resolve(),
      });
    });
  }
  closers.push(() => listener.close());
  const until = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    await act();
    await watch.until(what, 8000, () => (events.includes(what) ? true : undefined));
  };
  return { control, events, until };
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function adapter(): TelephoneSwitch {
  return createFreeSwitch({
    ...bench.sut.esl,
    domain: bench.sut.domain,
    recordingsFolder: bench.sut.recordingsFolder,
    commandDeadlineMs: 3000,
    wayOutAfterS: delayS,
    log: new RecordedLog(),
    clock: systemClock,
    ids: randomIds,
  });
}
