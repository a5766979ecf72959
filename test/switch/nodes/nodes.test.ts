import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { recordOf } from '../../support/hotline/calls.ts';
import { people, startHotline } from '../../support/hotline/hotline.ts';
import { agentsNode, citizensNode, nodeHealth, nodeOf } from '../../support/hotline/nodes.ts';
import { finish, readyAgent, talk, tones } from '../../support/hotline/talking.ts';
import type { SwitchUnderTest } from '../../support/switch.ts';
import { until } from '../../support/until.ts';

const answeredWithinMs = 2_000;
const seat = { role: 'agent', hotlineNumber: null } as const;

/** Issue 3, section 4: one control, two switch nodes, the real Kamailio in front. */
describe('two nodes behind Kamailio', () => {
  const more = ['1003', '1004', '1005', '1006'];
  const hotline = startHotline({
    nodes: true,
    environment: { SWITCH_NODE_LOST_MS: '1000' },
    people: [...people, ...more.map((login) => ({ ...seat, login, name: login, extension: login }))],
  });
  let agents: Record<'first' | 'second', Awaited<ReturnType<typeof readyAgent>>>;

  it('a citizen on either node talks with a seat that registered at one of them', async () => {
    const first = await readyAgent(hotline, '1001');
    const seen = new Set<SwitchUnderTest>();
    for (const number of ['13800000001', '13800000002']) {
      const conversation = await talk(hotline, first, number);
      // The agent's leg is beside the citizen's, wherever the phone registered.
      expect(agentsNode(hotline, conversation)).toBe(citizensNode(hotline, conversation));
      expect(conversation.agent.callerNumber).toBe(number);
      expect(conversation.agent.header('X-Yht-Call')).toBe(conversation.callId);
      seen.add(citizensNode(hotline, conversation));
      await conversation.agent.hold();
      // Kamailio's workers keep no order between datagrams: a resume in the same millisecond may overtake the ACK, is
      // refused with Retry-After (RFC 3261 section 14.2), and comes again, as from any phone.
      const { agent } = conversation;
      await until('the resume', async () => (await agent.tryReinvite(agent.localSdp())).status === 200);
      agent.parts.media.setMuted(false);
      await conversation.citizen.hears(tones.agent);
      await conversation.citizen.sendDigit('5');
      await conversation.agent.receivesDigits('5');
      await finish(conversation, first.desk);
      const record = await recordOf(hotline, first.desk, conversation.callId);
      expect(record.endClass).toBe('success');
    }
    expect(seen.size).toBe(2);
    agents = { first, second: await readyAgent(hotline, '1002') };
  });

  it('a node killed under load takes only its own calls, and every next caller is answered on the other within 2 s', async () => {
    const talks = await talkToAll();
    const [first] = talks;
    const doomed = citizensNode(hotline, first);
    const own = talks.filter((one) => citizensNode(hotline, one) === doomed);
    const others = talks.filter((one) => citizensNode(hotline, one) !== doomed);
    expect([own.length, others.length]).toEqual([talks.length / 2, talks.length / 2]);
    // All seats are taken: these wait, on both nodes.
    const waiting = await callInTurn(['13800000031', '13800000032', '13800000033', '13800000034']);
    const cutOff = waiting.filter(({ call }) => nodeOf(hotline, call.parts.dialog.remoteTarget) === doomed);
    expect(cutOff).toHaveLength(2);

    await doomed.crash();
    const next = await callInTurn(['13800000041', '13800000042', '13800000043']);
    for (const { call } of next) expect(nodeOf(hotline, call.parts.dialog.remoteTarget)).not.toBe(doomed);

    // The other conversations go on: sound both ways, and control knows of them.
    for (const other of others) {
      await other.citizen.hears(tones.agent);
      await other.agent.hears(tones.citizen);
      expect(hotline.app.control.runtime.get(other.callId)?.state).toBe('talking');
    }
    await until('the lost node', async () => (await nodeHealth(hotline, doomed))?.state === 'lost');
    for (const one of own) {
      await one.who.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
      await hotline.callOver(one.callId);
    }
    await until(
      'the lost calls in the store',
      async () => (await callbackNumbers()).length >= own.length + cutOff.length,
    );
    const numbers = [...own, ...cutOff].map(({ number }) => number);
    expect(await callbackNumbers()).toEqual(numbers.sort());

    // Its seats take those who wait, though their phones had registered at whichever node: control knows their contacts.
    const stillWaiting = [...waiting.filter((one) => !cutOff.includes(one)), ...next];
    for (const { call } of stillWaiting) {
      await first.who.desk.do({ do: 'endWrapUp' });
      const ringing = await first.who.phone.nextInvite();
      ringing.ring();
      ringing.answer();
      await call.hears(tones.agent);
      await call.hangup();
      await ringing.ended();
      await first.who.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
    }
    for (const one of own) await one.who.desk.do({ do: 'endWrapUp' });

    // Back again: it gets calls, and its return ends nobody's.
    await doomed.startAgain();
    await hotline.kamailio.nodeIsUp(doomed);
    await until('the node', async () => (await nodeHealth(hotline, doomed))?.state === 'up');
    for (const other of others) {
      await other.citizen.hears(tones.agent);
      await finish(other, other.who.desk);
    }
    for (const { who } of talks) if (!Object.values(agents).includes(who)) await who.desk.do({ do: 'signOff' });
  });

  it('a drained node keeps its calls, gets no new ones, and says when it is empty', async () => {
    const one = await talk(hotline, agents.first, '13800000021');
    const drained = citizensNode(hotline, one);
    await hotline.kamailio.drain(drained, true);
    expect((await nodeHealth(hotline, drained))?.legs).toBe(2);
    for (const number of ['13800000022', '13800000023', '13800000024']) {
      const other = await talk(hotline, agents.second, number);
      expect(citizensNode(hotline, other)).not.toBe(drained);
      await finish(other, agents.second.desk);
    }
    await one.citizen.hears(tones.agent);
    await finish(one, agents.first.desk);
    await until('the empty node', async () => (await nodeHealth(hotline, drained))?.legs === 0);
    await hotline.kamailio.drain(drained, false);
  });

  it('a stranger gets nothing through Kamailio: not to the hotline, and not to anybody else', async () => {
    const stranger = await hotline.citizen('13900000000', { localAddress: '127.0.0.9' });
    const refused = await stranger.call('12345');
    expect((await refused.ended()).sipStatus).toBe(403);
    const { trunk } = hotline.kamailio;
    const other = await hotline.citizen('13900000001', { localAddress: '127.0.0.9' });
    const target = `sip:victim@${other.local.host}:${other.local.port}`;
    const preloaded = stranger.newRequest('MESSAGE', [['Route', `<sip:${trunk.host}:${trunk.port};lr>`]]);
    expect((await stranger.send({ ...preloaded, uri: target })).status).toBe(403);
    // As if it were inside a dialog.
    const inside = stranger.newRequest('INFO', [['Route', `<sip:${trunk.host}:${trunk.port};lr>`]]);
    const headers = inside.headers.map(([name, value]): [string, string] => [
      name,
      name === 'To' ? `${value};tag=made-up` : name === 'Max-Forwards' ? '70' : value,
    ]);
    expect((await stranger.send({ ...inside, uri: target, headers })).status).toBe(403);
    const looping = headers.map(([name, value]): [string, string] => [name, name === 'Max-Forwards' ? '0' : value]);
    const again = looping.map(([name, value]): [string, string] =>
      name === 'Via' ? [name, value.replace(/branch=\w+/, 'branch=z9hG4bKanother')] : [name, value],
    );
    expect((await stranger.send({ ...inside, uri: target, headers: again })).status).toBe(483);
  });

  /** Everybody who is ready talks; the dispatcher goes round, so half of them on each node. */
  async function talkToAll() {
    const all = [agents.first, agents.second];
    // In turn, because the longest idle is rung first.
    for (const login of more) all.push(await readyAgent(hotline, login));
    const talks = [];
    for (const [index, who] of all.entries()) {
      const number = `1380000010${index}`;
      talks.push({ ...(await talk(hotline, who, number)), who, number });
    }
    return talks as [(typeof talks)[0], ...typeof talks];
  }

  /** Calls one after the other, each answered within the two seconds. */
  async function callInTurn(numbers: readonly string[]) {
    const calls = [];
    for (const number of numbers) {
      const call = await (await hotline.citizen(number, { toneHz: tones.citizen })).call('12345');
      await call.answered({ withinMs: answeredWithinMs });
      calls.push({ number, call });
    }
    return calls;
  }

  /** Whom to call back because the switch died. */
  async function callbackNumbers(): Promise<string[]> {
    const { rows } = await sql<{ caller_number: string }>`
      select c.caller_number from callbacks b join calls c on c.id = b.call_id
       where b.reason = 'switch-died' and c.end_class = 'upstream' order by 1
    `.execute(hotline.database.db);
    return rows.map((row) => row.caller_number);
  }
});
