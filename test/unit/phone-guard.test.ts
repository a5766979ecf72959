import { beforeEach, describe, expect, it } from 'vitest';
import { err, ok } from '../../src/kernel/result.ts';
import { type PhoneBan, PhoneGuard } from '../../src/services/phone-guard.ts';
import { applyBans } from '../../src/switch/freeswitch/bans.ts';
import type { PhoneBans, SwitchFailure, SwitchReply } from '../../src/switch/port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordedLog } from '../support/recorded-log.ts';

const banMs = 60_000;
let clock: ManualClock;
/** What the switch was told, oldest first. */
let told: PhoneBans[];
/** Answers to come; without one the switch says yes. */
let answers: SwitchFailure['kind'][];
let begun: PhoneBan[];
let guard: PhoneGuard;

beforeEach(() => {
  clock = new ManualClock();
  told = [];
  answers = [];
  begun = [];
  guard = new PhoneGuard({
    telephone: {
      banPhones: (bans): SwitchReply => {
        told.push(bans);
        const kind = answers.shift();
        return Promise.resolve(kind === undefined ? ok(undefined) : err({ kind, message: 'no' }));
      },
    },
    ...{ clock, log: new RecordedLog(), banMs },
    isKnown: (user) => user.startsWith('1'),
    onBan: (ban) => begun.push(ban),
  });
});

function fails(user: string, address: string, times = 5): void {
  for (let count = 0; count < times; count += 1)
    guard.note({ type: 'passwordShown', right: false, user, address, atMs: clock.now() });
}
const succeeds = (user: string, address: string) =>
  guard.note({ type: 'passwordShown', right: true, user, address, atMs: clock.now() });
const standing = () => Object.fromEntries(told.at(-1) ?? []);

/** Issue 3, section 1 (registration: wrong password, limited, then banned for a time). */
describe('wrong passwords of a phone', () => {
  it('ban it at its address after five within a minute, told once', async () => {
    fails('1001', '192.0.2.1', 4);
    expect(told).toEqual([]);
    fails('1001', '192.0.2.1', 3);
    expect(standing()).toEqual({ '1001': ['192.0.2.1'] });
    expect(begun).toEqual([{ user: '1001', address: '192.0.2.1', banMs }]);
    expect(guard.total).toBe(1);
    await clock.advance(1000);
    expect(told).toHaveLength(1);
  });

  it('are forgotten, and their ban lifted, when the phone gets another password', async () => {
    fails('1001', '192.0.2.1');
    fails('1001', '192.0.2.2', 4);
    await clock.advance(1000);
    guard.forgive('1001');
    expect(standing()).toEqual({});
    fails('1001', '192.0.2.2', 4);
    await clock.advance(1000);
    expect(begun).toHaveLength(1);
  });

  it('are forgotten after a minute, and by the right one', async () => {
    fails('1001', '192.0.2.1', 4);
    await clock.advance(60_000);
    fails('1001', '192.0.2.1', 4);
    succeeds('1001', '192.0.2.1');
    fails('1001', '192.0.2.1', 4);
    expect(told).toEqual([]);
  });

  it('of names that nobody has do nothing', () => {
    fails('9999', '192.0.2.1', 50);
    expect(told).toEqual([]);
  });

  it('of several phones are told together while the switch is busy', async () => {
    fails('1001', '192.0.2.1');
    fails('1002', '192.0.2.1');
    fails('1002', '192.0.2.2');
    expect(told).toHaveLength(1);
    await clock.advance(1000);
    expect(told).toHaveLength(2);
    expect(standing()).toEqual({ '1001': ['192.0.2.1'], '1002': ['192.0.2.1', '192.0.2.2'] });
  });
});

describe('a ban', () => {
  it('ends by itself, also when the phone never stops', async () => {
    fails('1001', '192.0.2.1');
    await clock.advance(banMs - 1);
    fails('1001', '192.0.2.1', 20);
    expect(standing()).toEqual({ '1001': ['192.0.2.1'] });
    await clock.advance(1);
    expect(standing()).toEqual({});
    expect(guard.total).toBe(1);
    fails('1001', '192.0.2.1');
    await clock.advance(1000);
    expect(standing()).toEqual({ '1001': ['192.0.2.1'] });
  });

  it('makes room when a user is tried from more addresses than the switch takes', async () => {
    for (let at = 1; at <= 40; at += 1) fails('1001', `192.0.2.${at}`);
    await clock.advance(1000);
    expect(standing()['1001']).toHaveLength(31);
    expect(standing()['1001']).not.toContain('192.0.2.9');
    expect(standing()['1001']).toContain('192.0.2.40');
  });

  it('is told again to a switch that comes back, and to one that said no', async () => {
    fails('1001', '192.0.2.1');
    await clock.advance(1000);
    answers = ['deadline'];
    guard.linkUp();
    await clock.advance(4999);
    expect(told).toHaveLength(2);
    await clock.advance(1);
    expect(told).toHaveLength(3);
    expect(standing()).toEqual({ '1001': ['192.0.2.1'] });
  });

  it('is not tried again without a link, which tells it by itself', async () => {
    answers = ['link-down'];
    fails('1001', '192.0.2.1');
    await clock.advance(30_000);
    expect(told).toHaveLength(1);
    guard.linkUp();
    await clock.advance(1000);
    expect(told).toHaveLength(2);
  });
});

describe('the switch is told', () => {
  /** A switch with global variables. */
  function variables(first: Record<string, string> = {}) {
    const globals = new Map(Object.entries(first));
    const lines: string[] = [];
    const api = (line: string) => {
      lines.push(line);
      const [, get] = /^global_getvar (.*)$/.exec(line) ?? [];
      if (get !== undefined) return Promise.resolve(ok(globals.get(get) ?? '-ERR no reply'));
      const [, name, value] = /^global_setvar ([^=]+)=(.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined && value !== '') globals.set(name, value);
      else if (name !== undefined) globals.delete(name);
      return Promise.resolve(ok('+OK'));
    };
    return { globals, lines, api };
  }

  it('the addresses as networks, before it reads its lists', async () => {
    const { globals, lines, api } = variables();
    expect((await applyBans(api, new Map([['1001', ['192.0.2.1', '2001:db8::1']]]))).ok).toBe(true);
    expect(Object.fromEntries(globals)).toEqual({
      yht_banned: '1001',
      yht_banned_1001: '192.0.2.1/32,2001:db8::1/128',
    });
    expect(lines.indexOf('reloadacl')).toBeGreaterThan(lines.findIndex((line) => line.includes('yht_banned_1001')));
  });

  it('to forget what an earlier control left, and nothing when there is nothing', async () => {
    const { globals, api } = variables({ yht_banned: '1001,1002', yht_banned_1001: 'x', yht_banned_1002: 'y' });
    await applyBans(api, new Map([['1002', ['192.0.2.1']]]));
    expect(Object.fromEntries(globals)).toEqual({ yht_banned: '1002', yht_banned_1002: '192.0.2.1/32' });
    const idle = variables();
    await applyBans(idle.api, new Map());
    expect(idle.lines).toEqual(['global_getvar yht_banned']);
  });

  it.each([
    ['1001', '192.0.2.1/8'],
    ['1001', '192.0.2.1,10.0.0.0'],
    ['1001=x', '192.0.2.1'],
    ['10 01', '192.0.2.1'],
  ])('nothing about %s at %s', async (user, address) => {
    const { lines, api } = variables();
    expect(await applyBans(api, new Map([[user, [address]]]))).toMatchObject({ error: { kind: 'bad-argument' } });
    expect(lines).toEqual([]);
  });
});
