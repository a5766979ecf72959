import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { err, ok } from '../../src/kernel/result.ts';
import { PhoneDirectory } from '../../src/services/phone-directory.ts';
import type { SwitchFailure } from '../../src/switch/port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordedLog } from '../support/recorded-log.ts';

let clock: ManualClock;
let people: Record<string, string>;
/** What happened, oldest first. */
let done: string[];
/** Answers of the switch to come; without one it says yes. */
let answers: SwitchFailure['kind'][];
let databaseFails: boolean;
let directory: PhoneDirectory;

beforeEach(() => {
  clock = new ManualClock();
  people = { '1001': 'a' };
  done = [];
  answers = [];
  databaseFails = false;
  directory = new PhoneDirectory({
    list: () =>
      databaseFails
        ? Promise.reject(new Error('no database'))
        : Promise.resolve(
            Object.entries(people).map(([extension, ha1]) => ({ extension, name: '', ha1Md5: new Secret(ha1) })),
          ),
    write: (phones) => {
      done.push(`wrote ${phones.map(({ extension, ha1Md5 }) => `${extension}=${ha1Md5.reveal()}`).join()}`);
      return Promise.resolve();
    },
    telephone: {
      readPhones: () => {
        const kind = answers.shift();
        done.push(kind ?? 'read');
        return Promise.resolve(kind === undefined ? ok(undefined) : err({ kind, message: 'no' }));
      },
    },
    learnSeats: () => Promise.resolve(),
    onChanged: (user) => done.push(`changed ${user}`),
    clock,
    log: new RecordedLog(),
  });
});

describe('the phones of the switch', () => {
  it('are written and read at each change, and those with another password are named', async () => {
    directory.changed();
    await clock.advance(1);
    people = { '1001': 'b', '1002': 'c' };
    directory.changed();
    await clock.advance(1);
    expect(done).toEqual(['wrote 1001=a', 'read', 'changed 1001', 'changed 1002', 'wrote 1001=b,1002=c', 'read']);
    expect(directory.has('1002')).toBe(true);
    await clock.advance(60_000);
    expect(done).toHaveLength(6);
  });

  it('are done once more when they change meanwhile, however often', async () => {
    directory.changed();
    directory.changed();
    directory.changed();
    await clock.advance(1);
    expect(done).toEqual(['wrote 1001=a', 'read', 'wrote 1001=a', 'read']);
  });

  it('are tried again when the switch or the database refuses, but not without a link', async () => {
    answers = ['refused', 'link-down'];
    directory.changed();
    await clock.advance(4_999);
    expect(done).toEqual(['wrote 1001=a', 'refused']);
    await clock.advance(60_000);
    expect(done.slice(2)).toEqual(['wrote 1001=a', 'link-down']);
    databaseFails = true;
    directory.changed();
    await clock.advance(6_000);
    databaseFails = false;
    await clock.advance(5_000);
    expect(done.slice(4)).toEqual(['wrote 1001=a', 'read']);
  });

  it('are nobody’s any more when it is closed', async () => {
    directory.changed();
    directory.close();
    directory.changed();
    await clock.advance(60_000);
    expect(done).toEqual(['wrote 1001=a', 'read']);
  });
});
