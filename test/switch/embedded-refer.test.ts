import { describe, expect, it } from 'vitest';
import { startBench } from '../support/start-bench.ts';

/** FreeSWITCH pastes the headers of such an address into a dial string: docs/adr/0020 says what follows from it. */
describe('a phone’s REFER that smuggles a dial string', () => {
  const bench = startBench();

  it('calls nobody, and the two talk on', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    const stranger = await bench.phone('trunk', { user: 'stranger' });
    const { host, port } = stranger.local;
    const dial = `sofia/agents/sip:x@${host}:${port}`;
    const answer = await agent.call.request('REFER', [['Refer-To', `<sip:x@${host}:${port}?Replaces=x}${dial},>`]]);
    expect(answer.status).toBeGreaterThanOrEqual(202);
    await expect(stranger.nextInvite({ withinMs: 700 })).rejects.toThrow('in vain');
    await citizen.call.hearsOnly([650]);
    await agent.call.hearsOnly([400]);
  });
});
