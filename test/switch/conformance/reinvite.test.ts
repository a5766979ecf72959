import { describe, expect, it } from 'vitest';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

/** RFC 3264 section 8.4, and RFC 2543's older form that old phones still send. */
const holdForms = [
  ['sendonly', (sdp: string) => sdp.replace('a=sendrecv', 'a=sendonly')],
  ['inactive', (sdp: string) => sdp.replace('a=sendrecv', 'a=inactive')],
  ['c=0.0.0.0', (sdp: string) => sdp.replace(/^c=IN IP4 .*$/m, 'c=IN IP4 0.0.0.0')],
] as const;

describe('a phone holds with a re-INVITE', () => {
  it.each(holdForms)('by %s, and resumes: both hear each other again', async (_form, held) => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await citizen.call.hearsOnly([650]);
    await agent.call.reinvite(held(agent.call.localSdp()));
    agent.call.parts.media.setMuted(true);
    await bench.esl.event('CHANNEL_HOLD', { 'Unique-ID': agent.leg });
    await citizen.call.hearsNothing();
    await agent.call.hearsNothing();
    agent.call.parts.media.setMuted(false);
    await agent.call.reinvite(agent.call.localSdp());
    await bench.esl.event('CHANNEL_UNHOLD', { 'Unique-ID': agent.leg });
    await citizen.call.hearsOnly([650]);
    await agent.call.hearsOnly([400]);
  });

  it('twice: control is told once', async () => {
    const [, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await agent.call.hold();
    await agent.call.hold();
    await agent.call.resume();
    await bench.esl.event('CHANNEL_UNHOLD', { 'Unique-ID': agent.leg });
    expect(bench.esl.eventsSoFar('CHANNEL_HOLD', { 'Unique-ID': agent.leg })).toHaveLength(1);
  });
});

describe('a re-INVITE', () => {
  it('without a description gets an offer in its 200, and the talk goes on', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    const { dialog, transactions } = agent.call.parts;
    const invite = dialog.request('INVITE');
    const answer = await transactions.request(invite, 5000);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('m=audio');
    const ack = dialog.follow('ACK', invite, answer);
    transactions.sendOnly({
      ...ack,
      headers: [...ack.headers, ['Content-Type', 'application/sdp']],
      body: agent.call.localSdp(),
    });
    await citizen.call.hearsOnly([650]);
    await agent.call.hearsOnly([400]);
  });

  it('with codecs that nobody speaks gets 488, and the next sound one is taken', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    const foreign = agent.call
      .localSdp()
      .replace(/RTP\/AVP .*/, 'RTP/AVP 96')
      .replace(/a=rtpmap:.*/, 'a=rtpmap:96 opus/48000/2');
    expect((await agent.call.tryReinvite(foreign)).status).toBe(488);
    await agent.call.reinvite(agent.call.localSdp());
    // FreeSWITCH is silent for some seconds after it has refused.
    await citizen.call.hearsOnly([650], { withinMs: 15_000 });
    await agent.call.hearsOnly([400]);
  });
});
