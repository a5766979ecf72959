import { launchEmbeddedSwitch } from '../../src/switch/embedded/launch.ts';
import type { RunningSwitch } from './freeswitch.ts';
import { silentLog } from './postgres-server.ts';
import type { SwitchPlan } from './switch.ts';
import { testDomain } from './switch.ts';

/** Starts the embedded switch as a process of its own. */
export async function startEmbeddedSwitch(plan: SwitchPlan): Promise<RunningSwitch> {
  const launched = await launchEmbeddedSwitch(
    {
      bindAddress: plan.trunk.host,
      trunkPort: plan.trunk.port,
      agentsPort: plan.agents.port,
      eslPort: plan.esl.port,
      eslPassword: plan.esl.password,
      domain: testDomain,
      carriers: [...plan.carriers],
      hotlineNumbers: [...plan.hotlineNumbers],
      users: plan.users.map(({ user, ha1 }) => ({ user, ha1Md5: ha1 })),
      gateways: plan.gateways.map(({ name, host, port, transport }) => ({ name, host, port, transport })),
      rtpPortMin: plan.rtp.portMin,
      rtpPortMax: plan.rtp.portMax,
      rtpTimeoutMs: plan.mediaTimeoutMs,
      recordingsFolder: plan.recordingsFolder,
      promptsFolder: plan.promptsFolder,
      logLevel: 'warn',
    },
    { log: silentLog },
  );
  const { host } = plan.trunk;
  return {
    trunk: { host, port: launched.ports.trunk },
    agents: { host, port: launched.ports.agents },
    esl: { ...plan.esl, port: launched.ports.esl },
    stop: () => launched.stop(),
  };
}
