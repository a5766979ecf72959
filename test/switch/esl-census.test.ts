/** Events that the switch threw away: the adapter notices at the heartbeats, over real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { randomIds } from '../../src/kernel/ids.ts';
import { createFreeSwitch } from '../../src/switch/freeswitch/adapter.ts';
import type { LinkEvent, TelephoneSwitch } from '../../src/switch/port.ts';
import { RecordedLog } from '../support/recorded-log.ts';
import { ScriptedEslServer, type ScriptedPeer } from '../support/scripted-esl-server.ts';
import { Watch } from '../support/watch.ts';

const leg = '0f9c6a5e-0000-4000-8000-000000000001';

describe('the census of legs', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });

  async function connected(): Promise<{ peer: ScriptedPeer; links: LinkEvent[]; linkUps: Watch }> {
    const server = await ScriptedEslServer.start(() => undefined);
    open.push(server);
    const telephone: TelephoneSwitch = createFreeSwitch({
      host: '127.0.0.1',
      port: server.port,
      password: server.password,
      domain: 'yihaotong.local',
      recordingsFolder: '/tmp',
      commandDeadlineMs: 3000,
      wayOutAfterS: 90,
      log: new RecordedLog(),
      clock: systemClock,
      ids: randomIds,
    });
    open.push(telephone);
    const links: LinkEvent[] = [];
    const linkUps = new Watch('links');
    telephone.start({
      onLeg: () => undefined,
      onRegistration: () => undefined,
      onLink: (event) => {
        links.push(event);
        linkUps.note(event.type);
      },
    });
    await linkUps.until('the first link', 8000, () => links[0]);
    const peer = server.peers[0];
    if (peer === undefined) throw new Error('nobody connected');
    return { peer, links, linkUps };
  }

  const snapshots = (peer: ScriptedPeer): number =>
    peer.commands.filter((command) => command === 'api show channels as json').length;
  const heartbeat = (peer: ScriptedPeer, sessions: number): void =>
    peer.event({ 'Event-Name': 'HEARTBEAT', 'Session-Count': String(sessions) });

  it('takes the list anew when two heartbeats in a row count other legs than events have told of', async () => {
    const { peer, links, linkUps } = await connected();
    peer.event({ 'Event-Name': 'CHANNEL_CREATE', 'Unique-ID': leg });
    heartbeat(peer, 0);
    heartbeat(peer, 0);
    await linkUps.until('the list told anew', 8000, () => links[1]);
    expect(links.map((event) => event.type)).toEqual(['linkUp', 'linkUp']);
    expect(snapshots(peer)).toBe(2);
  });

  it('leaves it at that when the next heartbeat agrees', async () => {
    const { peer, links, linkUps } = await connected();
    peer.event({ 'Event-Name': 'CHANNEL_CREATE', 'Unique-ID': leg });
    heartbeat(peer, 0);
    heartbeat(peer, 1);
    peer.event({ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', 'Unique-ID': leg });
    heartbeat(peer, 0);
    // The beginning of a leg was lost; this makes three differences in all, of which two in a row.
    heartbeat(peer, 1);
    heartbeat(peer, 1);
    await linkUps.until('the list told anew', 8000, () => links[1]);
    expect(snapshots(peer)).toBe(2);
  });
});
