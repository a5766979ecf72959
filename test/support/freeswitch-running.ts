/** A FreeSWITCH that runs already: our files go into its configuration folder and it reads them again. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type EslAddress, EslTestClient } from './esl-test-client.ts';
import type { RunningSwitch } from './freeswitch.ts';
import { writeGeneratedFiles } from './freeswitch-config.ts';
import type { SocketAddress } from './phone/transport.ts';
import type { SwitchPlan } from './switch.ts';

export interface RunningFreeswitch {
  readonly esl: EslAddress;
  readonly trunk: SocketAddress;
  readonly agents: SocketAddress;
  readonly configFolder: string;
}

/**
 * Reads FREESWITCH_ESL=host:port with FREESWITCH_ESL_PASSWORD, FREESWITCH_CONF (its folder, a copy of
 * freeswitch-conf/ that this process can write), FREESWITCH_TRUNK_PORT (5080) and FREESWITCH_AGENTS_PORT (5060).
 * @throws Error that names the variable that is missing.
 */
export function runningFreeswitch(env: NodeJS.ProcessEnv): RunningFreeswitch | undefined {
  const address = env.FREESWITCH_ESL;
  if (!address) return undefined;
  const [host = '', port = ''] = address.split(':');
  const needed = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`FREESWITCH_ESL is set, so ${name} is needed as well`);
    return value;
  };
  return {
    esl: { host, port: Number(port), password: needed('FREESWITCH_ESL_PASSWORD') },
    trunk: { host, port: Number(env.FREESWITCH_TRUNK_PORT ?? 5080) },
    agents: { host, port: Number(env.FREESWITCH_AGENTS_PORT ?? 5060) },
    configFolder: needed('FREESWITCH_CONF'),
  };
}

/** Hands the running switch this test's users, gateways and numbers. Its ports stay what they are. */
export async function useRunningFreeswitch(running: RunningFreeswitch, plan: SwitchPlan): Promise<RunningSwitch> {
  await access(join(running.configFolder, 'freeswitch.xml'));
  const { esl, trunk, agents } = running;
  await writeGeneratedFiles(running.configFolder, { ...plan, esl, trunk, agents });
  const client = await EslTestClient.open(esl, '');
  for (const command of [
    'hupall',
    'sofia profile agents flush_inbound_reg',
    'reloadxml',
    'reloadacl',
    'sofia profile trunk killgw _all_',
    'sofia profile trunk rescan',
    'sofia profile agents rescan',
  ]) {
    await client.api(command);
  }
  await client.close();
  return {
    esl,
    trunk,
    agents,
    crash: () =>
      Promise.reject(new Error('the running FreeSWITCH is not ours to kill: use a local binary for this test')),
    stop: async () => {
      const last = await EslTestClient.open(esl, '');
      await last.api('hupall');
      await last.close();
    },
  };
}
