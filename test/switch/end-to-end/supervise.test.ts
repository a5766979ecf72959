import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LiveCallView, SuperviseMode } from '../../../src/desk/protocol.ts';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { finish, readyAgent, type Talk, talk, tones } from '../../support/hotline/talking.ts';
import type { IncomingCall } from '../../support/phone/incoming-call.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

const SUPERVISOR = 2100;

/** Issue 3, section 1, «mixing»: listens, whispers, barges; from the supervisor's desk to everybody's ear. */
describe('a supervisor and an agent’s call', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  let desk: DeskClient;
  let phone: TestPhone;
  let current: Talk;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
    desk = await hotline.desk('banzhang');
    phone = await hotline.agentPhone('1009', { toneHz: SUPERVISOR });
  });

  afterEach(() => finish(current, agent.desk));

  const shown = (what: string, holds: (call: LiveCallView) => boolean) =>
    desk.liveIs(what, (call) => call.callId === current.callId && holds(call));
  const isThere = (mode: SuperviseMode) =>
    shown(mode, ({ supervisor }) => supervisor?.there === true && supervisor.mode === mode && supervisor.mine);
  const isFree = () => shown('without a supervisor', (call) => call.supervisor === null && call.maySupervise);
  const wants = (mode: SuperviseMode) => desk.do({ do: 'supervise', callId: current.callId, mode });

  async function listening(): Promise<IncomingCall> {
    current = await talk(hotline, agent);
    await isFree();
    await wants('listen');
    const call = await phone.nextInvite();
    call.ring();
    call.answer();
    await isThere('listen');
    await call.hearsOnly([tones.citizen, tones.agent]);
    return call;
  }

  it('listens, whispers, barges, leaves; and the record says when', async () => {
    const supervisor = await listening();
    await current.citizen.hearsOnly([tones.agent]);
    await current.agent.hearsOnly([tones.citizen]);
    await wants('whisper');
    await isThere('whisper');
    await current.agent.hearsOnly([tones.citizen, SUPERVISOR]);
    await current.citizen.hearsOnly([tones.agent]);
    await wants('barge');
    await isThere('barge');
    await current.citizen.hearsOnly([tones.agent, SUPERVISOR]);
    await current.agent.hearsOnly([tones.citizen, SUPERVISOR]);
    await desk.do({ do: 'superviseLeave', callId: current.callId });
    await supervisor.ended();
    await current.citizen.hearsOnly([tones.agent]);
    await current.agent.hearsOnly([tones.citizen]);
    await isFree();
    await current.citizen.hangup();
    await hotline.callOver(current.callId);
    const { body } = await desk.api(`/api/calls/${current.callId}`);
    const record = body as { legs: { role: string }[]; journal: { event: string; details: { mode?: string } }[] };
    expect(record.legs.map((leg) => leg.role)).toContain('supervisor');
    const modes = record.journal.filter((line) => line.event === 'supervisorThere').map((line) => line.details.mode);
    expect(modes).toEqual(['listen', 'whisper', 'barge']);
    expect(record.journal.map((line) => line.event)).toContain('superviseLeave');
  });

  it('stays through a hold, and goes when the agent does', async () => {
    const supervisor = await listening();
    await agent.desk.do({ do: 'hold', callId: current.callId });
    await agent.desk.callState('held');
    await supervisor.hearsOnly([tones.agent]);
    await agent.desk.do({ do: 'resume', callId: current.callId });
    await agent.desk.callState('talking');
    await supervisor.hearsOnly([tones.citizen, tones.agent]);
    await current.agent.hangup();
    await supervisor.ended();
  });

  it('ends it at his phone; the others go on', async () => {
    const supervisor = await listening();
    await supervisor.hangup();
    await isFree();
    await current.citizen.hears(tones.agent);
    await current.agent.hears(tones.citizen);
  });

  it('is told that his phone is busy', async () => {
    current = await talk(hotline, agent);
    await wants('listen');
    (await phone.nextInvite()).reject(486);
    await desk.push('notice', (push) => push.text.includes('忙'));
    await isFree();
  });

  it('is nobody else’s right', async () => {
    current = await talk(hotline, agent);
    const reply = await agent.desk.request({ do: 'supervise', callId: current.callId, mode: 'barge' });
    expect(reply).toMatchObject({ ok: false, code: 'not-allowed' });
    expect(agent.desk.pushes.some((push) => push.type === 'live')).toBe(false);
  });

  it('goes on through a restart of control, and can be changed after it', async () => {
    const supervisor = await listening();
    await wants('whisper');
    await isThere('whisper');
    await current.agent.hearsOnly([tones.citizen, SUPERVISOR]);
    await hotline.restart();
    // The web port is another one now.
    agent = { ...agent, desk: await hotline.desk('1001') };
    desk = await hotline.desk('banzhang');
    await agent.desk.callState('talking');
    await isThere('whisper');
    await current.agent.hearsOnly([tones.citizen, SUPERVISOR]);
    await wants('listen');
    await isThere('listen');
    await current.agent.hearsOnly([tones.citizen]);
    await supervisor.hearsOnly([tones.citizen, tones.agent]);
    await current.citizen.hangup();
    await supervisor.ended();
  });
});
