/** Real FreeSWITCH for tests: a running one, a local binary, or a container, in this order. */

import type { EslAddress } from './esl-test-client.ts';
import { writeFreeswitchConfig } from './freeswitch-config.ts';
import { startFreeswitchContainer } from './freeswitch-container.ts';
import { findFreeswitchBinary, startFreeswitchProcess } from './freeswitch-process.ts';
import { runningFreeswitch, useRunningFreeswitch } from './freeswitch-running.ts';
import type { SocketAddress } from './phone/transport.ts';
import type { SwitchPlan } from './switch.ts';

export interface RunningSwitch {
  readonly trunk: SocketAddress;
  readonly agents: SocketAddress;
  readonly esl: EslAddress;
  /** Kills the process; for those that are ours to kill. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts FreeSWITCH with freeswitch-conf/. @throws Error that says what is missing. */
export async function startFreeswitch(plan: SwitchPlan): Promise<RunningSwitch> {
  const running = runningFreeswitch(process.env);
  if (running !== undefined) return await useRunningFreeswitch(running, plan);
  const configFolder = await writeFreeswitchConfig(plan);
  const binary = await findFreeswitchBinary(process.env);
  if (binary !== undefined) return await startFreeswitchProcess(binary, configFolder, plan);
  return await startFreeswitchContainer(configFolder, plan);
}
