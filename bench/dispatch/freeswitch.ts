/** FreeSWITCH for a round: with freeswitch-conf/ for our service, or with mod_callcenter as the dispatcher. */
import { access, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { projectFolder } from '../../src/config/project.ts';
import { renderSwitchFiles } from '../../src/switch/freeswitch/render-config.ts';
import { findFreeswitchBinary, startFreeswitchProcess } from '../../test/support/freeswitch-process.ts';
import { type SwitchPlan, testDomain } from '../../test/support/switch.ts';

const callcenterModule = 'mod_callcenter.so';
const queue = 'citizen@yihaotong';

/** The binary, and whether it has mod_callcenter; undefined where there is no FreeSWITCH. */
export async function findFreeswitch(): Promise<{ binary: string; callcenter: boolean } | undefined> {
  const binary = await findFreeswitchBinary(process.env);
  if (binary === undefined) return undefined;
  const folders = ['/opt/freeswitch/lib/freeswitch/mod', '/usr/lib/freeswitch/mod', '/usr/local/freeswitch/mod'];
  for (const folder of folders) {
    const there = await access(join(folder, callcenterModule)).then(
      () => true,
      () => false,
    );
    if (there) return { binary, callcenter: true };
  }
  return { binary, callcenter: false };
}

/** Starts FreeSWITCH for the plan; with `callcenterAgents` it dispatches by itself. */
export async function startFreeswitch(
  binary: string,
  plan: SwitchPlan,
  callcenterAgents: readonly string[] | undefined,
) {
  const folder = join(plan.folder, 'conf');
  await cp(join(projectFolder, 'freeswitch-conf'), folder, { recursive: true });
  const generated = renderSwitchFiles({
    ...plan,
    domain: testDomain,
    controlHosts: ['127.0.0.1'],
    logLevel: 'warning',
  });
  for (const [path, content] of Object.entries(generated)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
  }
  if (callcenterAgents !== undefined) await addCallcenter(folder, plan, callcenterAgents);
  return await startFreeswitchProcess(binary, folder, plan);
}

/**
 * The same work with mod_callcenter: answer, queue, the longest-idle agent. Nothing is tuned against it: no wrap-up, no
 * announcements, no recording, and both legs of a bridge end together.
 */
async function addCallcenter(folder: string, plan: SwitchPlan, agents: readonly string[]): Promise<void> {
  const modules = join(folder, 'autoload_configs', 'modules.conf.xml');
  const listed = await readFile(modules, 'utf8');
  await writeFile(modules, listed.replace('</modules>', '  <load module="mod_callcenter"/>\n  </modules>'));
  await writeFile(join(folder, 'vars.xml'), '<include/>\n');
  await writeFile(
    join(folder, 'dialplan', 'trunk.xml'),
    `<context name="trunk">
  <extension name="hotline">
    <condition field="destination_number" expression="^(?:${plan.hotlineNumbers.join('|')})$">
      <action application="answer"/>
      <action application="callcenter" data="${queue}"/>
    </condition>
  </extension>
</context>
`,
  );
  await writeFile(join(folder, 'autoload_configs', 'callcenter.conf.xml'), callcenterConf(agents));
}

function callcenterConf(agents: readonly string[]): string {
  const agent = (user: string): string =>
    `    <agent name="${user}" type="callback" contact="[leg_timeout=20]sofia/agents/${user}%${testDomain}" status="Available" max-no-answer="3" wrap-up-time="0" reject-delay-time="1" busy-delay-time="1" no-answer-delay-time="1"/>`;
  const tier = (user: string): string => `    <tier agent="${user}" queue="${queue}" level="1" position="1"/>`;
  return `<configuration name="callcenter.conf" description="Call centre">
  <settings/>
  <queues>
    <queue name="${queue}">
      <param name="strategy" value="longest-idle-agent"/>
      <param name="moh-sound" value="local_stream://moh"/>
      <param name="time-base-score" value="system"/>
      <param name="max-wait-time" value="0"/>
      <param name="max-wait-time-with-no-agent" value="0"/>
      <param name="tier-rules-apply" value="false"/>
      <param name="discard-abandoned-after" value="60"/>
      <param name="abandoned-resume-allowed" value="false"/>
    </queue>
  </queues>
  <agents>
${agents.map(agent).join('\n')}
  </agents>
  <tiers>
${agents.map(tier).join('\n')}
  </tiers>
</configuration>
`;
}
