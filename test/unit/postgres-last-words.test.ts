import { describe, expect, it } from 'vitest';
import { orderNumber } from '../../src/store/order-number.ts';
import { reasonOfDeath, saysDataIsInUse, saysPortIsTaken } from '../../src/store/postgres/server-log.ts';

const reason = (output: string) => reasonOfDeath(output, '/data/postgres', 'postgres');

describe('what PostgreSQL says when it dies', () => {
  it.each([
    ['FATAL:  could not extend file "base/1/2691": No space left on device', 'the disk of /data/postgres is full'],
    [
      'FATAL:  could not extend file "x": wrote only 4096\nHINT:  Check free disk space.',
      'the disk of /data/postgres is full',
    ],
    ['FATAL:  database files are incompatible with server', 'was made by another PostgreSQL version'],
    ['FATAL:  data directory "/data" has wrong ownership', 'PostgreSQL may not use /data/postgres'],
    ['FATAL:  could not write lock file "postmaster.pid": Read-only file system', 'is read-only'],
    ['FATAL:  could not map anonymous shared memory: Cannot allocate memory', 'too little memory'],
    ['LOG:  starting\nFATAL:  something new\nLOG:  stopped', 'does not start (postgres: FATAL:  something new)'],
    ['', 'does not start (postgres: it said nothing)'],
  ])('becomes one line: %j', (output, line) => {
    expect(reason(output)).toContain(line);
    expect(reason(output)).toMatch(/^(DATA_FOLDER|DATABASE_URL): [^\n]+$/);
  });

  it('tells what passes by itself', () => {
    expect(saysDataIsInUse('FATAL:  lock file "postmaster.pid" already exists')).toBe(true);
    expect(saysDataIsInUse('FATAL:  pre-existing shared memory block (key 1) is still in use')).toBe(true);
    expect(saysPortIsTaken('LOG:  could not bind IPv4 address "127.0.0.1": Address already in use')).toBe(true);
    expect(saysDataIsInUse('FATAL:  something') || saysPortIsTaken('FATAL:  something')).toBe(false);
  });
});

describe('the number of a work order', () => {
  it("has the city's day, not the machine's", () => {
    const beforeMidnight = Date.UTC(2026, 10, 21, 15, 59, 59, 999);
    expect(orderNumber('KF', beforeMidnight, 'Asia/Shanghai', 1n)).toBe('KF20261121-000001');
    expect(orderNumber('KF', beforeMidnight + 1, 'Asia/Shanghai', 1_234_567n)).toBe('KF20261122-1234567');
  });
});
