/**
 * FreeSWITCH in a container, through the `docker` command alone. Where this was written no Docker engine answered, so
 * this way of starting was never run; the local binary and the same configuration were.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunningSwitch } from './freeswitch.ts';
import { waitUntilReady } from './freeswitch-process.ts';
import type { SwitchPlan } from './switch.ts';

const run = promisify(execFile);
const answerMs = 10_000;
const pullMs = 300_000;
const image = process.env.FREESWITCH_IMAGE ?? 'safarov/freeswitch:1.10.12';

/** Starts the image with host networking, so that SIP and RTP ports are the plan's own. */
export async function startFreeswitchContainer(configFolder: string, plan: SwitchPlan): Promise<RunningSwitch> {
  await run('docker', ['info'], { timeout: answerMs }).catch((error: unknown) => {
    throw new Error(
      'No FreeSWITCH is at hand: set FREESWITCH_ESL to a running one, or FREESWITCH_BIN to a binary, ' +
        'or put `freeswitch` into the PATH, or start a Docker engine.',
      { cause: error },
    );
  });
  const name = `yht-test-${plan.esl.port}`;
  const mounts = ['-v', `${configFolder}:/etc/freeswitch:ro`, '-v', `${plan.folder}:${plan.folder}`];
  await run('docker', ['run', '-d', '--rm', '--name', name, '--network', 'host', ...mounts, image], {
    timeout: pullMs,
  });
  await waitUntilReady(undefined, plan);
  return {
    trunk: plan.trunk,
    agents: plan.agents,
    esl: plan.esl,
    crash: () => Promise.reject(new Error('a container is not crashed by tests: use a local binary for this test')),
    stop: async () => {
      await run('docker', ['rm', '-f', name], { timeout: answerMs });
    },
  };
}
