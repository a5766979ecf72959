import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderSwitchFiles } from '../../src/switch/freeswitch/render-config.ts';
import type { SwitchPlan } from './switch.ts';
import { testDomain } from './switch.ts';

const staticFiles = fileURLToPath(new URL('../../freeswitch-conf/', import.meta.url));

/** The generated files for a plan. */
export function generatedFiles(plan: SwitchPlan): Record<string, string> {
  return renderSwitchFiles({
    ...plan,
    domain: testDomain,
    controlHosts: ['127.0.0.1'],
    logLevel: 'debug',
  });
}

/** Copies freeswitch-conf/ and the generated files into the plan's folder. @returns the configuration folder. */
export async function writeFreeswitchConfig(plan: SwitchPlan): Promise<string> {
  const folder = join(plan.folder, 'conf');
  await cp(staticFiles, folder, { recursive: true });
  await writeGeneratedFiles(folder, plan);
  return folder;
}

export async function writeGeneratedFiles(folder: string, plan: SwitchPlan): Promise<void> {
  for (const [path, content] of Object.entries(generatedFiles(plan))) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
  }
}
