import { describe, expect, it } from 'vitest';
import { PhoneBook } from '../../src/switch/cluster/phone-book.ts';
import type { Registration } from '../../src/switch/port.ts';

type Told = Parameters<PhoneBook['apply']>[1];

const contact = (at: string) => `sip:1001@${at}:5060`;
const phone = (at: string, expiresAtMs: number): Registration => ({ user: '1001', contact: contact(at), expiresAtMs });
const registered = (at: string, expiresAtMs: number): Told => ({
  type: 'registered',
  atMs: 0,
  ...phone(at, expiresAtMs),
});
const unregistered = (at: string): Told => ({
  type: 'unregistered',
  user: '1001',
  contact: contact(at),
  atMs: 0,
});

/** Issue 3, section 4: the phones of several nodes as one list. */
describe('the phones of all nodes', () => {
  it('are where they registered last, on whichever node', () => {
    const book = new PhoneBook();
    book.apply('a', registered('10.0.0.1', 60_000));
    book.apply('b', registered('10.0.0.2', 61_000));
    expect(book.find('1001', 0)).toMatchObject({ node: 'b', contact: contact('10.0.0.2'), forgotten: false });
    expect(book.all(0)).toHaveLength(1);
  });

  it('are not taken away by the node that they have left', () => {
    const book = new PhoneBook();
    book.apply('a', registered('10.0.0.1', 60_000));
    book.apply('b', registered('10.0.0.2', 61_000));
    expect(book.apply('a', unregistered('10.0.0.1'))).toBe(false);
    expect(book.find('1001', 0)?.node).toBe('b');
    expect(book.apply('b', unregistered('10.0.0.2'))).toBe(true);
    expect(book.find('1001', 0)).toBeUndefined();
  });

  it('stay when their node forgets them, until their time is over, and are known to be forgotten', () => {
    const book = new PhoneBook();
    book.replace('a', [phone('10.0.0.1', 60_000)]);
    book.replace('a', []);
    expect(book.find('1001', 0)).toMatchObject({ node: 'a', forgotten: true });
    // A node tells an expiry a little late, and is given the time.
    expect(book.find('1001', 64_999)).toBeDefined();
    expect(book.find('1001', 65_000)).toBeUndefined();
    expect(book.expire(64_999)).toEqual([]);
    expect(book.expire(65_000)).toMatchObject([{ user: '1001' }]);
    expect(book.expire(65_000)).toEqual([]);
  });

  it('are at the node whose registration lasts longer when two nodes’ lists have them', () => {
    const book = new PhoneBook();
    book.replace('a', [phone('10.0.0.1', 60_000)]);
    book.replace('b', [phone('10.0.0.2', 50_000)]);
    expect(book.find('1001', 0)?.node).toBe('a');
    book.replace('b', [phone('10.0.0.2', 70_000)]);
    expect(book.find('1001', 0)?.node).toBe('b');
  });

  it('never expire when the switch did not say when', () => {
    const book = new PhoneBook();
    book.replace('a', [{ user: '1001', contact: contact('10.0.0.1') }]);
    expect(book.find('1001', Number.MAX_SAFE_INTEGER)).toBeDefined();
  });
});
