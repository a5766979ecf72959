import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { people, startHotline } from '../../support/hotline/hotline.ts';
import { citizensNode, nodeHealth } from '../../support/hotline/nodes.ts';
import { readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { OutgoingCall } from '../../support/phone/outgoing-call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';
import type { SwitchUnderTest } from '../../support/switch.ts';
import { until } from '../../support/until.ts';

/** Issue 3, section 3: the time a takeover may take. */
const takeoverMs = 5_000;
const nodeLostMs = 15_000;

interface Side {
  readonly node: SwitchUnderTest;
  readonly talk: Talk;
  readonly desk: DeskClient;
  readonly phone: TestPhone;
  readonly number: string;
  readonly waiting: OutgoingCall;
  readonly waitingNumber: string;
}

describe('control starts again beside two nodes', () => {
  const hotline = startHotline({
    nodes: true,
    nodeProxy: true,
    ownProcess: true,
    environment: { SWITCH_NODE_LOST_MS: String(nodeLostMs) },
    people: [
      ...people,
      ...['1003', '1004', '1005', '1006'].map((login) => ({
        ...({ role: 'agent', hotlineNumber: null } as const),
        ...{ login, name: login, extension: login },
      })),
    ],
  });

  it('while one is out of reach: the other is served at once, and the first is taken up as it is when it is back', async () => {
    const { here, away } = await twoSides('1001', '1002', '1380000010');
    await hotline.process.kill();
    hotline.cutNode(true);
    const startedInMs = await hotline.process.start();
    expect(startedInMs).toBeLessThan(takeoverMs + 5_000);
    expect((await nodeHealth(hotline, away.node))?.state).toBe('down');
    await reopen(here.desk);
    await reopen(away.desk);
    expect(here.desk.call).toMatchObject({ callId: here.talk.callId, state: 'talking' });
    await bothHear(here);
    // Who waits at the node out of reach has waited longer or not: the free seat is for whom it can be rung.
    await here.talk.citizen.hangup();
    await serveNext(here, here.waiting);
    const fresh = await (await hotline.citizen('13800000019', { toneHz: tones.citizen })).call('12345');
    await fresh.answered();
    await fresh.hangup();

    hotline.cutNode(false);
    await until('the node', async () => (await nodeHealth(hotline, away.node))?.state === 'up', nodeLostMs);
    expect(away.desk.call).toMatchObject({ callId: away.talk.callId, state: 'talking' });
    await bothHear(away);
    await away.desk.do({ do: 'hold', callId: away.talk.callId });
    await away.talk.agent.hearsNothing();
    await away.desk.do({ do: 'resume', callId: away.talk.callId });
    await away.talk.agent.hears(tones.citizen);
    await away.talk.citizen.hangup();
    await serveNext(away, away.waiting);
    await signOff(here, away);
    await noCall();
    expect(await endings('1380000010')).toEqual(['success', 'success']);
  });

  it('while one is dead: the other is served, its calls are over when it counts as lost, and it is used again', async () => {
    const { here, away } = await twoSides('1003', '1004', '1380000020');
    await hotline.process.kill();
    await away.node.crash();
    await hotline.process.start();
    await reopen(here.desk);
    await reopen(away.desk);
    await bothHear(here);
    await here.talk.citizen.hangup();
    await serveNext(here, here.waiting);
    await until('the lost node', async () => (await nodeHealth(hotline, away.node))?.state === 'lost', 2 * nodeLostMs);
    await away.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await until('the call-back list', async () => (await callBacks()).length === 2);
    expect(await callBacks()).toEqual([away.number, away.waitingNumber].sort());
    await signOff(here, away);
    await noCall();
    await away.node.startAgain();
    await hotline.kamailio.nodeIsUp(away.node);
    await until('the node', async () => (await nodeHealth(hotline, away.node))?.state === 'up');
    const again = await twoSides('1005', '1006', '1380000030');
    for (const side of [again.here, again.away]) {
      await side.waiting.hangup();
      await side.talk.citizen.hangup();
      await side.talk.agent.ended();
    }
    await signOff(again.here, again.away);
    await noCall();
  });

  it('as the standby: it takes over the calls of both within 5 s', async () => {
    const standby = await hotline.standby();
    const { here, away } = await twoSides('1001', '1002', '1380000040');
    await hotline.process.kill();
    await standby.leads(takeoverMs);
    await until('both nodes', async () =>
      (await Promise.all([here, away].map(({ node }) => nodeHealth(hotline, node, standby.webUrl)))).every(
        (one) => one?.state === 'up',
      ),
    );
    for (const side of [here, away]) {
      side.desk.moveTo(standby.webUrl);
      await reopen(side.desk);
      expect(side.desk.call).toMatchObject({ callId: side.talk.callId, state: 'talking' });
      await bothHear(side);
      await side.desk.do({ do: 'hold', callId: side.talk.callId });
      await side.talk.agent.hearsNothing();
      await side.talk.citizen.hangup();
    }
    // They are served in the order in which they came, by whichever seat is free.
    for (const side of [here, away]) await side.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await serveNext(here, away.waiting);
    await serveNext(away, here.waiting);
    await signOff(here, away);
    await noCall();
    expect(await endings('1380000040')).toEqual(['success', 'success']);
  });

  /** A talk and one who waits, on each of the two nodes; `away` is the one behind the hop. Who waits there came first. */
  async function twoSides(first: string, second: string, numbers: string): Promise<{ here: Side; away: Side }> {
    const [hereNode, awayNode] = [hotline.switch, hotline.otherSwitch];
    // Of a node that is not there a new control does not know who had registered (docs/operations.md).
    const agents = await onlyAt(hereNode, async () => [
      await readyAgent(hotline, first),
      await readyAgent(hotline, second),
    ]);
    const talks = [];
    for (const [index, node] of [hereNode, awayNode].entries()) {
      // The one who is ready for longer is rung.
      const who = agents[index];
      if (who === undefined) throw new Error('no agent');
      const number = `${numbers}${index}`;
      talks.push({ ...who, node, number, talk: await onlyAt(node, () => talk(hotline, who, number)) });
    }
    const waiters = [];
    for (const [index, node] of [awayNode, hereNode].entries()) {
      const waitingNumber = `${numbers}${index + 2}`;
      const phone = await hotline.citizen(waitingNumber, { toneHz: tones.citizen });
      const waiting = await onlyAt(node, async () => {
        const call = await phone.call('12345');
        await call.answered();
        return call;
      });
      await inState(waitingNumber, 'waiting');
      waiters.push({ waiting, waitingNumber });
    }
    const [talkHere, talkAway] = talks;
    const [waiterAway, waiterHere] = waiters;
    if (talkHere === undefined || talkAway === undefined || waiterHere === undefined || waiterAway === undefined)
      throw new Error('the calls are not on both nodes');
    expect(citizensNode(hotline, talkAway.talk)).toBe(awayNode);
    return { here: { ...talkHere, ...waiterHere }, away: { ...talkAway, ...waiterAway } };
  }

  /** Does this while the other node gets neither calls nor registrations. */
  async function onlyAt<T>(node: SwitchUnderTest, work: () => Promise<T>): Promise<T> {
    const other = node === hotline.switch ? hotline.otherSwitch : hotline.switch;
    await hotline.kamailio.drain(other, true);
    const done = await work();
    await hotline.kamailio.drain(other, false);
    return done;
  }

  async function reopen(desk: DeskClient): Promise<void> {
    desk.close();
    await desk.open();
  }

  async function bothHear({ talk: { citizen, agent } }: Side): Promise<void> {
    await citizen.hears(tones.agent);
    await agent.hears(tones.citizen);
  }

  /** The seat of this side takes this caller, and they part. */
  async function serveNext({ desk, phone }: Side, caller: OutgoingCall): Promise<void> {
    await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    await desk.do({ do: 'endWrapUp' });
    const ringing = await phone.nextInvite();
    ringing.answer();
    await caller.hears(tones.agent);
    await caller.hangup();
    await ringing.ended();
    await desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
  }

  async function signOff(...sides: Side[]): Promise<void> {
    for (const { desk } of sides) {
      await desk.do({ do: 'signOff' });
      desk.close();
    }
  }

  async function inState(number: string, state: string): Promise<void> {
    await until(`${number} ${state}`, async () => {
      const { rows } = await sql`select from calls where caller_number = ${number} and state = ${state}`.execute(
        hotline.database.db,
      );
      return rows.length === 1;
    });
  }

  async function noCall(): Promise<void> {
    await until('no live call', async () => {
      const { rows } = await sql`select from calls where ended_at is null`.execute(hotline.database.db);
      return rows.length === 0;
    });
  }

  async function callBacks(): Promise<string[]> {
    const { rows } = await sql<{ caller_number: string }>`
      select caller_number from callbacks where reason = 'switch-died' order by 1`.execute(hotline.database.db);
    return rows.map((row) => row.caller_number);
  }

  /** How the talks of these numbers ended. */
  async function endings(numbers: string): Promise<string[]> {
    const { rows } = await sql<{ end_class: string }>`
      select end_class from calls where caller_number in (${`${numbers}0`}, ${`${numbers}1`})`.execute(
      hotline.database.db,
    );
    return rows.map((row) => row.end_class);
  }
});
