import { join } from 'node:path';
import type { EmbeddedSwitchSettings } from '../../src/switch/embedded/config.ts';
import { launchEmbeddedSwitch } from '../../src/switch/embedded/launch.ts';
import type { RunningSwitch } from './freeswitch.ts';
import { RecordedLog } from './recorded-log.ts';
import { type SwitchPlan, testDomain } from './switch.ts';
import { until } from './until.ts';

/** Set to see the embedded switch's own log among the tests' output. */
const logToTerminal = process.env.SWITCH_LOG !== undefined;

export const embeddedSettingsFile = (plan: SwitchPlan): string => join(plan.folder, 'embedded-switch.json');

/** The embedded switch's settings for a plan. */
export const embeddedSettings = (plan: SwitchPlan): EmbeddedSwitchSettings => ({
  domain: testDomain,
  bindAddress: plan.trunk.host,
  trunkPort: plan.trunk.port,
  agentsPort: plan.agents.port,
  eslPort: plan.esl.port,
  ...(plan.tls === undefined ? {} : { tls: plan.tls }),
  eslPassword: plan.esl.password,
  carriers: [...plan.carriers],
  hotlineNumbers: [...plan.hotlineNumbers],
  users: plan.users.map(({ user, ha1 }) => ({ user, ha1Md5: ha1 })),
  gateways: plan.gateways.map(({ name, host, port, transport }) => ({ name, host, port, transport })),
  rtpPortMin: plan.rtp.portMin,
  rtpPortMax: plan.rtp.portMax,
  rtpTimeoutMs: plan.mediaTimeoutMs,
  minSessionExpiresS: plan.minSessionExpiresS,
  phoneTransfer: plan.phoneTransfer,
  recordingsFolder: plan.recordingsFolder,
  promptsFolder: plan.promptsFolder,
  limits: { maxCalls: plan.maxChannels },
  logLevel: logToTerminal ? 'debug' : 'error',
});

/** Starts the embedded switch as a process of its own; `stop` throws when it had died before. */
export async function startEmbeddedSwitch(plan: SwitchPlan): Promise<RunningSwitch> {
  const log = new RecordedLog();
  let died: string | undefined;
  const launched = await launchEmbeddedSwitch(embeddedSettings(plan), {
    log,
    configFile: embeddedSettingsFile(plan),
    stderr: logToTerminal ? 'inherit' : 'ignore',
    onExit: (reason) => {
      died = reason;
    },
  });
  return {
    trunk: plan.trunk,
    agents: plan.agents,
    esl: plan.esl,
    crash: async () => {
      launched.kill();
      await until('the end of the embedded switch', () => died !== undefined);
    },
    stop: async () => {
      if (died !== undefined) throw new Error(`the embedded switch had died before it was stopped: ${died}`);
      await launched.stop();
    },
  };
}
